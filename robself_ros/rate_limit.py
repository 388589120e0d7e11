"""What keeps a log from saying the same thing over and over."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable

QUIET_SECONDS = 30.0


class RateLimit:
    """Allows each thing once in a while; for use by several threads.

    rclpy's own throttle goes by the line of code that logs: of two causes reported there it hides the second.
    """

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._lock = threading.Lock()
        self._allowed: dict[Hashable, float] = {}

    def allows(self, thing: Hashable) -> bool:
        """Whether to say this now: not if it was allowed lately."""
        with self._lock:
            now = time.monotonic()
            self._allowed = {
                one: then for one, then in self._allowed.items() if now - then < self._quiet_seconds
            }
            return self._allowed.setdefault(thing, now) == now
