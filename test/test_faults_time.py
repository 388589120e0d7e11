"""Streams that stop, drift apart, jump, repeat themselves or carry no time, over DDS: what may be published of them.

After every test the results of each generation are in order, each stamp once, each with the guide of its own moment.
"""

from itertools import pairwise

import numpy as np
import pytest
from robot import GUIDE_SIZE, Robot, image, pixels_of, stamp_of, values_of
from simulated_time import SECOND, SimulatedClock, simulated_node

pytestmark = pytest.mark.ros
FRAME = 10**8
SLOW_SIZES = (144, 160), (288, 320)  # of a pair that takes a second or more
TEXTURE = np.random.default_rng(0).integers(20, 180, (*SLOW_SIZES[1], 3))
STEP, LEVELS = 10, 6  # of grey, by which guides are told apart


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with simulated_node(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture(scope="module")
def peer(node):
    with Robot(node.domain, listens_to=("status", "guide_aligned")) as robot:
        robot.clock = SimulatedClock(robot)
        robot.now = 1000 * SECOND
        yield robot.meet()


@pytest.fixture
def robot(peer):
    """An hour after the last test, by the stamps."""
    peer.now += 3600 * SECOND
    begin = {name: len(came) for name, came in peer.came.items()}
    exchange(peer)
    yield peer
    exchange(peer)
    statuses = peer.came["status"][begin["status"] :]
    for one, other in pairwise(statuses):
        assert one.resets < other.resets or stamp_of(one) < stamp_of(other)
    for aligned in peer.came["guide_aligned"][begin["guide_aligned"] :]:
        assert pixels_of(aligned).mean() == pytest.approx(TEXTURE.mean() + brighter(stamp_of(aligned)), abs=4)


def test_while_one_stream_is_silent_nothing_is_published_and_its_images_are_counted(robot):
    before = exchange(robot)
    alone = [send(robot, "source", later(robot)) for _ in range(30)]
    after = exchange(robot)
    assert not any(robot.find(stamp) for stamp in alone)
    assert after.warm and after.resets == before.resets
    lonely = after.sources_received - before.sources_received - 1
    assert lonely - 10 <= after.dropped_unpaired - before.dropped_unpaired <= lonely
    assert after.pairs == before.pairs + 1


def test_after_both_streams_were_silent_the_next_pair_goes_on(robot):
    before = exchange(robot)
    robot.now += 600 * SECOND
    after = exchange(robot)
    assert after.warm
    assert (after.resets, after.pairs) == (before.resets, before.pairs + 1)


def test_streams_five_seconds_apart_give_no_pair_and_are_counted(robot):
    before = exchange(robot)
    for _ in range(30):
        stamp = later(robot)
        send(robot, "source", stamp)
        send(robot, "guide", stamp + 5 * SECOND)
    robot.now += 60 * SECOND
    after = exchange(robot)
    assert (after.pairs, after.processed) == (before.pairs + 1, before.processed + 1)
    came = after.sources_received + after.guides_received - before.sources_received - before.guides_received
    assert came - 2 - 20 <= after.dropped_unpaired - before.dropped_unpaired <= came - 2


def test_images_without_a_stamp_are_left_out_and_told(robot, node):
    before = exchange(robot)
    for role in ("source", "guide"):
        send(robot, role, 0)
    node.wait_until_it_says("stamp 0.000000000, expected when it was taken")
    after = exchange(robot)
    assert robot.find(0) is None
    assert after.dropped_rejected == before.dropped_rejected + 2
    assert after.resets == before.resets


def test_a_stamp_of_the_future_is_the_last_of_its_generation(robot):
    ahead = robot.now + 86400 * SECOND
    present, robot.now = robot.now, ahead
    of_the_future = exchange(robot)
    send(robot, "source", robot.now + FRAME)  # waits for a partner of that day
    robot.now = present
    after = exchange(robot)
    assert of_the_future.latency_seconds < -80_000 or np.isnan(of_the_future.latency_seconds)
    assert not after.warm and after.resets > of_the_future.resets
    assert "stamps went back by 86" in after.reset_reason


def test_each_round_of_a_bag_that_is_played_over_and_over_starts_anew(robot):
    begin, resets = robot.now, []
    for _ in range(3):
        robot.now = begin
        resets += [exchange(robot).resets for _ in range(3)]
    assert resets[2] < resets[3] == resets[5] < resets[6] == resets[8]


def test_of_pairs_that_come_again_or_late_one_is_published(robot):
    first = later(robot)
    late = first - 5_000_000
    for stamp in (first, first, late, first):
        for role in ("source", "guide"):
            send(robot, role, stamp)
    robot.result(first)  # or the next pair may take its place while it waits
    exchange(robot)
    assert [stamp_of(one) for one in robot.came["status"][-2:]] == [first, robot.now]
    assert robot.find(late) is None
    robot.report("processing", taken_already)  # how many, the order decides in which they reach the node


def test_what_was_in_work_when_the_clock_jumped_back_is_thrown_away(robot):
    robot.clock.set(robot.now)
    exchange(robot)
    before = exchange(robot)
    in_work = occupy(robot)
    robot.clock.set(robot.now - 60 * SECOND)
    after = exchange(robot)  # stamps go on as before: it is the clock that jumped
    assert robot.find(in_work) is None
    assert after.dropped_stale > before.dropped_stale
    assert after.reset_reason.startswith(("the clock jumped by -60.", "source changed", "guide changed"))


def later(robot):
    robot.now += FRAME
    return robot.now


def brighter(stamp):
    """By how much the guide of that stamp is brighter than the texture: those of neighbours differ."""
    return STEP * (stamp // FRAME % LEVELS)


def send(robot, role, stamp, sizes=(None, GUIDE_SIZE)):
    if role == "source":
        message = robot.source(size=sizes[0]) if sizes[0] else robot.source()
    else:
        height, width = sizes[1]
        message = image((TEXTURE[:height, :width] + brighter(stamp)).astype(np.uint8), "rgb8")
    robot.send(role, message, stamp)
    return stamp


def exchange(robot):
    """Sends the next pair; its status, once its guide has come back too."""
    stamp = later(robot)
    begin = {name: len(robot.came[name]) for name in ("guide_aligned", "status")}
    for role in ("source", "guide"):
        send(robot, role, stamp)

    def come(name):
        return next((one for one in robot.came[name][begin[name] :] if stamp_of(one) == stamp), None)

    return robot.wait_for(lambda: come("guide_aligned") and come("status"), f"the result of {stamp}")


def occupy(robot):
    """Stamp of a pair that is in work, and of which no result has come."""
    for _ in range(20):
        stamp = later(robot)
        for role in ("source", "guide"):
            send(robot, role, stamp, SLOW_SIZES)
        try:
            robot.report("processing", lambda status: float(values_of(status)["busy (s)"]) > 0.1, 2.0)
        except AssertionError:
            continue
        if robot.find(stamp) is None:
            return stamp
    raise AssertionError("no pair was seen in work")


def taken_already(status):
    return int(values_of(status)["dropped: that stamp or a later one taken already"])
