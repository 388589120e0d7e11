"""Tasks done by a real Ray instance of two workers, some of which are killed."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from evaluation_runs import CASES, evaluate, repeatable, write_pairs

from robself.errors import ConfigError
from robself.evaluation.ray_engine import _check_reachable, run_on_ray

ray = pytest.importorskip("ray", reason="Ray is not installed (pip install 'robself[ray]')")
pytestmark = pytest.mark.usefixtures("methods_of_tests")


@pytest.fixture(scope="module")
def cluster():
    """A Ray instance of two CPUs that this process is connected to; its address."""
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # short: the paths of its sockets are bounded
    sigterm = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))  # otherwise Ray writes one into the home folder
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)  # of the workers
        try:
            yield started(folder)
        finally:
            ray.shutdown()
            signal.signal(signal.SIGTERM, sigterm)
            shutil.rmtree(folder, ignore_errors=True)


def started(folder):
    """The address. Ray grants its daemon 30 s, which a machine that is busy with other things may exceed once."""
    for attempts_left in (1, 0):
        try:
            context = ray.init(
                "local",
                num_cpus=2,
                include_dashboard=False,
                object_store_memory=100 * 2**20,
                log_to_driver=False,
                logging_level="ERROR",
                _temp_dir=folder,
            )
        except Exception as error:  # a bare one
            if not attempts_left or "timed out during startup" not in str(error):
                raise
            ray.shutdown()
        else:
            return context.address_info["gcs_address"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("ray") / "pairs")


def on_ray(said):
    return lambda jobs, most: run_on_ray(jobs, None, 2, 1, said.append)


def test_killed_workers_lose_no_task_and_every_retry_is_told(cluster, pairs, tmp_path):
    said = []
    metrics = evaluate(
        pairs,
        tmp_path / "out",
        engine=on_ray(said),
        methods=("bicubic", "noisy", "failing", "killed_once", "killed_always"),
        seeds=2,
    )
    runs = {(run["method"], run["case"]): run for run in metrics["runs"]}
    assert len(metrics["runs"]) == 6 * len(CASES)
    failed = {key for key, run in runs.items() if run["error"]}
    assert failed == {("failing", "Baby"), ("killed_always", "Baby")}
    assert runs["failing", "Baby"]["error"] == "ZeroDivisionError: no such luck"
    assert "attempt 3 of 3 lost: WorkerCrashedError" in runs["killed_always", "Baby"]["error"]
    assert runs["killed_once", "Baby"]["attempts"] == 2
    assert runs["killed_once", "Baby"]["scores"] == runs["bicubic", "Baby"]["scores"]
    retries = [line for line in said if line.startswith("killed_once on Baby, seed 0: attempt 1 of 3 lost")]
    assert len(retries) == 1 and retries[0].endswith("trying again")


def test_ray_finds_what_is_found_here_without_seeing_the_dataset(cluster, pairs, tmp_path):
    options = {"methods": ("bicubic", "noisy"), "seeds": 2}
    here = evaluate(pairs, tmp_path / "here", **options)
    copy = shutil.copytree(pairs, tmp_path / "copy")

    def engine(jobs, most):
        jobs = list(jobs)
        shutil.rmtree(copy)
        return run_on_ray(jobs, None, 2, 1, print)

    there = evaluate(copy, tmp_path / "there", engine=engine, **options)
    assert repeatable(there["runs"]) == repeatable(here["runs"])


def test_the_command_joins_a_cluster_by_its_address(cluster, pairs, tmp_path):
    command = [sys.executable, "-m", "robself", "eval", "--dataset", pairs, "-o", tmp_path / "out", "--json"]
    engine = [
        "--engine",
        "ray",
        "--ray-address",
        cluster,
        "--methods",
        "nearest,robself_re",
        "--iterations",
        1,
    ]
    done = subprocess.run(map(str, [*command, *engine]), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["runs"], told["failed"]) == (6, 0)
    assert "6/6 runs" in done.stderr
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("localhost:1", "no Ray cluster at 'localhost:1': .*refused"),
        ("somewhere", "ray-address: 'somewhere', expected auto, HOST:PORT or ray://HOST:PORT"),
    ],
)
def test_an_address_without_a_cluster_is_told(address, complaint):
    with pytest.raises(ConfigError, match=complaint):
        _check_reachable(address)


def test_without_ray_the_extra_is_named(pairs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # how an import fails
    with pytest.raises(ConfigError, match=r"engine: ray cannot be imported .*pip install 'robself\[ray\]'"):
        evaluate(pairs, tmp_path / "out", engine=on_ray([]), methods=("bicubic",))
