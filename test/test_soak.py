"""The soak: what it measures, what it says of it, and a short one over DDS."""

import json
import os
import subprocess
import sys
from multiprocessing import shared_memory
from pathlib import Path
from subprocess import PIPE

import pytest
from middleware import IS_FAST_DDS

from robself.bench.soak import judged, soak
from robself.errors import ConfigError
from robself.process_state import ProcessState, dds_shared_memory, left_behind

COMMAND = Path(__file__).parents[1] / "benchmarks" / "soak.py"
PAIRS = 200
MEGABYTE = 10**6


@pytest.mark.ros
@pytest.mark.timeout(600)
def test_a_short_soak_passes_and_leaves_its_numbers_and_a_plot(tmp_path):
    command = [sys.executable, COMMAND, "--pairs", str(PAIRS), "-o", "soak.json"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=580)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads((tmp_path / "soak.json").read_text())
    assert (report["pairs"], report["results"], report["left_behind"]) == (PAIRS, PAIRS, [])
    assert len(report["samples"]) == PAIRS and (report["samples"][-1]["shared_memory"] > 0) == IS_FAST_DDS
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")
    assert "4th" in ended.stdout and "yes" in ended.stdout


def test_a_process_is_seen_as_it_is():
    grow = f"import os, sys; print(); input(); held = b'1' * {32 * MEGABYTE}, os.pipe(); print(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-uc", grow], stdin=PIPE, stdout=PIPE, bufsize=0) as process:
        process.stdout.readline()  # the interpreter is up
        before = ProcessState.of(process.pid)
        process.stdin.write(b"\n")
        process.stdout.readline()
        state = ProcessState.of(process.pid)
        process.stdin.close()
    assert state.anonymous - before.anonymous == pytest.approx(32 * MEGABYTE, rel=0.1)
    assert state.descriptors == before.descriptors + 2
    assert state.rss >= state.anonymous and state.threads == 1


def test_shared_memory_is_a_processs_own_if_it_holds_the_lock():
    lock = Path(f"/dev/shm/fastrtps_{os.getpid():016x}_el")
    before = dds_shared_memory(os.getpid())
    try:
        with lock.open("w"):
            assert dds_shared_memory(os.getpid()) - before == {lock.with_name(lock.name.removesuffix("_el"))}
        assert dds_shared_memory(os.getpid()) == before
    finally:
        lock.unlink()


def test_shared_memory_that_a_process_has_is_not_left_behind_and_that_of_none_is():
    segment = shared_memory.SharedMemory(f"fastrtps_{os.getpid():016x}", create=True, size=4096)
    file = Path("/dev/shm", segment.name)
    try:
        assert left_behind({file}) == set()
        segment.close()
        assert left_behind({file}) == {file}
    finally:
        segment.unlink()
    assert left_behind({file}) == set()


def samples(**changes):
    """A steady node, with what it has in the last quarter changed."""
    steady = {"rss": 500 * MEGABYTE, "anonymous": 200 * MEGABYTE, "threads": 16, "descriptors": 23}
    return [
        {"sent": sent, "seconds": 0.1 * sent, **steady, "shared_memory": 7, **(changes if sent > 30 else {})}
        for sent in range(1, 41)
    ]


@pytest.mark.parametrize(
    "changes, results, left, failed",
    [
        ({}, 40, [], None),
        ({"rss": 509 * MEGABYTE}, 40, [], None),
        ({"rss": 511 * MEGABYTE}, 40, [], "RSS"),
        ({"rss": 489 * MEGABYTE}, 40, [], "RSS"),
        ({"threads": 17}, 40, [], "threads"),
        ({"descriptors": 24}, 40, [], "descriptors"),
        ({}, 40, [Path("/dev/shm/fastrtps_1")], "left behind"),
        ({}, 39, [], "result for every pair"),
    ],
)
def test_what_does_not_hold_is_told(changes, results, left, failed):
    report = judged(samples(**changes), results, left)
    wrong = [check for check, holds in report["checks"].items() if not holds]
    assert report["passed"] == (failed is None) == (not wrong)
    assert all(failed in check for check in wrong) and len(wrong) <= 1


def test_a_file_that_is_open_at_the_moment_of_a_sample_is_no_growth():
    taken = samples()
    taken[35]["descriptors"] += 1
    assert judged(taken, 40, [])["passed"]


def test_memory_that_grows_is_told_by_its_slope():
    report = judged([{**one, "rss": 1000 * one["sent"]} for one in samples()], 40, [])
    assert report["growth_per_1000_pairs"] == pytest.approx({"rss": MEGABYTE, "anonymous": 0.0}, abs=1e-3)


def test_too_few_pairs_are_refused():
    with pytest.raises(ConfigError, match="pairs: 3, expected at least 8"):
        soak(3)
