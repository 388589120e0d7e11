"""A log that says a thing once in a while, however often it happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

QUIET_SECONDS = 30.0


class RateLimited:
    """Passes a line on unless one of the same key was passed on lately; for use by several threads.

    rclpy's own throttle counts by line of code: of two causes that one line reports it would hide the second.

    Args:
        say: takes a line for the log.
    """

    def __init__(self, say: Callable[[str], None], quiet_seconds: float = QUIET_SECONDS) -> None:
        self._say, self._quiet_seconds = say, quiet_seconds
        self._lock = threading.Lock()
        self._said: dict[Hashable, float] = {}
        self._kept: dict[Hashable, int] = {}

    def __call__(self, key: Hashable, line: str) -> None:
        """Say the line, with how many of its key were kept back since the last one."""
        with self._lock:
            now = time.monotonic()
            if now - self._said.get(key, float("-inf")) < self._quiet_seconds:
                self._kept[key] = self._kept.get(key, 0) + 1
                return
            self._said[key] = now
            kept = self._kept.pop(key, 0)
        self._say(f"{line} ({kept} more like this since the last)" if kept else line)
