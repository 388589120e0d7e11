"""How long a job may take, and how long it may say nothing, before it is said to be late, or to hang."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable

FIRST_SECONDS = 30.0  # the first job of its kind has to load and allocate what the next ones find
LEAST_SECONDS = 5.0
RECENT = 30  # jobs whose silences are remembered


class Patience:
    """Follows one job at a time by its signs of life: it asks at each iteration whether to stop.

    A job is late when it has taken its budget, and the longest silence of the recent jobs (its last iteration and
    what comes after it). It hangs when there was no sign of life for twice that silence, LEAST_SECONDS at least:
    budget or not, what goes on working does not hang, and on a slow machine everything takes longer. Of another kind
    of job, larger images for instance, the recent ones tell nothing.
    """

    def __init__(self) -> None:
        self._silences: deque[float] = deque(maxlen=RECENT)
        self._job: tuple[float, float] | None = None  # begin, budget
        self._kind: Hashable = None
        self._sign = self._silence = 0.0

    def begin(self, budget_seconds: float, kind: Hashable = None) -> None:
        """A job is taken in hand; 0: it has no budget."""
        if kind != self._kind:
            self._silences.clear()
            self._kind = kind
        self._sign, self._silence = time.monotonic(), 0.0
        self._job = self._sign, budget_seconds

    def sign_of_life(self) -> None:
        now = time.monotonic()
        self._silence, self._sign = max(self._silence, now - self._sign), now

    def end(self) -> None:
        """The job is done, or given up."""
        self.sign_of_life()
        # What was given up may have hung, or only have been slow: it allows the next twice as much, not as it took.
        self._silences.append(min(self._silence, self.silence_seconds))
        self._job = None

    def left(self) -> Patience:
        """For the next one, when the job in work is left to itself: it has learned from this one's silence."""
        other = Patience()
        other._kind = self._kind
        other._silences.extend([*self._silences, min(self.silent_seconds, self.silence_seconds)])
        return other

    @property
    def busy_seconds(self) -> float:
        """For how long the job has been worked at; 0 when there is none."""
        job = self._job
        return 0.0 if job is None else time.monotonic() - job[0]

    @property
    def silent_seconds(self) -> float:
        """Since the job's last sign of life; 0 when there is none."""
        return 0.0 if self._job is None else time.monotonic() - self._sign

    @property
    def deadline_seconds(self) -> float:
        """How long the job in work may be busy: its budget and a silence; without a budget until it hangs."""
        job = self._job
        if job is None:
            return 0.0
        begin, budget = job
        return budget + self._longest if budget else self._sign - begin + self.silence_seconds

    @property
    def silence_seconds(self) -> float:
        """Without a sign of life for so long, a job hangs."""
        return max(LEAST_SECONDS, 2 * self._longest) if self._silences else FIRST_SECONDS

    @property
    def late(self) -> bool:
        return bool(self._silences) and self.busy_seconds > self.deadline_seconds

    @property
    def hangs(self) -> bool:
        return self.silent_seconds > self.silence_seconds

    @property
    def _longest(self) -> float:
        return max(self._silences, default=0.0)
