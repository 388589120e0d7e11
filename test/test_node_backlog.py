"""Images that come while the node is busy: the newest waits, and the past is thrown away when it must be."""

import pytest
from lifecycle_msgs.msg import Transition
from node_process import NodeProcess
from robot import Robot

pytestmark = pytest.mark.ros
COLD_SECONDS = 3.0  # long enough to be seen in the diagnostics, which come once a second


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    slow = {"budget.first_iterations": 10**6, "budget.first_seconds": COLD_SECONDS}
    with NodeProcess(tmp_path_factory.mktemp("node"), slow).wait_until_active() as node:
        yield node


@pytest.fixture(scope="module")
def robot(node):
    with Robot(node.domain, listens_to=("status", "sr")).meet() as robot:
        yield robot


@pytest.fixture
def in_work(robot):
    """Stamp of a pair that is being optimised, cold."""
    robot.reset()
    return robot.occupy()


def test_the_newest_pair_waits_and_those_it_replaced_are_counted(robot, in_work):
    replaced = [robot.send_pair(), robot.send_pair()]
    newest = robot.send_pair()
    before = robot.result(in_work).dropped_replaced
    status = robot.result(newest)
    assert status.dropped_replaced == before == len(replaced)
    assert not any(robot.find(stamp) for stamp in replaced)


def test_a_reset_throws_away_what_is_in_work_and_what_waits(robot, in_work):
    waiting = robot.send_pair()
    robot.reset()
    status = robot.result(robot.send_pair())
    assert not status.warm
    assert status.dropped_stale >= 1
    assert robot.find(in_work) is None
    assert robot.find(waiting) is None


def test_a_source_that_changes_throws_away_what_is_in_work(robot, in_work):
    status = robot.result(robot.send_pair(robot.source(size=(20, 24))))
    assert not status.warm
    assert "height from 18 to 20" in status.reset_reason
    assert robot.find(in_work) is None


def test_stamps_that_go_back_throw_away_what_is_in_work(robot, in_work):
    earlier = in_work - 5 * 10**9
    robot.send_pair(stamp=earlier)
    assert not robot.result(earlier).warm
    assert robot.find(in_work) is None


def test_a_deactivated_node_publishes_nothing_of_what_was_in_work(robot, in_work):
    for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE):
        assert robot.change(transition)
    robot.meet()
    status = robot.result(robot.send_pair())
    assert (status.warm, status.processed, status.pairs) == (False, 1, 1)
    assert robot.find(in_work) is None
