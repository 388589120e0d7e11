"""Tasks done by a Ray cluster, or by a Ray instance of this machine's own."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from robself.errors import ConfigError
from robself.evaluation.attempts import Attempts
from robself.evaluation.local_engine import limit_threads
from robself.evaluation.work import Job, Outcome, perform
from robself.kept_memory import keep_memory

AHEAD = 2  # jobs handed to Ray per one that it can do at a time, so that no machine waits for the next
REACH_SECONDS = 10
STORE_BYTES = 64 * 2**20  # of a local instance's object store, per job handed to it


def run_on_ray(
    jobs: Iterable[Job], address: str | None, workers: int, threads: int, say: Callable[[str], None]
) -> Iterator[Outcome]:
    """Does jobs as remote tasks, and yields their outcomes as they come.

    A job is handed over with its images: the cluster's machines need this package, but not the dataset. It takes
    `threads` CPUs, and a GPU of its own if its method learns and the cluster has GPUs. One whose process or
    machine is lost is tried again.

    Args:
        address: of the cluster ("auto", "ray://host:10001", "host:6379"); None: a local instance for `workers`
            jobs at a time. An instance that this process is connected to already is used as it is.
        say: takes a line that the user should see.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster at the address.
    """
    ray = _ray()
    attempts = Attempts(say)
    again: deque[Job] = deque()
    fresh = iter(jobs)
    running: dict[Any, Job] = {}
    with _connected(ray, address, workers, threads):
        # Attempts are counted here, not by Ray, which would not tell of them.
        work = ray.remote(max_retries=0)(_work)
        try:
            while True:
                resources = ray.cluster_resources()
                while len(running) < AHEAD * max(1, int(resources.get("CPU", 1) / threads)):
                    job = again.popleft() if again else next(fresh, None)
                    if job is None:
                        break
                    task = work.options(num_cpus=threads, num_gpus=_gpus(job, resources))
                    running[task.remote(job, threads)] = job
                if not running:
                    return
                (ready,), _ = ray.wait(list(running))
                job = running.pop(ready)
                try:
                    outcome = ray.get(ready)
                except ray.exceptions.RayError as error:
                    outcome = attempts.lost(job, f"{type(error).__name__}: {_first_line(error)}")
                if outcome is None:
                    again.append(job)
                else:
                    yield attempts.counted(outcome, job.task)
        finally:
            for task in running:
                ray.cancel(task, force=True)


def _work(job: Job, threads: int) -> Outcome:
    limit_threads(threads)
    keep_memory()
    return perform(job)


def _gpus(job: Job, resources: dict[str, float]) -> int:
    return int(job.method.learns and job.settings.device != "cpu" and resources.get("GPU", 0) >= 1)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with _keeping_sigterm():
            import ray
    except ImportError as error:
        raise ConfigError(
            f"engine: ray cannot be imported ({error}), expected it installed: pip install 'robself[ray]'"
        ) from None
    return ray


@contextmanager
def _connected(ray: Any, address: str | None, workers: int, threads: int) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    local = {
        "num_cpus": workers * threads,
        "include_dashboard": False,
        "object_store_memory": 2 * AHEAD * workers * STORE_BYTES,
    }
    if address:
        _check_reachable(address)
    try:
        with _keeping_sigterm():
            ray.init(
                address or "local", log_to_driver=False, logging_level="ERROR", **({} if address else local)
            )
    except Exception as error:  # Ray raises bare ones, too, as where its daemon does not start in time
        where = f"no Ray cluster at {address!r}" if address else "Ray cannot be started"
        raise ConfigError(f"engine: {where}: {_first_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Whether something listens there: Ray itself would try for minutes, and then abort the process."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        raise ConfigError(f"ray-address: {address!r}, expected auto, HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"engine: no Ray cluster at {address!r}: {error}") from None


@contextmanager
def _keeping_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM for itself where it is loaded and started; this process has its own way to end."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "no reason given").strip()
