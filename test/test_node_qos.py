"""The QoS of the node's topics as `qos_overrides` makes it, seen from the graph and told by the node."""

import pytest
from lifecycle_msgs.msg import Transition
from node_process import NodeProcess
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import ReliabilityPolicy
from robot import RELIABLE, Robot, values_of

from robself.errors import ConfigError
from robself_ros.outputs import published_topics
from robself_ros.qos_overrides import check_overrides
from robself_ros.transport import all_topics

pytestmark = pytest.mark.ros
SOURCE = "qos_overrides./source/image.subscription"
OVERRIDES = {
    f"{SOURCE}.reliability": "reliable",
    "qos_overrides./robself_node/confidence/image.publisher.reliability": "best_effort",
}


@pytest.fixture(scope="module")
def robot(tmp_path_factory):
    with (
        NodeProcess(tmp_path_factory.mktemp("node"), OVERRIDES).wait_until_active() as node,
        Robot(node.domain, listens_to=("status",), camera_qos=RELIABLE).meet() as robot,
    ):
        yield robot


def test_overrides_hold_and_hold_again_after_a_deactivation(robot):
    expected = {
        "/source/image": ReliabilityPolicy.RELIABLE,
        "/guide/image": ReliabilityPolicy.BEST_EFFORT,
        "/robself_node/confidence/image": ReliabilityPolicy.BEST_EFFORT,
        "/robself_node/sr/image": ReliabilityPolicy.RELIABLE,
    }
    for _ in range(2):
        robot.wait_for(lambda: len(reliabilities(robot)) == len(expected), "the node's topics")
        assert reliabilities(robot) == expected
        for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
            assert robot.change(transition)
        robot.wait_for(lambda: not reliabilities(robot), "the end of the node's topics")
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            assert robot.change(transition)
        robot.meet()


def test_diagnostics_tell_the_qos_that_is_used(robot):
    assert values_of(robot.report("source"))["QoS"] == "RELIABLE, VOLATILE"
    assert values_of(robot.report("guide"))["QoS"] == "BEST_EFFORT, VOLATILE"


@pytest.mark.parametrize("policy, value", [("reliability", "best_effort"), ("depth", 3)])
def test_an_override_given_or_not_is_fixed_once_the_node_runs(robot, policy, value):
    parameter = Parameter(f"{SOURCE}.{policy}", value=value).to_parameter_msg()
    request = SetParameters.Request(parameters=[parameter])
    answer = robot.call(SetParameters, "/robself_node/set_parameters", request).results[0]
    assert not answer.successful and answer.reason


def reliabilities(robot):
    """Of the node's ends of some topics, by topic."""
    subscribed = {
        topic: robot.node.get_subscriptions_info_by_topic(topic)
        for topic in ("/source/image", "/guide/image")
    }
    published = {
        topic: robot.node.get_publishers_info_by_topic(topic)
        for topic in ("/robself_node/confidence/image", "/robself_node/sr/image")
    }
    return {
        topic: end.qos_profile.reliability
        for topic, ends in {**subscribed, **published}.items()
        for end in ends
        if end.node_name == "robself_node"
    }


@pytest.mark.parametrize(
    "name, value, told",
    [
        (
            "qos_overrides./sorce/image.subscription.reliability",
            "reliable",
            f"unknown parameter 'qos_overrides./sorce/image.subscription.reliability', did you mean {SOURCE}.",
        ),
        (f"{SOURCE}.durability", "volatile", f"unknown parameter '{SOURCE}.durability', did you mean"),
        (f"{SOURCE}.reliability", "relaible", f"{SOURCE}.reliability: 'relaible': expected reliable or best"),
        (f"{SOURCE}.history", 3, f"{SOURCE}.history: 3: expected keep_last or keep_all"),
        (f"{SOURCE}.depth", 0, f"{SOURCE}.depth: 0: expected an integer of at least 1"),
        (f"{SOURCE}.depth", "5", f"{SOURCE}.depth: '5': expected an integer of at least 1"),
        ("qos_overrides./source/image/compressedDepth.subscription.depth", 3, ""),
        ("qos_overrides./robself_node/sr/image.publisher.history", "keep_last", ""),
        ("qos_overrides./clock.subscription.durability", "volatile", ""),
    ],
)
def test_an_override_that_would_do_nothing_is_refused_in_one_line(context, name, value, told):
    node = Node(
        "robself_node",
        context=context,
        automatically_declare_parameters_from_overrides=True,
        parameter_overrides=[Parameter(name, value=value)],
        start_parameter_services=False,
    )
    try:
        if not told:
            check_overrides(node, all_topics(node), published_topics(node))
            return
        with pytest.raises(ConfigError) as caught:
            check_overrides(node, all_topics(node), published_topics(node))
    finally:
        node.destroy_node()
    assert str(caught.value).startswith(f"parameters: {told}")
    assert "\n" not in str(caught.value)
