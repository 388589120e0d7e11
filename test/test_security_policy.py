"""The SROS 2 policy allows what the node of a default launch opens, and nothing else."""

from importlib.util import find_spec
from xml.etree import ElementTree

import pytest
from node_process import NodeProcess, as_launched
from robot import Robot

from robself_ros.launching import NODE_NAME, plan
from robself_ros.share import share_directory

# Where tf2_msgs has to be built first, a busy machine takes minutes.
pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]
NAMESPACE = "/"
# Of the node's profile, by the attributes of sros2's policy.xsd that a node can have.
QUALIFIERS = [("topic", "publish"), ("topic", "subscribe"), ("service", "reply"), ("service", "request")]


@pytest.fixture(scope="module")
def policy():
    """The context that the file is for."""
    root = ElementTree.parse(share_directory() / "config" / "sros2_policy.xml").getroot()
    assert root.tag == "policy" and root.get("version")
    (context,) = root.findall("contexts/context")
    return context


@pytest.fixture(scope="module")
def profile(policy):
    (profile,) = policy.findall("profiles/profile")
    return profile


@pytest.fixture(scope="module")
def robot(tf2_msgs, tmp_path_factory):
    """Listens to every result of a node that was started as the launch file does."""
    launched = plan({}, "depth")
    topics = dict(launched.remappings)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in tf2_msgs.items():
            patch.setenv(name, value)
        process = NodeProcess(tmp_path_factory.mktemp("node"), None, *as_launched(launched))
    with (
        process.wait_until_active() as node,
        Robot(
            node.domain, source_topic=topics["source/image"], guide_topic=topics["guide/image"]
        ).meet() as robot,
    ):
        yield robot


def test_the_policy_is_for_the_launched_node(policy, profile):
    assert (profile.get("ns"), profile.get("node")) == (NAMESPACE, NODE_NAME)
    assert policy.get("path") == f"/{NODE_NAME}"


def test_the_policy_says_no_more_than_its_schema_lets_it(profile):
    for group in profile:
        kind = group.tag.removesuffix("s")
        assert {one.tag for one in group} == {kind}
        assert {(kind, name) for name in group.attrib} <= set(QUALIFIERS)
        assert set(group.attrib.values()) == {"ALLOW"}


@pytest.mark.parametrize(("kind", "qualifier"), QUALIFIERS, ids=lambda one: one)
def test_the_policy_allows_what_the_node_opens_and_nothing_else(profile, robot, kind, qualifier):
    ask = {
        "publish": robot.node.get_publisher_names_and_types_by_node,
        "subscribe": robot.node.get_subscriber_names_and_types_by_node,
        "reply": robot.node.get_service_names_and_types_by_node,
        "request": robot.node.get_client_names_and_types_by_node,
    }[qualifier]
    allowed = {
        one.text.replace("~", f"{NAMESPACE}{NODE_NAME}")
        for group in profile.iterfind(f"{kind}s[@{qualifier}]")
        for one in group
    }
    if not find_spec("rclpy.type_description_service"):  # ROS 2 Humble
        allowed.discard(f"/{NODE_NAME}/get_type_description")

    def opened():
        known = (NODE_NAME, NAMESPACE) in robot.node.get_node_names_and_namespaces()
        return {name for name, _ in ask(NODE_NAME, NAMESPACE)} if known else set()

    # The graph comes by discovery, so what is said of it becomes true.
    robot.wait_for(lambda: opened() >= allowed, f"all of {allowed}, the node opens {opened()}")
    assert opened() == allowed
