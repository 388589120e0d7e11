"""`robself eval` as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from evaluation_runs import CASES, repeatable, write_pairs

from robself.cli import run

PATIENCE_SECONDS = 200


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with `pairs`, which is the current one."""
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "pairs")
    return tmp_path


def metrics_of(output):
    return json.loads((output / "metrics.json").read_text())


def test_a_dataset_in_metrics_table_report_and_predictions_out(folder, capsys):
    methods = ["--methods", "nearest,bicubic", "--methods", "back_projection"]
    assert run(["eval", "--dataset", "pairs", "-o", "out", *methods, "--charts"]) == 0
    out, err = capsys.readouterr()
    assert {path.name for path in (folder / "out").iterdir()} == {
        "config.yaml",
        "inputs",
        "metrics.json",
        "pareto.png",
        "predictions",
        "report.html",
        "results.jsonl",
        "rmse.png",
        "table.md",
    }
    assert len(metrics_of(folder / "out")["runs"]) == 9
    assert "9/9 runs" in err
    for text in ("RMSE / bicubic", "back_projection", "nearest"):
        assert text in out
    assert out.splitlines()[-1] == f"report: {folder / 'out' / 'report.html'}"


OPTIONS = "--methods bicubic,robself_re --seeds 2 --iterations 6 --no-keep-predictions"
QUICK = ["eval", "--dataset", "pairs", *OPTIONS.split()]


def interrupted(folder, send):
    """The command ended by `send(process)` after its second run; what it said at last, and its metrics."""
    process = subprocess.Popen(
        [sys.executable, "-m", "robself", *QUICK, "-o", "out"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, as a terminal gives
    )
    journal, deadline = folder / "out" / "results.jsonl", time.monotonic() + PATIENCE_SECONDS
    while not (journal.exists() and journal.read_text().count("\n") >= 2):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    send(process)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130 and "Traceback" not in err
    return err.splitlines()[-1], metrics_of(folder / "out")


def test_a_command_interrupted_by_ctrl_c_and_gone_on_with_equals_one_that_was_not(folder, capsys):
    # A terminal sends Ctrl-C to the whole group: to the processes that do the runs, too.
    said, metrics = interrupted(folder, lambda process: os.killpg(process.pid, signal.SIGINT))
    assert said.startswith("robself: interrupted after ") and "--resume does the others" in said
    assert 2 <= len(metrics["runs"]) < 9
    assert run([*QUICK, "-o", "out", "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 9
    assert run([*QUICK, "-o", "whole"]) == 0
    whole, resumed = metrics_of(folder / "whole"), metrics_of(folder / "out")
    assert repeatable(resumed["runs"]) == repeatable(whole["runs"])
    assert len((folder / "out" / "results.jsonl").read_text().splitlines()) == 9  # nothing was run twice


def test_sigterm_keeps_what_was_finished(folder):
    said, metrics = interrupted(folder, lambda process: process.terminate())
    assert said.startswith("robself: interrupted after ")
    assert 2 <= len(metrics["runs"]) < 9


def test_failed_runs_are_one_line_and_code_2_and_the_others_are_kept(folder, capsys):
    (folder / "theirs").mkdir()
    for case in CASES[1:]:
        np.save(folder / "theirs" / f"{case}.npy", np.load(f"pairs/{case}.npz")["gt"])
    command = "eval --dataset pairs -o out --methods bicubic --predictions Theirs=theirs --limit 2 --json"
    assert run(command.split()) == 2
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["runs"], told["failed"]) == (4, 1)
    assert told["summary"]["Theirs"][0]["scores"]["rmse"]["mean"] == 0
    assert told["files"]["table.md"] == str(folder / "out" / "table.md")
    complaint = "robself: 1 of 4 runs failed, the first: Theirs on Aloe: "
    assert err.splitlines()[-1].startswith(complaint) and "nothing for case 'Aloe'" in err


def test_a_curve_has_a_table_for_each_setting(folder, capsys):
    command = "eval --dataset pairs --protocol task1 -o out --methods bicubic --limit 1 --rotation 2"
    assert run([*command.split(), "--translation", "0, 4"]) == 0
    out = capsys.readouterr().out
    for setting in ("moved by 0 px", "moved by 4 px", "rotated by 2 degrees"):
        assert setting in out


BAD = {
    "no folder of guides": (
        "--dataset pairs --methods bicubic --prealigned nowhere",
        "nowhere is no folder, expected one with a file per case",
    ),
    "no dataset": ("--dataset none", "none: no such folder or file"),
    "no layout": ("--dataset empty", "empty: no dataset that is known, looked for"),
    "method": ("--dataset pairs --methods bicubik", "'bicubik' is unknown, did you mean bicubic? (there are nearest"),
    "engine": ("--dataset pairs --engine spark", "engine: 'spark' is unknown, expected local or ray"),
    "address": ("--dataset pairs --ray-address auto", "is given, but the engine is local, expected --engine ray"),
    "device": ("--dataset pairs --device abacus", "device: 'abacus' cannot be used"),
    "preset": ("--dataset pairs --preset task9", "preset: 'task9' is unknown"),
    "number": ("--dataset pairs --translation 1,far", "translation: '1,far', expected numbers with commas"),
    "crop": ("--dataset pairs --crop 20", "crop: '20', expected HEIGHTxWIDTH"),
    "predictions": ("--dataset pairs --predictions theirs", "predictions: 'theirs', expected NAME=FOLDER"),
    "path": ("--dataset pairs --predictions ../X=theirs", "'../X=theirs', expected NAME=FOLDER"),
    "no folder": ("--dataset pairs --predictions X=none", "predictions of X"),
    "output": ("--dataset pairs --methods bicubic -o pairs/Aloe.npz", "Aloe.npz: is a file, expected a folder"),
    "below a file": ("--dataset pairs --methods bicubic -o pairs/Aloe.npz/out", "cannot be made: Not a directory"),
    "no output": ("--dataset pairs", "Missing option '-o' / '--output'"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "complaint"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_code_2(folder, capfd, line, complaint):
    Path("empty").mkdir()
    output = [] if "-o " in line or "Missing" in complaint else ["-o", "out"]
    assert run(["eval", *line.split(), *output]) == 2
    out, err = capfd.readouterr()
    assert complaint in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("robself: ") and err.count("robself: ") == 1 and out == ""
    assert "Traceback" not in err and not Path("out").exists()


def test_help_has_examples_and_loads_nothing_heavy():
    code = """
import sys
from robself.cli import run
run(["eval", "--help"])
heavy = {"torch", "matplotlib", "rosbags", "cv2", "jinja2", "ray"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "robself eval --dataset Middlebury2006 -o out --scale 4 --seeds 3" in done.stdout
    for option in ("--aligned", "--ray-address", "--predictions", "--resume", "--translation"):
        assert option in done.stdout
