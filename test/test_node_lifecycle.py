"""What each transition of the node brings up and takes down."""

import numpy as np
import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from node_process import NodeProcess
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from robot import Robot, image
from robself_ros.msg import Status
from small_pairs import coarse_pair

pytestmark = pytest.mark.ros
CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
DOWN = {
    State.PRIMARY_STATE_ACTIVE: (DEACTIVATE, CLEANUP),
    State.PRIMARY_STATE_INACTIVE: (CLEANUP,),
    State.PRIMARY_STATE_UNCONFIGURED: (),
}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with NodeProcess(tmp_path_factory.mktemp("node"), {"autostart": False}) as node:
        yield node


@pytest.fixture(scope="module")
def peer(node):
    with Robot(node.domain, listens_to=("sr", "status")) as robot:
        yield robot


@pytest.fixture
def robot(peer):
    """With a node that is not configured."""
    for transition in DOWN[state(peer)]:
        assert change(peer, transition)
    return peer


def test_without_autostart_the_node_waits_unconfigured(robot):
    assert state(robot) == State.PRIMARY_STATE_UNCONFIGURED
    assert robot.node.count_publishers("/robself_node/sr/image") == 0


def test_configuring_makes_publishers_and_no_subscriptions(robot):
    assert change(robot, CONFIGURE)
    robot.wait_for(lambda: robot.node.count_publishers("/robself_node/sr/image") == 1, "a publisher")
    assert robot.node.count_subscribers("/source/image") == 0


def test_cleaning_up_takes_the_publishers_down(robot):
    change(robot, CONFIGURE)
    robot.wait_for(lambda: robot.node.count_publishers("/robself_node/sr/image") == 1, "a publisher")
    assert change(robot, CLEANUP)
    robot.wait_for(lambda: robot.node.count_publishers("/robself_node/sr/image") == 0, "its end")


def test_going_up_and_down_again_and_again_starts_cold_each_time(robot):
    for _ in range(2):
        bring_up(robot)
        first, second = robot.result(robot.exchange()), robot.result(robot.exchange())
        assert (first.warm, first.processed) == (False, 1)
        assert (second.warm, second.processed) == (True, 2)
        assert change(robot, DEACTIVATE)
        robot.wait_for(lambda: robot.node.count_subscribers("/source/image") == 0, "no subscription")
        assert change(robot, CLEANUP)


def test_parameters_are_refused_with_a_reason_while_active(robot):
    bring_up(robot)
    answer = set_parameter(robot, "sync.slop", 0.03)
    assert not answer.successful
    assert answer.reason == "sync.slop: is fixed while the node is active: deactivate it first"


def test_budgets_and_keyframes_may_change_while_active(robot):
    pair = coarse_pair()
    images = image(pair.source.round().astype(np.uint16), "16UC1"), image(pair.guide, "rgb8")
    change(robot, CONFIGURE)
    assert set_parameter(robot, "budget.first_iterations", 25).successful
    assert change(robot, ACTIVATE)
    robot.meet()
    assert robot.result(robot.exchange(*images)).iterations == 25
    assert set_parameter(robot, "budget.seconds", 0.0).successful
    assert set_parameter(robot, "budget.iterations", 5).successful
    assert robot.result(robot.exchange(*images)).iterations == 5
    assert set_parameter(robot, "keyframe.every_n", 2).successful
    assert robot.result(robot.exchange(*images)).mode == Status.TRACK
    answer = set_parameter(robot, "keyframe.every_n", -1)
    assert not answer.successful and "keyframe.every_n" in answer.reason
    assert set_parameter(robot, "keyframe.every_n", 0).successful
    for ratio, mode in (1e-6, Status.KEYFRAME), (1e6, Status.TRACK), (1e6, Status.TRACK):
        assert set_parameter(robot, "keyframe.consistency_ratio", ratio).successful
        assert robot.result(robot.exchange(*images)).mode == mode, "consistency alone decides"


def test_parameters_set_while_inactive_hold_from_the_next_activation_on(robot):
    change(robot, CONFIGURE)
    assert set_parameter(robot, "budget.first_iterations", 4).successful
    assert change(robot, ACTIVATE)
    robot.meet()
    assert robot.result(robot.exchange()).iterations == 4


def test_a_parameter_out_of_range_is_refused_with_the_range(robot):
    answer = set_parameter(robot, "sync.slop", 2.0)
    assert not answer.successful
    assert "sync.slop" in answer.reason


@pytest.mark.parametrize("name, value", [("factor", 0), ("extrinsics.rpy", [0, 0, 0])])
def test_integers_are_taken_for_doubles(robot, name, value):
    answer = set_parameter(robot, name, value)
    assert answer.successful, answer.reason


def test_a_device_that_is_not_there_fails_the_activation_and_the_node_lives_on(robot, node):
    assert set_parameter(robot, "device", "cuda:77").successful
    assert change(robot, CONFIGURE)
    assert not change(robot, ACTIVATE)
    assert state(robot) == State.PRIMARY_STATE_INACTIVE
    node.wait_until_it_says("device: 'cuda:77' cannot be used")
    assert set_parameter(robot, "device", "auto").successful
    assert change(robot, ACTIVATE)


def test_reset_is_refused_while_inactive(robot):
    answer = robot.reset()
    assert (answer.success, answer.message) == (False, "the node is not active")


def bring_up(robot):
    assert change(robot, CONFIGURE)
    assert change(robot, ACTIVATE)
    robot.meet()


def change(robot, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return robot.call(ChangeState, "/robself_node/change_state", request).success


def state(robot):
    return robot.call(GetState, "/robself_node/get_state", GetState.Request()).current_state.id


def set_parameter(robot, name, value):
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    return robot.call(SetParameters, "/robself_node/set_parameters", request).results[0]
