"""Image messages in, pairs of them out: checked, paired by stamp, with jumps and changes noticed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from sensor_msgs.msg import Image

from robself.pairing import NANOSECONDS, PairingCounts
from robself_ros.conversions import Rejected, check_image, check_stamp, stamp_ns
from robself_ros.pairers import Pairer
from robself_ros.tally import Tally


class Looks(NamedTuple):
    """What must not change without starting anew."""

    frame_id: str
    encoding: str
    width: int
    height: int


@dataclass
class Input:
    """One of the two streams."""

    role: str
    encodings: Collection[str]
    received: int = 0
    stamp: int | None = None
    looks: Looks | None = None
    last_arrival: float = field(default_factory=time.monotonic)  # steady: sim time may stand still


class Synchronizer:
    """Takes every image as it comes, in one thread; nothing here looks at pixels.

    Args:
        slop_seconds: stamps that go back by no more than this are no jump.
        on_pair: takes a pair of messages, and says whether it will be computed.
        on_break: told why what came before does not belong to what comes now.
        on_rejected: told of the input's role and what is wrong.
    """

    def __init__(
        self,
        pairer: Pairer,
        slop_seconds: float,
        source_encodings: Collection[str],
        guide_encodings: Collection[str],
        tally: Tally,
        on_pair: Callable[[Image, Image], bool],
        on_break: Callable[[str], None],
        on_rejected: Callable[[str, Rejected], None],
    ) -> None:
        self._pairer, self._slop = pairer, int(slop_seconds * NANOSECONDS)
        self._source = Input("source", source_encodings)
        self._guide = Input("guide", guide_encodings)
        self._tally, self._on_pair = tally, on_pair
        self._on_break, self._on_rejected = on_break, on_rejected
        self._last_taken = 0

    @property
    def inputs(self) -> tuple[Input, Input]:
        """Source and guide."""
        return self._source, self._guide

    @property
    def pairing(self) -> PairingCounts:
        """What was paired and what found no partner."""
        return self._pairer.counts

    def source(self, image: Image) -> None:
        """A source has come."""
        self._take(self._source, image, self._pairer.add_source)

    def guide(self, image: Image) -> None:
        """A guide has come."""
        self._take(self._guide, image, self._pairer.add_guide)

    def begin(self) -> None:
        """Images are to come from now on: until now, silence meant nothing."""
        for one in self.inputs:
            one.last_arrival = time.monotonic()

    def reset(self) -> None:
        """Drop what waits for a partner, and expect any stamp."""
        self._pairer.reset()
        self._last_taken = 0
        for one in self.inputs:
            one.stamp = None

    def _take(
        self, one: Input, image: Image, add: Callable[[int, Image], tuple[Image, Image] | None]
    ) -> None:
        one.received += 1
        one.last_arrival = time.monotonic()
        try:
            check_image(image, one.encodings)
            check_stamp(image.header)
        except Rejected as rejected:
            self._tally.reject(f"{one.role} {rejected.cause}", str(rejected))
            self._on_rejected(one.role, rejected)
            return
        stamp = stamp_ns(image.header)
        looks = _looks(image)
        if one.stamp is not None and stamp < one.stamp - self._slop:
            reason = f"{one.role} stamps went back by {(one.stamp - stamp) / NANOSECONDS:.3f} s"
            self.reset()
            self._on_break(reason)
        elif one.looks is not None and looks != one.looks:
            self._on_break(f"{one.role} changed: {_difference(one.looks, looks)}")
        one.stamp = stamp if one.stamp is None else max(stamp, one.stamp)
        one.looks = looks
        if pair := add(stamp, image):
            self._submit(*pair)

    def _submit(self, source: Image, guide: Image) -> None:
        stamp = stamp_ns(source.header)
        if (_looks(source), _looks(guide)) != (self._source.looks, self._guide.looks):  # of before a change
            self._tally.add("stale")
        elif stamp <= self._last_taken:  # again, or late by no more than the slop
            self._tally.add("repeated")
        elif self._on_pair(source, guide):
            self._last_taken = stamp


def _difference(old: Looks, new: Looks) -> str:
    return ", ".join(
        f"{name} from {before!r} to {now!r}"
        for name, before, now in zip(Looks._fields, old, new, strict=True)
        if before != now
    )


def _looks(image: Image) -> Looks:
    return Looks(image.header.frame_id, image.encoding, image.width, image.height)
