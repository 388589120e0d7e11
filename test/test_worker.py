"""The thread that computes: one slot, newest wins, the past is thrown away."""

import threading
import time
from contextlib import contextmanager

import pytest

from robself.errors import InputError, Interrupted
from robself_ros.conversions import Rejected
from robself_ros.patience import FIRST_SECONDS, LEAST_SECONDS, Patience
from robself_ros.tally import Tally
from robself_ros.worker import MOST_LEFT, Worker

PATIENCE_SECONDS = 30.0


class Bench:
    """A worker whose jobs take until they are let go, or are asked to stop."""

    def __init__(self):
        self.tally = Tally()
        self.begun, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.delivered, self.forgotten, self.reported, self.threads = [], [], [], set()
        self.in_surroundings = False
        self.worker = Worker(
            self._process,
            self.delivered.append,
            lambda: self.forgotten.append(len(self.delivered)),
            lambda message, error: self.reported.append((message, error)),
            self.tally,
            self._surroundings,
        )
        self.worker.start()

    def submit(self, job):
        """And wait until it is in work."""
        self.worker.submit(job)
        assert self.begun.acquire(timeout=PATIENCE_SECONDS)

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    @contextmanager
    def _surroundings(self):
        self.in_surroundings = True
        yield
        self.in_surroundings = False

    def _process(self, job, should_stop):
        assert self.in_surroundings
        self.threads.add(threading.get_ident())
        self.begun.release()
        while not self.go.acquire(timeout=0.005):
            if should_stop():
                raise Interrupted("stopped")
        if isinstance(job, Exception):
            raise job
        return job


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    assert bench.worker.stop(PATIENCE_SECONDS)


def test_jobs_are_done_in_one_thread_that_is_not_the_callers(bench):
    for job in (1, 2):
        bench.submit(job)
        bench.go.release()
        bench.until(lambda job=job: bench.delivered[-1:] == [job])
    assert len(bench.threads) == 1
    assert threading.get_ident() not in bench.threads


def test_the_newest_job_waits_and_those_it_replaced_are_counted(bench):
    bench.submit(1)
    for job in (2, 3, 4):
        bench.worker.submit(job)
    bench.go.release(2)
    bench.until(lambda: len(bench.delivered) == 2)
    assert bench.delivered == [1, 4]
    assert bench.tally.counts.replaced == 2


def test_submitting_never_waits_for_the_job_in_work(bench):
    bench.submit(1)
    begin = time.monotonic()
    for job in range(1000):
        bench.worker.submit(job)
    assert time.monotonic() - begin < 5.0
    assert bench.delivered == []


def test_discard_throws_away_what_is_in_work_and_what_waits(bench):
    bench.submit(1)
    bench.worker.submit(2)
    bench.worker.discard()
    bench.submit(3)
    bench.go.release()
    bench.until(lambda: bench.delivered)
    assert bench.delivered == [3]
    assert bench.tally.counts.stale == 2


def test_a_result_that_comes_after_the_discard_is_not_delivered():
    """From a job that did not ask whether to stop."""
    begun, go, delivered, tally = threading.Event(), threading.Event(), [], Tally()

    def process(job, should_stop):
        begun.set()
        assert go.wait(PATIENCE_SECONDS)
        return job

    worker = Worker(process, delivered.append, lambda: None, print, tally)
    worker.start()
    worker.submit(1)
    assert begun.wait(PATIENCE_SECONDS)
    worker.discard()
    worker.submit(2)
    go.set()
    while not delivered:
        time.sleep(0.005)
    assert worker.stop(PATIENCE_SECONDS)
    assert delivered == [2]
    assert tally.counts.stale == 1


def test_after_a_discard_the_next_job_finds_everything_forgotten(bench):
    for job in (1, 2):
        bench.submit(job)
        bench.go.release()
        bench.until(lambda job=job: job in bench.delivered)
    assert bench.forgotten == []
    bench.worker.discard()
    bench.submit(3)
    assert bench.forgotten == [2]


@pytest.mark.parametrize(
    "error, cause",
    [(InputError("no valid pixel"), "content"), (Rejected("guide step", "step 3"), "guide step")],
)
def test_a_job_that_cannot_be_used_is_counted_by_cause_and_reported(bench, error, cause):
    bench.submit(error)
    bench.go.release()
    bench.until(lambda: bench.reported)
    assert bench.reported == [("a pair was left out", error)]
    assert bench.tally.counts.rejected == {cause: 1}


