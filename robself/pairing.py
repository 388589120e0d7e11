"""Sources and guides paired by their stamps, as `message_filters` pairs them, with every drop counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from robself.errors import ConfigError

Source = TypeVar("Source")
Guide = TypeVar("Guide")
NANOSECONDS = 10**9


@dataclass
class PairingCounts:
    """What came in and what became of it: sources = pairs + dropped_sources + those that wait.

    Attributes:
        last_dt_seconds: source's stamp minus guide's in the last pair; before the first pair, of the nearest
            two so far; None before both kinds have come.
    """

    sources: int = 0
    guides: int = 0
    pairs: int = 0
    dropped_sources: int = 0
    dropped_guides: int = 0
    last_dt_seconds: float | None = None


class ApproximateTimePairer(Generic[Source, Guide]):
    """Gives the pairs of `message_filters.ApproximateTimeSynchronizer` (the Python one) for two inputs.

    Each image is paired when it comes, with the image of the other kind that is nearest in time, if their
    stamps differ by less than the slop (by exactly the slop is too much); of two that are equally near, with
    the one that came first. It waits for a later partner otherwise. A second image of the same stamp takes
    the place of the first.

    Args:
        slop_seconds: > 0. queue_size: how many images of a kind wait at most; the oldest stamp leaves first.

    Raises:
        ConfigError: a slop or a size that is not positive.
    """

    def __init__(self, slop_seconds: float, queue_size: int) -> None:
        # As rclpy's Duration rounds: to whole nanoseconds, towards zero.
        if not 1 <= slop_seconds * NANOSECONDS < float("inf"):
            raise ConfigError(f"slop_seconds: {slop_seconds!r}, expected at least 1e-9")
        self._slop = int(slop_seconds * NANOSECONDS)
        if queue_size < 1:
            raise ConfigError(f"queue_size: {queue_size!r}, expected at least 1")
        self._queue_size = queue_size
        self._sources: dict[int, Source] = {}
        self._guides: dict[int, Guide] = {}
        self._counts = PairingCounts()

    @property
    def counts(self) -> PairingCounts:
        """A copy of the counts so far."""
        return replace(self._counts)

    def add_source(self, stamp_ns: int, item: Source) -> tuple[Source, Guide] | None:
        """A source has come: the pair that it completes, if it does."""
        self._counts.sources += 1
        self._counts.dropped_sources += self._store(self._sources, stamp_ns, item)
        guide_stamp = self._nearest(self._guides, stamp_ns)
        return None if guide_stamp is None else self._match(stamp_ns, guide_stamp)

    def add_guide(self, stamp_ns: int, item: Guide) -> tuple[Source, Guide] | None:
        """A guide has come: the pair that it completes, if it does."""
        self._counts.guides += 1
        self._counts.dropped_guides += self._store(self._guides, stamp_ns, item)
        source_stamp = self._nearest(self._sources, stamp_ns)
        return None if source_stamp is None else self._match(source_stamp, stamp_ns)

    def reset(self) -> None:
        """Drop what waits, as after a jump in time; the counts go on."""
        self._counts.dropped_sources += len(self._sources)
        self._counts.dropped_guides += len(self._guides)
        self._sources.clear()
        self._guides.clear()

    def _store(self, queue: dict, stamp_ns: int, item: Source | Guide) -> int:
        """Lets an image wait; returns how many left for it."""
        left = int(stamp_ns in queue)
        queue[stamp_ns] = item
        while len(queue) > self._queue_size:
            del queue[min(queue)]
            left += 1
        return left

    @staticmethod
    def _nearest(queue: dict[int, object], stamp_ns: int) -> int | None:
        return min(queue, key=lambda waiting: abs(waiting - stamp_ns), default=None)

    def _match(self, source_stamp: int, guide_stamp: int) -> tuple[Source, Guide] | None:
        difference = source_stamp - guide_stamp
        # An image older than all that wait in a full queue has left it already.
        there = source_stamp in self._sources and guide_stamp in self._guides
        matched = there and abs(difference) < self._slop
        if matched or not self._counts.pairs:
            self._counts.last_dt_seconds = difference / NANOSECONDS
        if not matched:
            return None
        self._counts.pairs += 1
        return self._sources.pop(source_stamp), self._guides.pop(guide_stamp)
