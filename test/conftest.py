"""What every test runs in: a ROS graph of its own that leaves nothing in the home folder."""

import os
import random
import signal

import pytest

from robself_ros import dds

os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # read when a message is first imported, so before any fixture
os.environ.setdefault("OMP_NUM_THREADS", "1")  # on the tests' tiny images, threads only wait for each other
# A shell's background jobs ignore SIGINT and hand that down: the processes that the tests start must not.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def ros_environment(tmp_path_factory):
    """For this process and those that the tests start; set before any test initialises ROS."""
    os.environ.update(
        ROS_LOG_DIR=str(tmp_path_factory.mktemp("ros_log")),
        ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
        ROS_DOMAIN_ID=str(random.SystemRandom().randint(2, 100)),
        **dds.environment(),
    )


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """An active node as a process of its own, with the parameters' defaults for tests."""
    from node_process import NodeProcess  # it imports ROS, which reads the variables above

    with NodeProcess(tmp_path_factory.mktemp("node")).wait_until_active() as node:
        yield node
