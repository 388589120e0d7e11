import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from ros_domain import fresh_domain

pytestmark = pytest.mark.ros


@pytest.fixture
def domain(monkeypatch, tmp_path):
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    monkeypatch.setenv("ROS_DOMAIN_ID", str(fresh_domain()))


@pytest.fixture
def node(domain):
    """A lifecycle node in a namespace, spinning, not yet configured."""
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = LifecycleNode("sleeper", namespace="front", context=context, enable_rosout=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    spinning = threading.Thread(target=spin, args=(executor,))
    spinning.start()
    yield node
    rclpy.shutdown(context=context)
    spinning.join()
    node.destroy_node()


def test_the_command_runs_once_the_node_is_active(node):
    with waiting_for("/front/sleeper", sys.executable, "-c", "print('started')") as waiting:
        node.trigger_configure()
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=2.0)
        node.trigger_activate()
        assert waiting.communicate(timeout=30)[0] == "started\n"
    assert waiting.returncode == 0


def test_a_wrong_call_is_answered_with_the_usage(domain):
    with waiting_for("/front/sleeper") as waiting:
        _, said = waiting.communicate(timeout=30)
    assert said.startswith("usage: python -m robself_ros.wait_until_active NODE -- COMMAND")
    assert waiting.returncode == 1


def spin(executor: SingleThreadedExecutor) -> None:
    with suppress(ExternalShutdownException):
        executor.spin()


def waiting_for(node_name: str, *command: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "robself_ros.wait_until_active", node_name, "--", *command],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
