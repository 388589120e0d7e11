"""Tasks done by processes of this machine."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait

from robself.evaluation.attempts import Attempts
from robself.evaluation.work import Job, Outcome, perform
from robself.kept_memory import keep_memory

# What ends this process; by the last, the command line puts the others off (`robself.cli.ending`).
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
PATIENCE_SECONDS = 10.0  # for the exit code of a process whose pipe is closed


def run_locally(
    jobs: Iterable[Job], workers: int, threads: int, say: Callable[[str], None]
) -> Iterator[Outcome]:
    """Does jobs in `workers` processes, and yields their outcomes as they come.

    A job whose process dies is tried again in a new one. No process outlives the iterator.

    Args:
        threads: of torch and OpenCV in each process.
        say: takes a line that the user should see.
    """
    attempts = Attempts(say)
    again: deque[Job] = deque()
    fresh = iter(jobs)
    crew: list[_Worker] = []
    try:
        for _ in range(workers):  # all at once: each takes seconds to import torch
            with _holding_signals():
                crew.append(_Worker(threads))
        while True:
            _hand_out(again, fresh, crew)
            busy = {worker.connection: worker for worker in crew if worker.job}
            if not busy:
                return
            for connection in wait(list(busy)):
                worker = busy[connection]
                job, outcome = worker.job, worker.receive()
                if outcome is None:
                    with _holding_signals():
                        crew[crew.index(worker)] = _Worker(threads)
                    outcome = attempts.lost(job, worker.cause_of_death())
                if outcome is None:
                    again.append(job)
                else:
                    yield attempts.counted(outcome, job.task)
    finally:
        for worker in crew:
            worker.kill()


def _hand_out(again: deque[Job], fresh: Iterator[Job], crew: list[_Worker]) -> None:
    """Gives every idle process a job, lost ones first."""
    for worker in crew:
        if not worker.job:
            job = again.popleft() if again else next(fresh, None)
            if job is None:
                return
            worker.send(job)


class _Worker:
    """A process that does one job after another; `job` is the one at hand."""

    def __init__(self, threads: int) -> None:
        self.job: Job | None = None
        context = multiprocessing.get_context("spawn")  # threads of torch do not survive a fork
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, threads), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, job: Job) -> None:
        self.job = job
        with suppress(BrokenPipeError, ConnectionResetError):  # it is dead, which `receive` will find
            self.connection.send(job)

    def receive(self) -> Outcome | None:
        """What came of the job; None: the process is dead."""
        try:
            outcome = self.connection.recv()
        except (EOFError, OSError):
            return None
        self.job = None
        return outcome

    def cause_of_death(self) -> str:
        self._process.join(PATIENCE_SECONDS)
        code = self._process.exitcode
        self.kill()
        if code is not None and code < 0:
            return f"its process was killed by {signal.Signals(-code).name}"
        return f"its process ended with code {code}"

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextmanager
def _holding_signals() -> Iterator[None]:
    """What would end this process arrives after the block: a process half started says so in a traceback.

    Ctrl-C, which a terminal sends to all, is also masked: what is started here inherits that and never sees it. For
    this process the mask is not enough, since any other thread may take the signal, and its handler is run here.
    """
    mine = threading.current_thread() is threading.main_thread()  # only there are handlers set, and run
    handlers = {number: signal.getsignal(number) for number in SIGNALS if mine}
    held: list[int] = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        for number in handlers:
            signal.signal(number, lambda number, frame: held.append(number))
        resource_tracker.ensure_running()  # a first Process.start would, and lift the mask again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in held:
            signal.raise_signal(number)


def _serve(connection: Connection, threads: int) -> None:
    """The work of a process, until the other end of the pipe is closed."""
    limit_threads(threads)
    keep_memory()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            connection.send(perform(connection.recv()))


def limit_threads(threads: int) -> None:
    """Of torch and OpenCV in this process."""
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
