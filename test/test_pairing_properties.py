"""Whatever stamps come, in whatever order: no pair is mixed, nothing is used twice or lost uncounted or piles up."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from robot import image, stamp_of

from robself.pairing import NANOSECONDS
from robself_ros.conversions import guide_encodings, source_encodings
from robself_ros.pairers import make_pairer
from robself_ros.synchronizer import Synchronizer
from robself_ros.tally import Tally

MILLISECOND, QUEUE_SIZE = 10**6, 3
SLOP = 10 * MILLISECOND
# Steps of the time, in ms: the usual, none, within the slop and beyond it, and jumps of a clock.
STEPS = st.sampled_from([33, 33, 33, 0, 1, 5, -5, 9, 10, -11, -5_000, 5_000])
KINDS = st.sampled_from(["source", "source", "guide", "guide", "both", "both", "both", "reset"])
EVENTS = st.lists(st.tuples(KINDS, STEPS), min_size=30, max_size=60)


class Stream:
    """A synchronizer, what it was given, and the generations of pairs that it gave."""

    def __init__(self, taken):
        self.tally, self.generations, self.came = Tally(), [[]], {"source": [], "guide": []}
        self._taken = iter(taken)
        self.untaken = 0
        self.synchronizer = Synchronizer(
            make_pairer(SLOP / NANOSECONDS, QUEUE_SIZE),
            SLOP / NANOSECONDS,
            source_encodings("depth"),
            guide_encodings(),
            self.tally,
            self._on_pair,
            lambda reason: self.generations.append([]),
            lambda role, rejected: None,
        )

    def give(self, role, stamp):
        encoding, pixels = ("16UC1", np.ones((1, 1), np.uint16))
        if role == "guide":
            encoding, pixels = ("rgb8", np.ones((1, 1, 3), np.uint8))
        message = image(pixels, encoding)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, NANOSECONDS)
        self.came[role].append(message)
        getattr(self.synchronizer, role)(message)

    def reset(self):
        self.synchronizer.reset()
        self.generations.append([])

    @property
    def waiting(self):
        """Sources and guides that have neither left nor found a partner."""
        counts = self.synchronizer.pairing
        return (
            counts.sources - counts.pairs - counts.dropped_sources,
            counts.guides - counts.pairs - counts.dropped_guides,
        )

    def _on_pair(self, source, guide):
        if not next(self._taken, True):
            self.untaken += 1
            return False
        self.generations[-1].append((source, guide))
        return True


@given(EVENTS, st.lists(st.booleans(), max_size=20))
def test_pairs_are_of_one_time_in_order_used_once_and_all_else_is_counted(events, taken):
    stream, now = Stream(taken), 10**12
    for kind, step in events:
        now += step * MILLISECOND
        if kind == "reset":
            stream.reset()
        for role in ("source", "guide"):
            if kind in (role, "both"):
                stream.give(role, now)
        assert all(0 <= waiting <= QUEUE_SIZE for waiting in stream.waiting)
    counts, pairs = stream.synchronizer.pairing, [pair for one in stream.generations for pair in one]
    assert all(abs(stamp_of(source) - stamp_of(guide)) < SLOP for source, guide in pairs)
    assert len({id(one) for pair in pairs for one in pair}) == 2 * len(pairs)
    for generation in stream.generations:
        stamps = [stamp_of(source) for source, _ in generation]
        assert all(one < other for one, other in pairwise(stamps))
    assert [one.received for one in stream.synchronizer.inputs] == [len(one) for one in stream.came.values()]
    assert counts.pairs == len(pairs) + stream.untaken + stream.tally.counts.repeated


@given(st.lists(st.tuples(st.sampled_from(["source", "guide"]), st.integers(-3, 0)), max_size=20))
def test_images_without_a_stamp_are_counted_and_wait_for_nobody(arrivals):
    stream = Stream([])
    for role, stamp in arrivals:
        stream.give(role, stamp)
    assert stream.tally.counts.rejected.total() == len(arrivals)
    assert stream.waiting == (0, 0) and stream.generations == [[]]
