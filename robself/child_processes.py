"""Programs that are started together and end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple

from robself.errors import RobSelfError

PATIENCE_SECONDS = 5.0  # between asking a child to end and killing it
POLL_SECONDS = 0.1
TAIL_LINES = 15


class ChildEnded(RobSelfError):
    """A child ended on its own: which one, and the last lines of its log."""

    def __init__(self, name: str, code: int, log: Path, tail: str) -> None:
        super().__init__(f"the {name} ended unexpectedly with exit code {code}, its log is {log}")
        self.name, self.tail = name, tail


class Event(NamedTuple):
    """A line of JSON that a child has told on its stdout."""

    child: str
    facts: dict[str, Any]


class ChildProcesses:
    """Python modules as child processes, none of which outlives the block.

    Ctrl-C reaches this process alone: the children are in sessions of their own, and are sent their one SIGINT
    when the block is left.

    Args:
        environment: added to this process's.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._children: dict[str, subprocess.Popen] = {}
        self._logs: dict[str, Path] = {}
        self._events: SimpleQueue[Event] = SimpleQueue()

    def start(self, name: str, log: Path, module: str, *arguments: str, tells: bool = True) -> None:
        """`python -m module arguments…`, its stderr in `log`, and its stdout too unless it `tells` events."""
        with log.open("w", encoding="utf-8") as file:
            child = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if tells else file,
                stderr=file,
                text=True,
                start_new_session=True,
            )
        self._children[name], self._logs[name] = child, log
        if tells:
            threading.Thread(target=self._listen, args=(name, child), daemon=True).start()

    def next_event(self, seconds: float) -> Event | None:
        """What a child tells next; None when nothing came in time.

        Raises:
            ChildEnded: one of the children did.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._events.get(timeout=POLL_SECONDS)
            except Empty:
                self._check()
            if time.monotonic() > deadline:
                return None

    def stop(self, name: str) -> int:
        """Ends a child by SIGINT, or by SIGKILL if that takes too long; its exit code."""
        child = self._children.pop(name)
        _signal(child, signal.SIGINT)
        return _wait(child)

    def tail(self, name: str) -> str:
        """The last lines of a child's log."""
        lines = self._logs[name].read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def __enter__(self) -> ChildProcesses:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        children, self._children = list(self._children.values()), {}
        try:
            for child in children:  # all at once, so that they end side by side
                _signal(child, signal.SIGINT)
            for child in children:
                _wait(child)
        except BaseException:  # Ctrl-C once more: no more patience
            for child in children:
                _signal(child, signal.SIGKILL)
            raise

    def _listen(self, name: str, child: subprocess.Popen) -> None:
        with child.stdout as lines:
            for line in lines:
                if line.startswith("{"):
                    self._events.put(Event(name, json.loads(line)))

    def _check(self) -> None:
        for name, child in self._children.items():
            if (code := child.poll()) is not None:
                raise ChildEnded(name, code, self._logs[name], self.tail(name))


def _signal(child: subprocess.Popen, number: int) -> None:
    """To the child and whatever it has started."""
    if child.poll() is None:
        os.killpg(child.pid, number)


def _wait(child: subprocess.Popen) -> int:
    try:
        return child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(child, signal.SIGKILL)
        return child.wait()
