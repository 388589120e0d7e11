"""The rotation between the cameras from /tf_static, as drivers and robot_state_publisher send it."""

import os
import subprocess
import sys

import pytest
from node_process import NodeProcess
from robot import GUIDE_SIZE, SOURCE_SIZE, Robot, camera_info, pixels_of

# Where tf2_msgs has to be built first, a busy machine takes minutes.
pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]
# Publishes a turn about y, in degrees, for every line that comes.
BROADCASTER = """
import math, sys, rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage
rclpy.init()
node = rclpy.create_node("broadcaster")
latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
publisher = node.create_publisher(TFMessage, "/tf_static", latched)
for line in sys.stdin:
    turned = TransformStamped()
    turned.header.frame_id, turned.child_frame_id = "guide_optical_frame", "source_optical_frame"
    half = math.radians(float(line)) / 2
    turned.transform.rotation.y, turned.transform.rotation.w = math.sin(half), math.cos(half)
    publisher.publish(TFMessage(transforms=[turned]))
"""


@pytest.fixture(scope="module")
def environment(tf2_msgs):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in tf2_msgs.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def node(environment, tmp_path_factory):
    with NodeProcess(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture(scope="module")
def turn_guide(node):
    """Has spoken before the node listens: a turn of 10 degrees."""
    with subprocess.Popen(
        [sys.executable, "-c", BROADCASTER],
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, "ROS_DOMAIN_ID": str(node.domain)},
    ) as broadcaster:

        def turn(degrees):
            broadcaster.stdin.write(f"{degrees}\n")
            broadcaster.stdin.flush()

        turn(10.0)
        yield turn
        broadcaster.stdin.close()


@pytest.fixture(scope="module")
def robot(node, turn_guide):
    """Both cameras see 44 degrees, the guide's by twice the pixels."""
    node.wait_until_active()
    with Robot(node.domain).meet() as robot:
        robot.send("source", camera_info(SOURCE_SIZE, 30.0), robot.stamp())
        robot.send("guide", camera_info(GUIDE_SIZE, 60.0), robot.stamp())
        for role in ("source", "guide"):
            robot.report(role, lambda status: "no camera_info" not in status.message)
        yield robot


def test_the_guide_is_turned_as_static_transforms_say(robot, node):
    guide = pixels_of(robot.result(robot.exchange(), "guide_aligned"))
    assert "turned as static transforms say" in node.said
    assert guide[18, :20].any(axis=-1).all()
    assert not guide[:, -8:].any(), "what the source sees there, the guide does not"


def test_a_transform_that_changes_starts_anew(robot, turn_guide):
    robot.exchange()
    turn_guide(-10.0)
    robot.wait_for(
        lambda: robot.result(robot.exchange()).reset_reason == "a camera or the extrinsics changed", "a reset"
    )
    guide = pixels_of(robot.result(robot.exchange(), "guide_aligned"))
    assert guide[18, -20:].any(axis=-1).all() and not guide[:, :8].any()
