"""Pairs by stamps: the same as `message_filters` finds, and every image accounted for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robself.errors import ConfigError
from robself.pairing import ApproximateTimePairer

MILLISECOND = 10**6


def pairer(slop_seconds=0.010, queue_size=3):
    return ApproximateTimePairer(slop_seconds, queue_size)


def test_stamps_within_the_slop_are_paired_whichever_comes_first():
    ours = pairer()
    assert ours.add_source(100 * MILLISECOND, "s1") is None
    assert ours.add_guide(104 * MILLISECOND, "g1") == ("s1", "g1")
    assert ours.add_guide(200 * MILLISECOND, "g2") is None
    assert ours.add_source(195 * MILLISECOND, "s2") == ("s2", "g2")


def test_a_difference_of_exactly_the_slop_is_too_much():
    ours = pairer(slop_seconds=0.010)
    ours.add_source(0, "s")
    assert ours.add_guide(10 * MILLISECOND, "g") is None
    assert ours.add_guide(10 * MILLISECOND - 1, "g") == ("s", "g")


def test_the_nearest_partner_is_taken():
    ours = pairer()
    for stamp in (0, 4, 9):
        ours.add_guide(stamp * MILLISECOND, stamp)
    assert ours.add_source(5 * MILLISECOND, "s") == ("s", 4)


def test_of_two_equally_near_the_first_to_come_is_taken():
    ours = pairer()
    ours.add_guide(6 * MILLISECOND, "first")
    ours.add_guide(2 * MILLISECOND, "second")
    assert ours.add_source(4 * MILLISECOND, "s") == ("s", "first")


def test_an_image_is_paired_once():
    ours = pairer()
    ours.add_guide(0, "g")
    assert ours.add_source(0, "s1") is not None
    assert ours.add_source(0, "s2") is None


def test_waiting_images_are_bounded_and_the_oldest_leaves():
    ours = pairer(queue_size=2)
    for stamp in (300, 100, 200):
        ours.add_source(stamp * MILLISECOND, stamp)
    assert ours.counts.dropped_sources == 1
    assert ours.add_guide(100 * MILLISECOND, "g") is None
    assert ours.add_guide(200 * MILLISECOND, "g") == (200, "g")


def test_a_second_image_of_a_stamp_replaces_the_first():
    ours = pairer()
    ours.add_source(0, "old")
    ours.add_source(0, "new")
    assert ours.counts.dropped_sources == 1
    assert ours.add_guide(0, "g") == ("new", "g")


def test_after_a_reset_nothing_old_is_paired():
    ours = pairer()
    ours.add_source(0, "s")
    ours.reset()
    assert ours.add_guide(0, "g") is None
    assert ours.counts.dropped_sources == 1


def test_the_difference_is_told_even_when_it_is_too_large_for_a_pair():
    ours = pairer()
    ours.add_source(500 * MILLISECOND, "s")
    assert ours.counts.last_dt_seconds is None
    ours.add_guide(480 * MILLISECOND, "g")
    assert (ours.counts.pairs, ours.counts.last_dt_seconds) == (0, pytest.approx(0.020))


def test_counts_are_a_copy():
    ours = pairer()
    before = ours.counts
    ours.add_source(0, "s")
    assert (before.sources, ours.counts.sources) == (0, 1)


@pytest.mark.parametrize(("slop", "size"), [(0.0, 1), (-1.0, 1), (0.1, 0)])
def test_a_slop_or_size_that_pairs_nothing_is_refused(slop, size):
    with pytest.raises(ConfigError, match="expected at least 1"):
        ApproximateTimePairer(slop, size)


# Few different stamps, so that ties, repetitions, full queues and the slop's border are common.
ARRIVALS = st.lists(st.tuples(st.sampled_from("sg"), st.integers(0, 25)), max_size=60)


@settings(max_examples=400, deadline=None)
@given(ARRIVALS, st.integers(1, 8), st.integers(1, 5))
def test_the_pairs_are_those_of_message_filters(arrivals, slop, queue_size):
    ours = ApproximateTimePairer(slop * 1e-9, queue_size)
    reference = ReferenceSynchronizer(slop, queue_size)
    for number, (kind, stamp) in enumerate(arrivals):
        found = (ours.add_source if kind == "s" else ours.add_guide)(stamp, number)
        assert found == reference.add("sg".index(kind), stamp, number)


@settings(max_examples=200, deadline=None)
@given(ARRIVALS, st.integers(1, 8), st.integers(1, 5))
def test_every_image_is_paired_or_dropped_or_waits(arrivals, slop, queue_size):
    ours = ApproximateTimePairer(slop * 1e-9, queue_size)
    for kind, stamp in arrivals:
        (ours.add_source if kind == "s" else ours.add_guide)(stamp, stamp)
    counts = ours.counts
    for kind, came, dropped in (
        ("s", counts.sources, counts.dropped_sources),
        ("g", counts.guides, counts.dropped_guides),
    ):
        assert came == sum(kind == k for k, _ in arrivals)
        assert 0 <= came - counts.pairs - dropped <= queue_size
    ours.reset()
    assert ours.counts.sources == ours.counts.pairs + ours.counts.dropped_sources
    assert ours.counts.guides == ours.counts.pairs + ours.counts.dropped_guides


class ReferenceSynchronizer:
    """What the documentation of `message_filters` says of its Python ApproximateTimeSynchronizer, literally.

    On each message: store it by its stamp; while the queue is too long, drop its lowest stamp; list the other
    queue's stamps that are no farther than the slop, nearest first; take the first of them whose distance is
    below the slop, if both messages are still there.
    """

    def __init__(self, slop: int, queue_size: int) -> None:
        self.slop, self.queue_size = slop, queue_size
        self.queues: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def add(self, which: int, stamp: int, message: int) -> tuple[int, int] | None:
        mine, other = self.queues[which], self.queues[1 - which]
        mine[stamp] = message
        while len(mine) > self.queue_size:
            del mine[min(mine)]
        candidates = [(abs(there - stamp), there) for there in other if abs(there - stamp) <= self.slop]
        for _, there in sorted(candidates, key=lambda candidate: candidate[0]):
            stamps = (stamp, there) if which == 0 else (there, stamp)
            present = all(at in queue for at, queue in zip(stamps, self.queues, strict=True))
            if max(stamps) - min(stamps) < self.slop and present:
                return self.queues[0].pop(stamps[0]), self.queues[1].pop(stamps[1])
        return None
