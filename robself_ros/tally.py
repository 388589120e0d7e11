"""What the node has counted since it was activated; the executor's and the worker's threads both count."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field, replace

RECENT = 100  # results that the percentiles are of


@dataclass
class Counts:
    """Counts, and the latest of what is not a number.

    Every pair ends as one of: processed, replaced, stale, failed, unwatched, repeated, or rejected.

    Attributes:
        replaced: gave way to a newer pair while waiting. stale: thrown away by a reset, a jump or a stop.
        failed: raised an error. unwatched: not computed, for nobody subscribed. repeated: its stamp, or a
            later one, had been taken already. rejected: unusable images (or pairs) by cause. lost: images that the
            middleware says it lost. exhausted: of the processed ones, those that were only enlarged for want
            of memory. hung: given up while in work; stale if they ever end. restarts: of the worker's thread.
    """

    processed: int = 0
    fallbacks: int = 0
    replaced: int = 0
    stale: int = 0
    failed: int = 0
    unwatched: int = 0
    repeated: int = 0
    lost: int = 0
    exhausted: int = 0
    hung: int = 0
    restarts: int = 0
    resets: int = 0
    reset_reason: str = ""
    last_failure: str = ""
    last_rejection: str = ""
    rejected: Counter[str] = field(default_factory=Counter)


class Tally:
    """`Counts` under a lock, and how long the recent results took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()
        self._latencies: deque[float] = deque(maxlen=RECENT)
        self._processing: deque[float] = deque(maxlen=RECENT)

    def add(self, name: str, by: int = 1) -> None:
        """One more (or several) of a count."""
        with self._lock:
            setattr(self._counts, name, getattr(self._counts, name) + by)

    def reject(self, cause: str, why: str) -> None:
        """One more image or pair that cannot be used."""
        with self._lock:
            self._counts.rejected[cause] += 1
            self._counts.last_rejection = f"{cause}: {why}"

    def reset(self, reason: str) -> None:
        """One more reset."""
        with self._lock:
            self._counts.resets += 1
            self._counts.reset_reason = reason

    def fail(self, error: str) -> None:
        """One more pair whose processing raised."""
        with self._lock:
            self._counts.failed += 1
            self._counts.last_failure = error

    def exhaust(self, why: str) -> None:
        """One more result that is only enlarged, for want of memory; it counts as done, too."""
        with self._lock:
            self._counts.exhausted += 1
            self._counts.last_failure = why

    def done(self, fallback: bool, processing_seconds: float, latency_seconds: float) -> None:
        """One more published result."""
        with self._lock:
            self._counts.processed += 1
            self._counts.fallbacks += fallback
            self._processing.append(processing_seconds)
            self._latencies.append(latency_seconds)

    @property
    def counts(self) -> Counts:
        """A copy of the counts."""
        with self._lock:
            return replace(self._counts, rejected=Counter(self._counts.rejected))

    @property
    def durations(self) -> tuple[list[float], list[float]]:
        """Latency and processing seconds of the recent results."""
        with self._lock:
            return list(self._latencies), list(self._processing)
