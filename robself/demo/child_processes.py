"""Programs that are started together and end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

from robself.errors import RobSelfError

PATIENCE_SECONDS = 5.0  # between asking a child to end and killing it
POLL_SECONDS = 0.1
TAIL_LINES = 15


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

    def start(self, name: str, log: Path, module: str, *arguments: str, tells: bool = True) -> int:
        """`python -m module arguments…`, its stderr in `log`, and its stdout too unless it `tells` events; its id."""
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
        return child.pid

    def next_event(self, seconds: float) -> Event | None:
        """What a child tells next; None when nothing came in time.

        Raises:
            RobSelfError: a child has ended on its own.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._check()
            with suppress(Empty):
                return self._events.get(timeout=POLL_SECONDS)
            if time.monotonic() > deadline:
                return None

    def stop(self, name: str) -> None:
        """Ends a child by SIGINT.

        Raises:
            RobSelfError: it did not end well.
        """
        child = self._children.pop(name)
        _signal(child, signal.SIGINT)
        if code := _wait(child):
            raise self._failure(name, code)

    def tails(self) -> str:
        """The last lines of every log."""
        return "\n".join(line for name in self._logs for line in (f"{name}:", *self._lines(name)))

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
                raise self._failure(name, code)

    def _failure(self, name: str, code: int) -> RobSelfError:
        said = self._lines(name)[-1:] or ["it said nothing"]
        return RobSelfError(f"the {name} ended with exit code {code}: {said[0]}")

    def _lines(self, name: str) -> list[str]:
        return self._logs[name].read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP leave the block as Ctrl-C does, so that no child is left; exit code 128 + number."""

    def leave(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
