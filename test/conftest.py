"""What every test runs in: a ROS graph of its own that leaves nothing in the home folder."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings
from ros_domain import fresh_domain

from robself_ros import dds

os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # read when a message is first imported, so before any fixture
os.environ.setdefault("OMP_NUM_THREADS", "1")  # on the tests' tiny images, threads only wait for each other
# A shell's background jobs ignore SIGINT and hand that down: the processes that the tests start must not.
signal.signal(signal.SIGINT, signal.default_int_handler)

# "long" looks for what nobody thought of; "ci" tries the same few cases every time, so that no change fails by luck.
# Neither minds how long an example takes: the machine is shared. A test that sets max_examples keeps its own number.
_SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", max_examples=50, derandomize=True, **_SLOW)
settings.register_profile("long", max_examples=1000, **_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session", autouse=True)
def ros_environment(tmp_path_factory):
    """For this process and those that the tests start; set before any test initialises ROS."""
    os.environ.update(
        ROS_LOG_DIR=str(tmp_path_factory.mktemp("ros_log")),
        ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
        ROS_DOMAIN_ID=str(fresh_domain()),
        **dds.environment(),
    )


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """An active node as a process of its own, with the parameters' defaults for tests."""
    from node_process import NodeProcess  # it imports ROS, which reads the variables above

    with NodeProcess(tmp_path_factory.mktemp("node")).wait_until_active() as node:
        yield node


@pytest.fixture(scope="module")
def context():
    """For nodes in the test's own process."""
    import rclpy

    context = rclpy.Context()
    context.init([])
    yield context
    context.try_shutdown()


@pytest.fixture(scope="session")
def tf2_msgs(tmp_path_factory):
    """What a process needs in its environment to import tf2_msgs, by name."""
    from tf2_msgs_build import tf2_msgs_environment

    return tf2_msgs_environment(tmp_path_factory.mktemp("tf2_msgs"))


@pytest.fixture
def middlebury(tmp_path):
    """A folder of three scenes in Middlebury's layout."""
    from dataset_folders import make_middlebury

    return make_middlebury(tmp_path)


@pytest.fixture
def archives(tmp_path):
    """A folder of archived pairs whose names have marks."""
    from dataset_folders import make_archives

    return make_archives(tmp_path)


@pytest.fixture
def realmissr(tmp_path):
    """A folder in RealMisSR's layout."""
    from dataset_folders import make_realmissr

    return make_realmissr(tmp_path)


@pytest.fixture
def methods_of_tests(tmp_path, monkeypatch):
    """The methods of `evaluation_runs` beside the project's own."""
    from evaluation_runs import own_methods

    from robself.methods import METHODS

    for name, method in own_methods(tmp_path).items():
        monkeypatch.setitem(METHODS, name, method)


@pytest.fixture
def hooked():
    """Registers global hooks of torch, and removes them after the test."""
    handles = []
    yield lambda register, hook: handles.append(register(hook))
    for handle in handles:
        handle.remove()
