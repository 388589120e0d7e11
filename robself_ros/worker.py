"""The one thread that computes: newest job wins, and what the past has ordered is thrown away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

from robself.errors import InputError, Interrupted
from robself_ros.conversions import Rejected
from robself_ros.tally import Tally

Job = TypeVar("Job")
Product = TypeVar("Product")


class Worker(Generic[Job, Product]):
    """Works off a mailbox of one slot.

    Args:
        process: what is done to a job, with a function to ask whether to stop; called by the thread alone.
        deliver: takes a product that is still wanted. It runs under a lock that `discard` waits for, so
            that after `discard` nothing of the past is delivered.
        forget: called before the first job after each `discard`.
        report: takes the message and the error of a job that could not be done.
        surroundings: what the thread works in, a CUDA stream for instance.
    """

    def __init__(
        self,
        process: Callable[[Job, Callable[[], bool]], Product],
        deliver: Callable[[Product], None],
        forget: Callable[[], None],
        report: Callable[[str, Exception], None],
        tally: Tally,
        surroundings: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self._process, self._deliver, self._forget, self._report = process, deliver, forget, report
        self._tally, self._surroundings = tally, surroundings
        self._changed = threading.Condition()
        self._delivering = threading.Lock()
        self._waiting: Job | None = None
        self._generation = 0
        self._begun: float | None = None
        self._stopping = False
        # A daemon: a process that exits need not wait for an iteration that takes long.
        self._thread = threading.Thread(target=self._run, name="robself_worker", daemon=True)

    @property
    def busy_seconds(self) -> float:
        """For how long the job in work has been worked at; 0 when there is none."""
        begun = self._begun
        return 0.0 if begun is None else time.monotonic() - begun

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put a job into the mailbox, in the place of one that still waits there."""
        with self._changed:
            if self._waiting is not None:
                self._tally.add("replaced")
            self._waiting = job
            self._changed.notify()

    def discard(self) -> None:
        """Throw away the waiting job, and the one in work with its product."""
        with self._delivering, self._changed:
            self._generation += 1
            self._drop_waiting()

    def stop(self, timeout_seconds: float) -> bool:
        """Discard, and end the thread; whether it ended in time. Called twice, it waits again."""
        with self._changed:
            self._stopping = True
            self._drop_waiting()
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _drop_waiting(self) -> None:
        if self._waiting is not None:
            self._tally.add("stale")
            self._waiting = None

    def _run(self) -> None:
        known = self._generation
        with self._surroundings():
            while (taken := self._take()) is not None:
                job, generation = taken
                if generation != known:
                    known = generation
                    self._forget()
                self._begun = time.monotonic()
                self._work(job, generation)
                self._begun = None

    def _take(self) -> tuple[Job, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._waiting is not None)
            if self._stopping:
                return None
            job, self._waiting = self._waiting, None
            return job, self._generation

    def _work(self, job: Job, generation: int) -> None:
        def unwanted() -> bool:
            return self._stopping or generation != self._generation

        try:
            product = self._process(job, unwanted)
            with self._delivering:
                if unwanted():
                    self._tally.add("stale")
                else:
                    self._deliver(product)
        except Interrupted:
            self._tally.add("stale")
        except InputError as error:
            self._tally.reject(error.cause if isinstance(error, Rejected) else "content", str(error))
            self._report("a pair was left out", error)
        except Exception as error:  # whatever it is, the next pair may do
            if unwanted():  # publishers that a shutdown took away, for instance
                self._tally.add("stale")
                return
            self._tally.fail(f"{type(error).__name__}: {error}")
            self._report("a pair could not be processed", error)
