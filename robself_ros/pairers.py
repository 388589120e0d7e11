"""What pairs in the node: ROS's own `message_filters` where there is one, `robself.pairing` otherwise."""

from __future__ import annotations

from typing import Protocol

from sensor_msgs.msg import Image

from robself.pairing import NANOSECONDS, ApproximateTimePairer, PairingCounts
from robself_ros.conversions import stamp_ns


class Pairer(Protocol):
    """Takes images one by one and gives the pair that an image completes."""

    @property
    def counts(self) -> PairingCounts: ...
    def add_source(self, stamp_ns: int, item: Image) -> tuple[Image, Image] | None: ...
    def add_guide(self, stamp_ns: int, item: Image) -> tuple[Image, Image] | None: ...
    def reset(self) -> None: ...


def make_pairer(slop_seconds: float, queue_size: int) -> Pairer:
    """`message_filters` where ROS has it, the project's own pairing otherwise: both give the same pairs."""
    try:
        return MessageFiltersPairer(slop_seconds, queue_size)
    except ImportError:
        return ApproximateTimePairer(slop_seconds, queue_size)


class MessageFiltersPairer:
    """ROS's own ApproximateTimeSynchronizer, with the interface and the counts of `ApproximateTimePairer`."""

    def __init__(self, slop_seconds: float, queue_size: int) -> None:
        self._slop, self._queue_size = slop_seconds, queue_size
        self._totals = PairingCounts()
        self._matched: tuple[Image, Image] | None = None
        self._connect()

    @property
    def counts(self) -> PairingCounts:
        """What left the queues without a partner is what came, less pairs and less what waits."""
        totals = self._totals
        waiting_sources, waiting_guides = map(len, self._synchronizer.queues)
        return PairingCounts(
            totals.sources,
            totals.guides,
            totals.pairs,
            totals.sources - totals.pairs - waiting_sources,
            totals.guides - totals.pairs - waiting_guides,
            totals.last_dt_seconds,
        )

    def add_source(self, stamp_ns: int, item: Image) -> tuple[Image, Image] | None:
        """A source has come: the pair that it completes, if it does."""
        self._totals.sources += 1
        return self._add(0, item)

    def add_guide(self, stamp_ns: int, item: Image) -> tuple[Image, Image] | None:
        """A guide has come: the pair that it completes, if it does."""
        self._totals.guides += 1
        return self._add(1, item)

    def reset(self) -> None:
        """A new synchronizer: it has no way to forget."""
        self._connect()

    def _connect(self) -> None:
        import message_filters

        self._filters = [message_filters.SimpleFilter(), message_filters.SimpleFilter()]
        self._synchronizer = message_filters.ApproximateTimeSynchronizer(
            self._filters, self._queue_size, self._slop
        )
        # It holds its lock while it calls: the pair is only put aside.
        self._synchronizer.registerCallback(lambda *pair: setattr(self, "_matched", pair))

    def _add(self, which: int, item: Image) -> tuple[Image, Image] | None:
        self._matched = None
        self._filters[which].signalMessage(item)
        if self._matched is not None:
            source, guide = self._matched
            self._totals.pairs += 1
            self._totals.last_dt_seconds = (stamp_ns(source.header) - stamp_ns(guide.header)) / NANOSECONDS
        return self._matched
