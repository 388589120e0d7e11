"""Tasks done by processes of this machine, some of which die."""

import multiprocessing
import os
import signal
import threading
import time
from contextlib import closing, suppress
from multiprocessing import resource_tracker, util

import pytest
from evaluation_runs import CASES, evaluate, write_pairs

from robself.errors import Interrupted
from robself.evaluation.local_engine import run_locally

pytestmark = pytest.mark.usefixtures("methods_of_tests")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("local") / "pairs")


def processes(workers, said=None):
    say = (lambda line: None) if said is None else said.append
    return lambda jobs, most: run_locally(jobs, workers, 1, say)


def test_killed_processes_are_replaced_and_their_tasks_tried_again(pairs, tmp_path):
    said = []
    metrics = evaluate(
        pairs,
        tmp_path / "out",
        engine=processes(2, said),
        methods=("bicubic", "failing", "killed_once", "killed_always"),
    )
    runs = {(run["method"], run["case"]): run for run in metrics["runs"]}
    assert len(runs) == 4 * len(CASES)
    failed = {key for key, run in runs.items() if run["error"]}
    assert failed == {("failing", "Baby"), ("killed_always", "Baby")}
    lost = "killed_always on Baby, seed 0: attempt 3 of 3 lost: its process was killed by SIGKILL"
    assert runs["killed_always", "Baby"]["error"] == lost
    assert runs["killed_once", "Baby"]["attempts"] == 2 and "attempts" not in runs["killed_once", "Aloe"]
    assert runs["killed_once", "Baby"]["scores"] == runs["bicubic", "Baby"]["scores"]
    told = "killed_once on Baby, seed 0: attempt 1 of 3 lost: its process was killed by SIGKILL; trying again"
    assert told in said
    assert len(said) == 3  # of killed_once one, of killed_always two


def test_no_process_is_left_when_the_run_ends_early(pairs, tmp_path):
    def interrupted(jobs, most):
        with closing(processes(2)(jobs, most)) as outcomes:
            yield next(outcomes)
            assert len(multiprocessing.active_children()) == 2
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="after 1 of 3 runs"):
        evaluate(pairs, tmp_path / "out", engine=interrupted, methods=("bicubic",))
    assert not multiprocessing.active_children()


def test_ctrl_c_at_the_terminal_is_not_the_processes_to_heed(pairs, tmp_path):
    said = []

    def with_ctrl_c(jobs, most):
        with closing(processes(1, said)(jobs, most)) as outcomes:
            yield next(outcomes)
            (child,) = multiprocessing.active_children()
            os.kill(child.pid, signal.SIGINT)
            yield from outcomes

    metrics = evaluate(pairs, tmp_path / "out", engine=with_ctrl_c, methods=("bicubic",))
    assert [run["error"] for run in metrics["runs"]] == [None] * 3
    assert said == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
def test_a_signal_while_a_process_is_started_is_heeded_after_it(monkeypatch, capfd, number):
    resource_tracker.ensure_running()  # or its start would be what is interrupted
    spawn, pids = util.spawnv_passfds, []

    def interrupted(*arguments):
        pids.append(spawn(*arguments))
        os.kill(os.getpid(), number)  # what it is to do has not yet been sent to it
        time.sleep(0.1)  # until the other thread has taken that
        return pids[-1]

    def interrupt(number, frame):
        raise KeyboardInterrupt

    monkeypatch.setattr(util, "spawnv_passfds", interrupted)
    over = threading.Event()
    other = threading.Thread(target=over.wait)  # a signal that this thread masks is taken by the other
    other.start()
    before = signal.signal(number, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), closing(processes(2)(iter(()), 1)) as outcomes:
            next(outcomes)
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, before)
        over.set()
        other.join()
    assert not multiprocessing.active_children()
    for pid in pids:
        with suppress(ChildProcessError):  # it has been waited for
            os.waitpid(pid, 0)  # what was not told its work says so at its end
    assert "Traceback" not in capfd.readouterr().err
