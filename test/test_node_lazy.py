"""A node that subscribes to the cameras only while somebody subscribes to a result."""

import time

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from robot import Robot, values_of

from robself_ros.inputs import CHECK_SECONDS, LINGER_SECONDS

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def robot(node):
    """With a node that has found its cameras, and nobody who listens."""
    with Robot(node.domain, listens_to=()) as robot:
        robot.report("source", lambda status: values_of(status)["publishers"] == "1")
        yield robot


@pytest.fixture(autouse=True)
def nobody_listens(robot):
    robot.cover_ears()


def subscribers(robot):
    """How many the publishers of images and camera_info see."""
    return {publisher.get_subscription_count() for publisher in robot.cameras}


def test_the_cameras_are_subscribed_to_while_a_result_is_and_what_was_learned_is_kept(robot):
    assert subscribers(robot) == {0}
    robot.listen("status")
    robot.meet()
    assert subscribers(robot) == {1}
    assert not robot.result(robot.exchange()).warm

    robot.cover_ears()
    robot.wait_for(lambda: subscribers(robot) == {0}, "no subscription")

    robot.listen("sr")
    robot.listen("status")
    robot.meet()
    assert robot.result(robot.exchange()).warm


def test_a_subscriber_that_goes_for_a_moment_only_changes_nothing(robot):
    listen(robot)
    begin = time.monotonic()
    robot.cover_ears()
    robot.wait_for(lambda: subscribers(robot) == {0}, "no subscription")
    assert time.monotonic() - begin > LINGER_SECONDS - 2 * CHECK_SECONDS


def test_silence_is_no_error_while_nobody_listens(robot):
    report = robot.report("source", lambda status: "not subscribed" in status.message)
    assert (report.level, report.message) == (
        DiagnosticStatus.OK,
        "not subscribed: nobody subscribes to a result",
    )
    listen(robot)
    begun = robot.report("source", lambda status: "not subscribed" not in status.message)
    assert begun.level != DiagnosticStatus.ERROR


def test_a_node_that_is_not_lazy_stays_subscribed_and_computes_nothing_all_the_same(robot):
    assert robot.change(Transition.TRANSITION_DEACTIVATE)
    request = SetParameters.Request(parameters=[Parameter("lazy", value=False).to_parameter_msg()])
    assert robot.call(SetParameters, "/robself_node/set_parameters", request).results[0].successful
    assert robot.change(Transition.TRANSITION_ACTIVATE)
    robot.meet()
    robot.send_pair()
    counts = robot.report(
        "processing", lambda status: int(values_of(status)["dropped: nobody subscribed"]) == 1
    )
    assert values_of(counts)["processed"] == "0"
    listen(robot)
    assert robot.result(robot.exchange()).processed == 1


def listen(robot):
    robot.listen("status")
    robot.meet()
