"""What a process has freed serves again, and no page is asked of the system anew."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from robself.evaluation import work
from robself.evaluation.tasks import Setting, Task
from robself.methods import Method

PROGRAM = """
import resource, sys, threading
from robself.kept_memory import keep_memory, memory_by_default

if {keep}:
    assert keep_memory()

def faults_of(megabytes):
    if {default}:
        with memory_by_default():
            b"x" * (megabytes << 20)
            begin = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            b"x" * (megabytes << 20)
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begin
    if {and_then}:
        with memory_by_default():
            b"x" * (megabytes << 20)
    for _ in range(2):  # the first pays
        begin = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(5):
            b"x" * (megabytes << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begin

def tell():
    print(faults_of({megabytes}))

if {thread}:
    other = threading.Thread(target=tell)
    other.start()
    other.join()
else:
    tell()
"""


def faults(default=False, and_then=False, **how) -> int:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(default=default, and_then=and_then, **how)],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return int(process.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is not glibc")
@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("megabytes", [8, 48, 150])
def test_what_was_freed_is_taken_again_in_any_thread(thread, megabytes):
    assert faults(keep=True, thread=thread, megabytes=megabytes) < 50
    if megabytes > 40:  # up to 32 MiB, glibc learns by itself
        assert faults(keep=False, thread=thread, megabytes=megabytes) > 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is not glibc")
def test_for_the_literal_reference_memory_is_as_it_is_by_default():
    assert faults(keep=True, default=True, thread=False, megabytes=48) > 10_000
    assert faults(keep=True, default=True, thread=False, megabytes=8) < 50
    assert faults(keep=True, and_then=True, thread=False, megabytes=48) < 50


BLOCKS = """
from robself.kept_memory import give_back, keep_memory

keep_memory()
import numpy as np
from robself.peak_memory import PeakMemory

np.ones(200 << 20, np.uint8)
if {giving_back}:
    give_back()
with PeakMemory() as memory:
    np.ones(100 << 20, np.uint8)
print(memory.bytes >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is not glibc")
def test_once_given_back_what_work_takes_is_seen_again():
    def growth(**how) -> int:
        return int(subprocess.check_output([sys.executable, "-c", BLOCKS.format(**how)], text=True))

    assert growth(giving_back=True) >= 99
    assert growth(giving_back=False) < 50


CALLED = 7
WHO = {
    "the command line": "import robself.cli as who; start = who.main",
    "the node": "import robself_ros.node as who; start = who.main",
    "a process of the evaluation": "import robself.evaluation.local_engine as who; start = lambda: who._serve(None, 1)",
    "a task of Ray": "import robself.evaluation.ray_engine as who; start = lambda: who._work(None, 1)",
}


@pytest.mark.parametrize("who", WHO)
def test_who_computes_keeps_its_memory_first(who):
    end = f"import os; who.keep_memory = lambda: os._exit({CALLED}); start()"
    assert subprocess.run([sys.executable, "-c", f"{WHO[who]}\n{end}"]).returncode == CALLED


def test_each_task_of_an_evaluation_begins_with_what_it_needs_alone(monkeypatch):
    told = []
    monkeypatch.setattr(work, "give_back", lambda: told.append("given back"))
    method = Method("told", lambda pair, settings: told.append("run"), "fails, having told")
    work.perform(
        work.Job(
            Task("case", "told", 0, Setting()), SimpleNamespace(pair=lambda: None, group=""), method, None
        )
    )
    assert told == ["given back", "run"]
