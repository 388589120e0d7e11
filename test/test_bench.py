"""`robself bench`: its figures on tiny inputs, what it writes, and what it says when something is wrong."""

import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_pairs import scene

from robself.bench import same_iterations
from robself.bench.absolute import absolute_times, markdown_row
from robself.bench.benchmark import run_benchmark
from robself.bench.clock import seconds
from robself.bench.figures import FIGURES
from robself.bench.inputs import benched_case, middle, rendered_case, rmse_of
from robself.bench.measurement import Figure, Measurement, Setup
from robself.bench.reaching import first_as_good
from robself.bench.scaling import exponent
from robself.bench.warm_work import CountedResolver
from robself.bench.workload import FULL, QUICK, Workload
from robself.cli import run
from robself.device import choose_device
from robself.errors import Interrupted
from robself.json_text import json_text
from robself.schedule import SCHEDULES, Stage

TINY = Workload(
    equal_crop=(32, 32),
    equal_iterations=2,
    filter_size=(64, 64),
    crop=(32, 32),
    peers_crop=(32, 32),
    timed=1,
    moving_crop=(32, 32),
    moving_frames=1,
    track_crop=(32, 32),
    sides=(32, 48),
    scales=(2, 4),
    absolute_size=(32, 48),
    paper_iterations=2,
    mmsr_iterations=2,
    p2p_iterations=2,
    track_iterations=2,
    scaled_iterations=1,
)
BARS = {
    "a_time_ratio": 4,
    "a_memory_ratio": 8,
    "b_time_ratio": 15,
    "c_work_ratio": 25,
    "d_track_ratio": 3,
    "e_exponent": 1.05,
    "f_mmsr_time_ratio": 10,
    "g_latency_ratio": 1.2,
}
WITHOUT_NODE = [name for name in BARS if not name.startswith("g_")]  # that has test_node_rates.py


