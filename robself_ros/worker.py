"""The one thread that computes: newest job wins, and what the past has ordered is thrown away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

from robself.errors import InputError, Interrupted
from robself_ros.conversions import Rejected
from robself_ros.patience import Patience
from robself_ros.tally import Tally

MOST_LEFT = 2  # threads that hang, each with its model in memory

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
        seconds: what the next job may take; 0: it has no budget.
        renew: called when a thread that hangs is left to itself, with all that it works on: what the above work
            on from then on is to be something else.
        release: gives back what the thread worked on, once it has ended for good, however late.
        kind: what jobs have in common that take about as long.

    Attributes:
        patience: how long the job in work has been worked at, and whether that is too long.
        ended: why the last thread was followed by another.
    """

    def __init__(
        self,
        process: Callable[[Job, Callable[[], bool]], Product],
        deliver: Callable[[Product], None],
        forget: Callable[[], None],
        report: Callable[[str, BaseException], None],
        tally: Tally,
        surroundings: Callable[[], AbstractContextManager] = nullcontext,
        seconds: Callable[[], float] = lambda: 0.0,
        renew: Callable[[], None] = lambda: None,
        release: Callable[[], None] = lambda: None,
        kind: Callable[[Job], Hashable] = lambda job: None,
    ) -> None:
        self._process, self._deliver, self._forget, self._report = process, deliver, forget, report
        self._tally, self._surroundings, self._seconds = tally, surroundings, seconds
        self._renew, self._release, self._kind = renew, release, kind
        self.patience = Patience()
        self.ended = ""
        self._changed = threading.Condition()
        self._delivering = threading.Lock()
        self._waiting: Job | None = None
        self._generation = self._known = 0
        self._left: list[threading.Thread] = []  # that hung
        self._given_up = False  # the job in work
        self._error: BaseException | None = None
        self._stopping = False
        self._thread = self._new_thread()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def check(self) -> None:
        """To be called now and then: follows a thread that hangs or has ended by another.

        Nothing that such a thread still gives is delivered, and what it had learned is forgotten. A thread cannot
        be killed: while MOST_LEFT of them hang, the next one that does is not followed, and only its job given up.
        """
        with self._changed:
            hangs = self.patience.hangs and not self._given_up
            dead = self._is_dead
            if self._stopping or not (hangs or dead):
                return
            self._generation += 1
            if dead:
                self._follow_dead()
            else:
                self._give_up()

    def _follow_dead(self) -> None:
        error = self._error or RuntimeError("it ended without an error")
        self.ended = f"the thread ended: {type(error).__name__}: {error}".removesuffix(": ")
        if self.patience.busy_seconds:
            self.patience.end()
            self._tally.fail(f"the worker's {self.ended}")
        self._report("the worker's thread ended, and another was started", error)
        self._error = None
        self._follow()

    def _give_up(self) -> None:
        self._given_up = True
        self._tally.add("hung")
        self._left = [thread for thread in self._left if thread.is_alive()]
        if len(self._left) == MOST_LEFT:
            return
        self.ended = (
            f"no sign of life for {self.patience.silent_seconds:.1f} s, the thread was left to itself"
        )
        self._report("the worker hangs, and another was started", TimeoutError(self.ended))
        self._left.append(self._thread)
        self.patience = self.patience.left()
        self._renew()
        self._follow()

    def _follow(self) -> None:
        self._tally.add("restarts")
        self._given_up = False
        self._thread = self._new_thread()
        self._thread.start()

    def _new_thread(self) -> threading.Thread:
        # A daemon: a process that exits need not wait for an iteration that takes long.
        return threading.Thread(target=self._run, name="robself_worker", daemon=True)

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
            dead, self._stopping = self._is_dead, True
            self._drop_waiting()
            self._changed.notify()
        if dead:
            self._release()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _drop_waiting(self) -> None:
        if self._waiting is not None:
            self._tally.add("stale")
            self._waiting = None

    def _run(self) -> None:
        patience = self.patience  # one that is left to itself keeps its own
        try:
            with self._surroundings():
                while (taken := self._take()) is not None:
                    job, generation = taken
                    self._given_up = False
                    patience.begin(self._seconds(), self._kind(job))
                    if generation != self._known:
                        self._forget()
                        self._known = generation
                    self._work(job, generation, patience)
                    patience.end()
        except BaseException as error:  # ends this thread: `check` tells, and starts another
            if not self._is_left:
                self._error = error
        finally:
            if self._stopping and not self._is_left:
                self._release()

    @property
    def _is_dead(self) -> bool:
        """Whether the thread has been started, and has ended."""
        return self._thread.ident is not None and not self._thread.is_alive()

    @property
    def _is_left(self) -> bool:
        """Whether the thread that asks hung, and another has its place."""
        return threading.current_thread() is not self._thread

    def _take(self) -> tuple[Job, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._is_left or self._waiting is not None)
            if self._stopping or self._is_left:
                return None
            job, self._waiting = self._waiting, None
            return job, self._generation

    def _work(self, job: Job, generation: int, patience: Patience) -> None:
        def unwanted() -> bool:
            patience.sign_of_life()
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
