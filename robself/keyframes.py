"""When a pair becomes a keyframe: optimised, not only looked at."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field

from robself.pair import Pair


class KeyframeConfig(BaseModel):
    """The first pair, and the first after a reset, is always a keyframe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_n: int = Field(1, ge=0, description="every n-th pair is a keyframe; 0: none by count")
    interval_seconds: float = Field(
        0.0, ge=0, description="a keyframe at the latest so long after the last; 0: off"
    )
    consistency_ratio: float = Field(
        0.0,
        ge=0,
        description="a keyframe after a tracked pair that is explained worse, against its bicubic enlargement, than "
        "the first one tracked since the last keyframe, by this factor; 0: off",
    )


class KeyframePolicy:
    """Decides by count, by time between stamps, and by how well tracking explained the last pair."""

    def __init__(self, config: KeyframeConfig = KeyframeConfig()) -> None:
        self.config = config
        self.reset()

    def reset(self) -> None:
        """The next pair is a keyframe."""
        self._since: int | None = None
        self._stamp: int | None = None
        self._reference = math.inf
        self._latest = 0.0

    def due(self, pair: Pair) -> bool:
        """Whether this pair shall be a keyframe."""
        if self._since is None:
            return True
        every_n, ratio = self.config.every_n, self.config.consistency_ratio
        by_count = bool(every_n) and self._since + 1 >= every_n
        return by_count or self._overdue(pair) or (bool(ratio) and self._latest > ratio * self._reference)

    def _overdue(self, pair: Pair) -> bool:
        interval = self.config.interval_seconds * 1e9
        if not interval or pair.stamp is None or self._stamp is None:
            return False
        return abs(pair.stamp - self._stamp) >= interval  # a recording that starts over takes time back

    def keyframe_done(self, pair: Pair) -> None:
        """A pair was optimised. How well that explains it says nothing of the next: a cold one does several times
        better."""
        self._since, self._stamp, self._reference = 0, pair.stamp, math.inf

    def tracked(self, inconsistency: float) -> None:
        """A pair was tracked, and explained so badly: its `consistency_after` over `consistency_bicubic`."""
        self._since += 1
        self._latest = inconsistency
        if self._reference == math.inf:
            self._reference = inconsistency