def make_tiny(monkeypatch, folder):
    """`--quick` becomes a benchmark of seconds, in that folder."""
    short = replace(
        SCHEDULES["coarse_to_fine"],
        cold=(Stage(0.5, 6), Stage(1.0, 2)),
        warm=(Stage(1.0, 2),),
        sharpening=2,
    )
    monkeypatch.setitem(SCHEDULES, "coarse_to_fine", short)
    monkeypatch.setattr("robself.bench.workload.QUICK", TINY)
    monkeypatch.setattr("robself.bench.absolute.REPEATS", 1)
    monkeypatch.chdir(folder)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    make_tiny(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All figures by the command: what it wrote, and what it said on stdout and stderr."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_tiny(monkeypatch, tmp_path_factory.mktemp("bench"))
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            code = run(typed("bench --quick --only a,b,c,d,e,f --runs 1 --device cpu -o out"))
        assert code == 0, err.getvalue()
        assert os.listdir("out") == ["bench.json"]
        return written(), out.getvalue(), err.getvalue()


def typed(line):
    return line.split()


def written(folder="out"):
    return json.loads(Path(folder, "bench.json").read_text())


def figure(measure, name="a_time_ratio", **settings):
    return Figure(name, "something", 4, measure, **settings)


def test_all_figures_in_bench_json_with_their_bars_and_provenance(whole):
    report, out, err = whole
    assert list(report["figures"]) == WITHOUT_NODE
    for name, found in report["figures"].items():
        details = report["details"][name]
        assert found["runs"] == [found["median"]] == [found["min"]] == [found["max"]]
        assert details["bar"] == BARS[name] and details["faults"] == [] and len(details["runs"]) == 1
        assert name in out
    at_most = [name for name, details in report["details"].items() if details["bar_is"] == "at most"]
    assert at_most == ["e_exponent"]
    assert report["threads"] == 1 and report["clock"] == "processor time" and report["device"] == "cpu"
    assert report["machine"]["cpus"] >= 1 and "torch" in report["versions"]
    assert report["absolute"] is None  # seconds of a CPU compare with nothing
    assert "100 %" in err and out.splitlines()[-1].endswith("bench.json")


def test_figures_follow_from_their_details(whole):
    report, _, _ = whole
    details = {name: told["runs"][0] for name, told in report["details"].items()}
    value = {name: told["median"] for name, told in report["figures"].items()}
    a, memory, track = (details[name] for name in ("a_time_ratio", "a_memory_ratio", "d_track_ratio"))
    own = a[report["dtype"]]
    assert value["a_time_ratio"] == own["time_ratio"] == a["literal_seconds"] / own["seconds"]
    assert a["channels"] == 64 and a["float32"]["relative_difference"] < 1e-3
    assert value["a_memory_ratio"] == memory["literal_bytes"] / memory["bytes"]
    assert memory["literal_bytes"] > 64 * 64 * 49 * 64 * 4  # the windows of Eq. 5 alone, at 64x64
    assert value["d_track_ratio"] == track["iteration_seconds"] / track["track_seconds"]
    assert details["e_exponent"]["pixels"] == [32**2, 48**2]


def test_time_to_an_rmse_is_that_of_the_first_keyframe_as_good_or_infinite(whole):
    report, _, _ = whole
    for name, peer in (("b_time_ratio", "literal"), ("f_mmsr_time_ratio", "mmsr")):
        (details,) = report["details"][name]["runs"]
        ours, value = details["keyframe"], report["figures"][name]["median"]
        if ours["seconds"] is None:
            assert value == 0
        else:
            assert ours["rmse"] <= details[peer]["rmse"]
            assert value == pytest.approx(details[peer]["seconds"] / ours["seconds"])
        assert details["iterations_all"] == 2 and details[f"{peer}_iterations_timed"] == 1
    assert {"rmse", "seconds"} == details["p2p"].keys() == details["bicubic"].keys()


def test_a_figure_has_the_median_and_spread_of_its_runs(tiny):
    spread = figure(lambda setup, number, tell: Measurement((1.0, 5.0, 2.0)[number], {"run": number}))
    report = run_benchmark((spread,), Setup(TINY), 3, Path("out"))
    assert report["figures"] == {
        "a_time_ratio": {"median": 2.0, "min": 1.0, "max": 5.0, "runs": [1.0, 5.0, 2.0]}
    }
    assert report["details"]["a_time_ratio"]["runs"] == [{"run": 0}, {"run": 1}, {"run": 2}]
    assert written() == json.loads(json_text(report))


def test_outputs_that_are_not_equal_void_the_figure_and_are_told(tiny, monkeypatch, capsys):
    exact = same_iterations.optimise_literally

    def slightly_wrong(*arguments):
        literal = exact(*arguments)
        return literal._replace(sr=1.01 * literal.sr)

    monkeypatch.setattr(same_iterations, "optimise_literally", slightly_wrong)
    assert run(typed("bench --quick --only a_time_ratio --runs 1 -o out --device cpu")) == 2
    out, err = capsys.readouterr()
    told = written()["details"]["a_time_ratio"]
    assert told["reached"] is False and told["runs"][0]["float32"]["relative_difference"] > 5e-3
    assert "float32 differs from the literal reference by 0.0" in told["faults"][0]
    assert "void" in out
    assert err.splitlines()[-1].startswith(
        "robself: 1 of 1 figures are void, the first: a_time_ratio: float32"
    )


def test_a_measurement_that_fails_loses_no_other(tiny, monkeypatch, capsys):
    monkeypatch.setattr("robself.bench.filter_memory.sys.executable", "/bin/false")
    assert run(typed("bench --quick --only a_memory_ratio,e --runs 1 -o out --device cpu")) == 2
    report = written()
    assert report["figures"]["a_memory_ratio"]["median"] is None
    assert report["figures"]["e_exponent"]["median"] is not None
    assert "literal filter at 64x64: ended with exit code 1" in capsys.readouterr().err.splitlines()[-1]


def test_exponent_is_that_of_a_power_and_the_fit_of_a_noisy_one():
    work = [64**2, 128**2, 256**2]
    assert exponent(work, [3e-6 * pixels**1.25 for pixels in work]) == pytest.approx(1.25)
    assert exponent(work, [0.5, 0.5, 0.5]) == pytest.approx(0)
    assert exponent([1, 4, 16], [1, 8, 16]) == pytest.approx(1)  # least squares, not the first two


def test_a_bar_is_met_from_its_own_side_and_never_by_nan():
    least, most = figure(None), figure(None, at_most=True)
    assert least.reached(4.1) and not least.reached(3.9)
    assert most.reached(3.9) and not most.reached(4.1)
    assert not least.reached(np.nan) and not most.reached(np.nan)


def test_the_figures_and_their_bars_are_those_that_are_to_be_reached():
    assert {each.name: each.bar for each in FIGURES} == BARS


def test_quick_measures_the_same_figures_on_less():
    assert np.prod(QUICK.crop) < np.prod(FULL.crop) and FULL.timed > QUICK.timed
    assert FULL.filter_size == (512, 576) and FULL.paper_iterations == QUICK.paper_iterations == 1000
    for workload in (QUICK, FULL):
        assert [side / workload.sides[0] for side in workload.sides] == [1, 2, 4]  # pixels x1, x4, x16


def test_no_keyframe_that_is_good_enough_takes_forever(tiny):
    case = benched_case(None, TINY.crop)
    never = first_as_good(case, 0.0, Setup(TINY), 0)
    assert never.seconds == np.inf
    at_once = first_as_good(case, np.inf, Setup(TINY), 0)
    assert 0 < at_once.seconds < np.inf and at_once.iterations == 8


def test_work_is_counted_warm_and_cold(tiny):
    case = benched_case(None, (32, 48))
    counted = CountedResolver(case, 0, "cpu")
    cold, warm = counted.keyframe(case, 4), counted.keyframe(case, 3)
    assert cold.work == 3 * 16 * 24 + 32 * 48  # 3 of 4 iterations at half
    assert warm.work == 3 * 32 * 48 and warm.iterations == 3


def test_the_rendered_case_has_a_truth_that_its_source_fits():
    case = rendered_case(0)
    assert case.truth.shape == case.guide.shape[:2] == (288, 384)
    assert rmse_of(np.full_like(case.truth, np.nanmean(case.truth)), case) > 0.3
    low = case.truth.reshape(72, 4, 96, 4).mean((1, 3))
    assert np.nanmedian(np.abs(low - case.source)) < 0.02  # metres


def test_the_benched_case_is_the_rendered_one_with_its_guide_moved_as_in_task_1():
    still, case = middle(rendered_case(0), (96, 96)), benched_case(None, (96, 96))
    np.testing.assert_array_equal(case.truth, still.truth)
    np.testing.assert_array_equal(case.source, still.source)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = cv2.warpPerspective(case.guide, case.homography, (96, 96), flags=flags)
    inner = (slice(24, 72),) * 2  # ten pixels of movement leave nothing of the rim
    differences = [np.abs(one[inner].astype(int) - still.guide[inner]).mean() for one in (back, case.guide)]
    assert differences[0] < 0.5 * differences[1]


def test_a_case_of_ones_own_is_measured_on(tiny, tmp_path):
    truth, guide = scene((64, 96))
    source = truth.reshape(16, 4, 24, 4).mean((1, 3))
    np.savez(tmp_path / "mine_x4_mis.npz", lr=source, guide=guide, gt=truth)
    assert run(typed("bench --quick --only d --runs 1 --case mine_x4_mis.npz -o out --device cpu")) == 0
    assert written()["case"] == "mine_x4_mis.npz"
    case = benched_case(tmp_path / "mine_x4_mis.npz", (40, 1000))
    assert case.guide.shape == (32, 96, 3) and np.array_equal(case.truth, truth[16:48])


def test_ctrl_c_keeps_what_was_measured_and_says_how_far_it_came(tiny, monkeypatch, capsys):
    def stopped(setup, number, tell):
        if number == 1:
            signal.raise_signal(signal.SIGINT)
        return Measurement(1.0)

    monkeypatch.setattr("robself.bench.figures.FIGURES", (figure(stopped),))
    with pytest.raises(Interrupted):
        run_benchmark((figure(stopped),), Setup(TINY), 3, Path("out"))
    assert run(typed("bench --quick --device cpu -o out")) == 130
    assert os.listdir("out") == ["bench.json"]
    report = written()
    assert (report["measured"], report["figures"]["a_time_ratio"]["runs"]) == ([1, 3], [1.0])
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "robself: interrupted after 1 of 3 measurements, which out/bench.json holds"


def test_ctrl_c_before_the_first_measurement_leaves_no_bench_json(tiny, monkeypatch, capsys):
    def stopped(setup, number, tell):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("robself.bench.figures.FIGURES", (figure(stopped),))
    assert run(typed("bench --quick --device cpu -o out")) == 130
    assert os.listdir("out") == []
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith("0 of 3 measurements, out/bench.json was not written")
    )


