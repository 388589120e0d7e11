"""A log that says a thing once in a while, however often it happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

QUIET_SECONDS = 30.0


class RateLimited:
    """Passes a line on unless one of the same key was passed on lately; for use by several threads.

    rclpy's own throttle goes by the line of code that logs: of two causes reported there it hides the second.

    Args:
        say: takes a line for the log.
    """

    def __init__(self, say: Callable[[str], None], quiet_seconds: float = QUIET_SECONDS) -> None:
        self._say, self._quiet_seconds = say, quiet_seconds
        self._lock = threading.Lock()
        self._said: dict[Hashable, float] = {}

    def __call__(self, key: Hashable, line: str) -> None:
        """Say the line, or keep quiet."""
        with self._lock:
            now = time.monotonic()
            self._said = {one: then for one, then in self._said.items() if now - then < self._quiet_seconds}
            if key in self._said:
                return
            self._said[key] = now
        self._say(line)
