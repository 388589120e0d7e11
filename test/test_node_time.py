"""Simulated time: latencies on the clock that the stamps are of, and jumps of it."""

import math

import pytest
from robot import Robot
from simulated_time import SECOND, SimulatedClock, simulated_node

pytestmark = pytest.mark.ros
BEGIN = 1_000 * SECOND


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with simulated_node(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture(scope="module")
def clock(node):
    """A robot with a function that sets the time, in ns."""
    with Robot(node.domain, listens_to=("status",)) as robot:
        set_time = SimulatedClock(robot).set
        yield robot.meet(), set_time


def test_before_the_clock_starts_the_latency_is_unknown(clock):
    robot, _ = clock
    robot.send_pair(stamp=BEGIN)
    assert math.isnan(robot.result(BEGIN).latency_seconds)
    assert not [value for value in robot.report("processing").values if value.key.startswith("latency")]


def test_latency_is_measured_on_the_simulated_clock(clock):
    robot, set_time = clock
    set_time(BEGIN + 2 * SECOND)
    stamp = BEGIN + SECOND // 2
    robot.send_pair(stamp=stamp)
    assert robot.result(stamp).latency_seconds == pytest.approx(1.5)


@pytest.mark.parametrize("jump, told", [(-60, "-60.000 s"), (60, "+60.000 s")])
def test_a_jump_of_the_clock_starts_anew(clock, jump, told):
    robot, set_time = clock
    now = BEGIN + (1000 + jump) * SECOND
    set_time(now)
    for stamp in (now, now + SECOND):
        robot.send_pair(stamp=stamp)
        last = robot.result(stamp)
    assert last.warm
    set_time(now + jump * SECOND)
    later = now + 2 * SECOND  # stamps as before: it is the clock that jumped
    robot.send_pair(stamp=later)
    status = robot.result(later)
    assert not status.warm
    assert (status.resets, status.reset_reason) == (last.resets + 1, f"the clock jumped by {told}")


def test_ordinary_ticks_do_not_start_anew(clock):
    robot, set_time = clock
    begin = BEGIN + 2000 * SECOND
    set_time(begin)
    robot.send_pair(stamp=begin)
    resets = robot.result(begin).resets
    for tick in range(1, 4):
        set_time(begin + tick * SECOND)
        robot.send_pair(stamp=begin + tick * SECOND)
        status = robot.result(begin + tick * SECOND)
    assert (status.resets, status.warm) == (resets, True)