def test_seconds_of_one_thread_leave_out_what_others_do():
    cpu = choose_device("cpu")
    work, wall = seconds(cpu, 1), seconds(cpu, 2)
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.2)"], check=True)
    assert seconds(cpu, 1) - work < seconds(cpu, 2) - wall


def test_absolute_times_are_a_row_of_markdown(tiny):
    row = markdown_row(absolute_times(Setup(TINY)))
    assert row.startswith("| CPU | ") and row.count("|") == 6
    assert "32x48, 2 iterations: " in row and row.endswith(" ms |")


BAD = {
    "figure": ("--only a,z", "only: 'z' is unknown, expected some of a, a_memory_ratio"),
    "no figure": ("--only ,", "only: ',' names no figure"),
    "device": ("--device abacus", "device: 'abacus' cannot be used"),
    "no case": ("--case nowhere.npz", "nowhere.npz: no such file, expected an .npz archive"),
    "no truth": ("--case no_truth.npz", "no_truth.npz: has no gt"),
    "small case": ("--case small.npz", "small: 24x16, expected at least 32 px a side"),
    "output": ("-o small.npz", "small.npz: is a file, expected a folder"),
    "below a file": ("-o small.npz/out", "cannot be made: Not a directory"),
    "runs": ("--runs 0", "Invalid value for '--runs'"),
    "threads": ("--threads 0", "Invalid value for '--threads'"),
}


@pytest.mark.parametrize(("line", "complaint"), BAD.values(), ids=BAD)
def test_bad_options_are_one_line_and_code_2(tiny, capfd, line, complaint):
    truth, guide = scene((16, 24))
    source = truth.reshape(4, 4, 6, 4).mean((1, 3))
    np.savez("small.npz", lr=source, guide=guide, gt=truth)
    np.savez("no_truth.npz", lr=source, guide=guide)
    assert run(["bench", "--quick", "--device", "cpu", *line.split()]) == 2
    out, err = capfd.readouterr()
    last = err.splitlines()[-1]
    assert complaint in last and last.startswith("robself: ") and err.count("robself: ") == 1
    assert out == "" and "Traceback" not in err and not Path("bench/bench.json").exists()


def test_help_has_examples_and_loads_nothing_heavy():
    code = """
import sys
from robself.cli import run
run(["bench", "--help"])
heavy = {"torch", "matplotlib", "rosbags", "cv2"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    for text in ("robself bench --quick --only a,d --runs 5", "--threads", "--case"):
        assert text in done.stdout
