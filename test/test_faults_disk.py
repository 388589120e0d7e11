"""Disks that are full or cannot be written to: one line, code 2, nothing half-written under the final name."""

import json
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest
from evaluation_runs import write_pairs
from test_bench import figure, tiny  # noqa: F401  a fixture
from test_cli import TOPICS, files, run  # noqa: F401

from robself.bench.measurement import Measurement
from robself.recording import RecordingReader

QUICK = ["--first-iterations", "1", "--iterations", "1", "--pictures", "0"]
COMMANDS = {
    "sr": ["sr", "depth.png", "rgb.png", "--iterations", "1", "-o"],
    "replay": ["replay", "rec.mcap", *TOPICS, *QUICK, "-o"],
    "eval": ["eval", "--dataset", "pairs", "--methods", "bicubic", "-o"],
    "bench": ["bench", "--quick", "--device", "cpu", "-o"],
}


@contextmanager
def disk_with_room_for(size):
    """Files end there (Python ignores SIGXFSZ), which a writer meets as it meets a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def prepared(files, monkeypatch):  # noqa: F811
    """What the commands read, in the current folder; a benchmark of no time."""
    write_pairs(files / "pairs")
    monkeypatch.setattr(
        "robself.bench.figures.FIGURES", (figure(lambda *_: Measurement(1.0, {"text": 5000 * "x"})),)
    )
    return files


def refused(capfd, command):
    """The line it is refused with."""
    assert run(command) == 2
    err = capfd.readouterr().err
    assert err.count("robself: ") == 1 and "Traceback" not in err
    assert err.splitlines()[-1].startswith("robself: ")
    return err.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "output"), [("sr", "sr.npy"), *((each, "out") for each in list(COMMANDS)[1:])]
)
def test_a_full_disk_is_told_and_leaves_nothing_half_written(prepared, capfd, name, output):
    with disk_with_room_for(1000):
        assert "File too large" in refused(capfd, [*COMMANDS[name], output])
    final = [
        path for path in Path().rglob("*") if path.name in ("sr.npy", "sr.mcap", "bench.json", "metrics.json")
    ]
    assert not final and not list(Path().rglob("*.part")) and not list(Path().rglob("*.npz.*"))


def test_a_disk_that_is_full_later_keeps_what_replay_has_done(prepared, capfd):
    with disk_with_room_for(30_000):
        code = run([*COMMANDS["replay"], "out", "--seed", "1"])
    err = capfd.readouterr().err
    assert code == 2 and "File too large" in err, err
    assert run([*COMMANDS["replay"], "out", "--seed", "1", "--resume"]) == 0
    assert json.loads(Path("out/metrics.json").read_text())["summary"]["pairs"]["used"] == 2
    assert RecordingReader("out/sr.mcap").topics["/robself_node/sr/image"].count == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_that_cannot_be_written_to_is_told(prepared, capfd, name):
    place = "/proc/sr.npy" if name == "sr" else "/proc/out"
    assert place in refused(capfd, [*COMMANDS[name], place])