def test_a_job_that_fails_is_counted_and_reported_and_the_next_is_done(bench):
    error = ZeroDivisionError("of a sort")
    bench.submit(error)
    bench.go.release()
    bench.until(lambda: bench.reported)
    bench.submit(2)
    bench.go.release()
    bench.until(lambda: bench.delivered == [2])
    assert bench.reported == [("a pair could not be processed", error)]
    counts = bench.tally.counts
    assert (counts.failed, counts.last_failure) == (1, "ZeroDivisionError: of a sort")


def test_stop_ends_a_job_in_work_and_counts_it_and_what_waits(bench):
    bench.submit(1)
    bench.worker.submit(2)
    assert bench.worker.stop(PATIENCE_SECONDS)
    assert bench.delivered == []
    assert bench.tally.counts.stale == 2
    assert not bench.in_surroundings


def test_stop_gives_up_on_a_job_that_does_not_listen():
    deaf, released = threading.Event(), threading.Event()
    worker = Worker(
        lambda job, should_stop: deaf.wait(PATIENCE_SECONDS),
        lambda p: None,
        lambda: None,
        print,
        Tally(),
        release=released.set,
    )
    worker.start()
    worker.submit(1)
    while not worker.patience.busy_seconds:
        time.sleep(0.005)
    assert not worker.stop(0.05)
    assert not released.is_set()
    deaf.set()
    assert released.wait(PATIENCE_SECONDS), "what it worked on is given back all the same, in the end"
    assert worker.stop(PATIENCE_SECONDS)


def test_it_tells_for_how_long_it_has_been_busy(bench):
    assert bench.worker.patience.busy_seconds == 0.0
    bench.submit(1)
    bench.until(lambda: bench.worker.patience.busy_seconds > 0.02)
    bench.go.release()
    bench.until(lambda: bench.worker.patience.busy_seconds == 0.0)


def test_threads_that_hang_are_left_to_themselves_up_to_a_number(monkeypatch):
    """Their products are thrown away when they come, and each successor works on something new."""
    monkeypatch.setattr("robself_ros.patience.FIRST_SECONDS", 0.05)
    monkeypatch.setattr("robself_ros.patience.LEAST_SECONDS", 0.05)
    deaf, begun, delivered, renewed, tally = threading.Event(), [], [], [], Tally()

    def process(job, should_stop):
        begun.append(job)
        assert job == "good" or deaf.wait(PATIENCE_SECONDS)
        return job

    worker = Worker(
        process,
        delivered.append,
        lambda: None,
        lambda *said: None,
        tally,
        renew=lambda: renewed.append(len(begun)),
    )
    worker.start()
    for hanging in range(1, MOST_LEFT + 2):
        worker.submit(hanging)
        while tally.counts.hung < hanging:
            worker.check()
            time.sleep(0.005)
        if hanging <= MOST_LEFT:
            worker.submit("good")
            while delivered != ["good"] * hanging:
                time.sleep(0.005)
            assert worker.ended.startswith("no sign of life for 0.")
    assert renewed == [1, 3]
    assert (tally.counts.restarts, tally.counts.hung) == (MOST_LEFT, MOST_LEFT + 1)
    for _ in range(20):
        worker.check()
    assert tally.counts.hung == MOST_LEFT + 1, "a job is given up once"
    worker.submit("good")
    deaf.set()
    while len(delivered) < MOST_LEFT + 1:
        time.sleep(0.005)
    assert worker.stop(PATIENCE_SECONDS)
    assert delivered == ["good"] * (MOST_LEFT + 1)


def test_jobs_of_another_kind_are_waited_for_like_the_first():
    patience = Patience()
    for kind, allowed in ("small", FIRST_SECONDS), ("small", LEAST_SECONDS), ("large", FIRST_SECONDS):
        patience.begin(0.0, kind)
        assert patience.silence_seconds == allowed
        patience.end()
    patience.begin(0.0, "large")
    successor = patience.left()
    successor.begin(0.0, "large")
    assert successor.silence_seconds == LEAST_SECONDS
