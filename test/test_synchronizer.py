"""Images in, pairs out: what is dropped, what starts anew, and what is counted."""

import numpy as np
import pytest
from robot import image

from robself.pairing import ApproximateTimePairer
from robself_ros.conversions import guide_encodings, source_encodings
from robself_ros.synchronizer import Synchronizer
from robself_ros.tally import Tally

MILLISECOND, SLOP_SECONDS = 10**6, 0.010
BEGIN = 10**12
PIXELS = np.ones((2, 3), np.uint16)


class Recorded:
    """A synchronizer with everything that it tells; `takes` says whether pairs are computed."""

    def __init__(self):
        self.tally, self.pairs, self.breaks, self.rejections = Tally(), [], [], []
        self.takes = True
        self.synchronizer = Synchronizer(
            ApproximateTimePairer(SLOP_SECONDS, 5),
            SLOP_SECONDS,
            source_encodings("depth"),
            guide_encodings(),
            self.tally,
            self._on_pair,
            self.breaks.append,
            lambda role, rejected: self.rejections.append((role, rejected.cause)),
        )

    def source(self, milliseconds, frame_id="depth", pixels=PIXELS, **fields):
        encoding = "32FC1" if pixels.dtype == np.float32 else "16UC1"
        self._give(
            self.synchronizer.source, image(pixels, encoding, frame_id=frame_id, **fields), milliseconds
        )

    def guide(self, milliseconds, **fields):
        message = image(np.ones((4, 6, 3), np.uint8), "rgb8", frame_id="rgb", **fields)
        self._give(self.synchronizer.guide, message, milliseconds)

    def pair(self, milliseconds, **fields):
        self.source(milliseconds, **fields)
        self.guide(milliseconds)

    @property
    def paired(self):
        """Milliseconds of the pairs' sources."""
        return [(stamp - BEGIN) / MILLISECOND for stamp in self.pairs]

    def _on_pair(self, source, guide):
        if self.takes:
            self.pairs.append(source.header.stamp.sec * 10**9 + source.header.stamp.nanosec)
        return self.takes

    @staticmethod
    def _give(take, message, milliseconds):
        stamp = BEGIN + round(milliseconds * MILLISECOND)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
        take(message)


@pytest.fixture
def recorded():
    return Recorded()


def test_images_of_about_one_time_are_a_pair(recorded):
    recorded.source(0)
    recorded.guide(4)
    recorded.guide(96)
    recorded.source(100)
    assert recorded.paired == [0, 100]
    assert recorded.breaks == []


def test_every_image_is_counted_as_received(recorded):
    recorded.source(0)
    recorded.source(20, step=1)
    recorded.guide(0)
    source, guide = recorded.synchronizer.inputs
    assert (source.received, guide.received) == (2, 1)


def test_a_malformed_image_is_counted_told_and_not_paired(recorded):
    recorded.source(0, step=1)
    recorded.guide(0)
    assert recorded.pairs == []
    assert recorded.rejections == [("source", "step")]
    assert recorded.tally.counts.rejected == {"source step": 1}


def test_a_second_pair_of_one_stamp_is_not_computed(recorded):
    recorded.pair(0)
    recorded.pair(0)
    assert recorded.paired == [0]
    assert recorded.tally.counts.repeated == 1


def test_a_pair_that_is_late_by_less_than_the_slop_is_not_computed(recorded):
    for milliseconds in (10, 4, 10, 20):
        recorded.pair(milliseconds)
    assert recorded.paired == [10, 20]
    assert recorded.tally.counts.repeated == 2
    assert recorded.breaks == []


@pytest.mark.parametrize("role", ["source", "guide"])
@pytest.mark.parametrize("stamp", [0, -(10**9)])
def test_an_image_that_does_not_say_when_it_was_taken_is_left_out(recorded, role, stamp):
    one, other = (recorded.source, recorded.guide)[:: 1 if role == "source" else -1]
    other(100)
    one((stamp - BEGIN) / MILLISECOND)
    one(100)
    assert recorded.rejections == [(role, "stamp")]
    assert recorded.tally.counts.rejected == {f"{role} stamp": 1}
    assert (recorded.paired, recorded.breaks) == ([100], [])


def test_a_stamp_that_nobody_took_may_come_again(recorded):
    recorded.takes = False
    recorded.pair(0)
    recorded.takes = True
    recorded.pair(0)
    assert recorded.paired == [0]
    assert recorded.tally.counts.repeated == 0


def test_stamps_that_go_back_by_no_more_than_the_slop_are_no_jump(recorded):
    recorded.source(10)
    recorded.source(0)
    assert recorded.breaks == []


@pytest.mark.parametrize("role", ["source", "guide"])
def test_stamps_that_go_back_by_more_drop_what_waits_and_start_anew(recorded, role):
    one, other = recorded.source, recorded.guide
    if role == "guide":
        one, other = other, one
    one(1000)
    one(500)
    assert recorded.breaks == [f"{role} stamps went back by 0.500 s"]
    other(1000)  # its partner has been dropped
    assert recorded.pairs == []


def test_a_recording_that_starts_over_is_paired_again(recorded):
    for milliseconds in (0, 100, 200, 0, 100):
        recorded.pair(milliseconds)
    assert recorded.paired == [0, 100, 200, 0, 100]
    assert len(recorded.breaks) == 1


@pytest.mark.parametrize(
    "change, told",
    [
        ({"pixels": np.ones((3, 3), np.uint16)}, "source changed: height from 2 to 3"),
        ({"pixels": np.ones((2, 4), np.uint16)}, "source changed: width from 3 to 4"),
        ({"pixels": np.ones((2, 3), np.float32)}, "source changed: encoding from '16UC1' to '32FC1'"),
        ({"frame_id": "colour"}, "source changed: frame_id from 'depth' to 'colour'"),
    ],
)
def test_images_that_look_different_start_anew(recorded, change, told):
    recorded.pair(0)
    recorded.pair(100, **change)
    assert recorded.breaks == [told]
    assert recorded.paired == [0, 100]


def test_what_looked_different_is_not_paired_with_what_comes_now(recorded):
    recorded.source(0)
    recorded.source(3, frame_id="colour")
    recorded.guide(0)
    assert recorded.pairs == []
    assert recorded.tally.counts.stale == 1


def test_a_reset_drops_what_waits_and_expects_any_stamp(recorded):
    recorded.source(1000)
    recorded.synchronizer.reset()
    recorded.guide(1000)
    assert recorded.pairs == []
    recorded.source(0)
    assert recorded.breaks == []
    assert recorded.synchronizer.pairing.dropped_sources == 1
