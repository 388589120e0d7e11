"""What the middleware tells: peers that do not fit and messages that were lost."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import rclpy
from middleware import of_fast_dds
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_domain import fresh_domain
from sensor_msgs.msg import Image

from robself_ros import dds
from robself_ros.distributions import HAS_MATCHED_EVENTS
from robself_ros.events import publisher_events, subscription_events

pytestmark = pytest.mark.ros
STREAM = Path(__file__).with_name("image_stream.py")
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
PATIENCE_SECONDS = 30.0


class Heard:
    """What the callbacks were told, and that it came."""

    def __init__(self):
        self.told, self._came = [], threading.Event()

    def __call__(self, *facts):
        self.told.append(facts)
        self._came.set()

    def wait(self):
        assert self._came.wait(PATIENCE_SECONDS)
        return self.told


@pytest.fixture
def domain():
    return fresh_domain()


@pytest.fixture
def nodes(domain):
    """Two nodes of one graph, spinning."""
    context = rclpy.Context()
    context.init([], domain_id=domain)
    executor = SingleThreadedExecutor(context=context)
    pair = [rclpy.create_node(name, context=context, enable_rosout=False) for name in ("one", "other")]
    for node in pair:
        executor.add_node(node)

    def spin():
        with suppress(ExternalShutdownException):
            executor.spin()

    spinning = threading.Thread(target=spin)
    spinning.start()
    yield pair
    context.try_shutdown()
    spinning.join()
    for node in pair:
        node.destroy_node()


def test_a_subscription_that_asks_for_more_than_a_publisher_offers_is_told(nodes):
    one, other = nodes
    heard = Heard()
    events = subscription_events("/camera/image", heard, lambda lost: None)
    one.create_subscription(Image, "image", lambda message: None, RELIABLE, event_callbacks=events)
    other.create_publisher(Image, "image", BEST_EFFORT)
    assert heard.wait() == [("/camera/image", "RELIABILITY")]


def test_a_publisher_that_offers_less_than_a_subscription_asks_for_is_told(nodes):
    one, other = nodes
    heard = Heard()
    events = publisher_events("/robself_node/sr/image", heard, lambda: None)
    one.create_publisher(Image, "image", RELIABLE, event_callbacks=events)
    other.create_subscription(Image, "image", lambda message: None, LATCHED)
    assert heard.wait() == [("/robself_node/sr/image", "DURABILITY")]


@pytest.mark.skipif(not HAS_MATCHED_EVENTS, reason="this ROS does not tell a publisher who comes and goes")
def test_a_publisher_is_told_of_a_subscriber_that_comes(nodes):
    one, other = nodes
    heard = Heard()
    events = publisher_events("/robself_node/sr/image", lambda *facts: None, heard)
    one.create_publisher(Image, "image", RELIABLE, event_callbacks=events)
    other.create_subscription(Image, "image", lambda message: None, RELIABLE)
    assert heard.wait() == [()]


@of_fast_dds
def test_images_that_the_middleware_lost_are_told_by_their_number(nodes, domain):
    """Without the profile, an image does not fit into Fast DDS's shared memory."""
    node, _ = nodes
    lost = Heard()
    events = subscription_events("/depth/image_raw", lambda *facts: None, lost)
    node.create_subscription(
        Image, "depth/image_raw", lambda message: None, BEST_EFFORT, event_callbacks=events
    )
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), **dict.fromkeys(dds.PROFILE_VARIABLES, "")}
    subprocess.run([sys.executable, STREAM, "publish", "60"], env=environment, check=True, timeout=60)
    assert sum(number for (number,) in lost.wait()) > 0
