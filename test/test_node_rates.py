"""`robself bench --only g`: the node under more images than it can compute, over DDS."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from robself.bench.workload import QUICK
from robself.cli import run

pytestmark = pytest.mark.ros
SLOW, FAST = 2.0, 60.0
COMMAND = ["bench", "--quick", "--only", "g", "--runs", "1", "--device", "cpu", "-o", "out"]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What the command wrote, at a low rate and at one that is far above what is computed."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(tmp_path_factory.mktemp("bench"))
        tiny = replace(QUICK, node_rates=(SLOW, FAST), node_seconds=4.0, node_iterations=1, node_factor=2.0)
        monkeypatch.setattr("robself.bench.workload.QUICK", tiny)
        assert run(COMMAND) in (0, 2)
        return json.loads(Path("out", "bench.json").read_text())


@pytest.fixture(scope="module")
def flooded(report):
    slow, fast = report["details"]["g_latency_ratio"]["runs"][0]["rates"]
    assert (slow["rate"], fast["rate"]) == (SLOW, FAST)
    return fast


def test_latency_is_bounded_by_processing_and_one_frame_however_many_images_come(flooded):
    """A pair that waits is replaced by the next: none is older than a frame when it is taken."""
    assert flooded["sent"] > 2 * flooded["results"]
    assert flooded["waiting"] < flooded["longest_gap"] + flooded["processing"]["p50"] / 2
    assert flooded["latency"]["max"] < 1.5 * flooded["processing"]["max"] + flooded["longest_gap"]


def test_every_pair_that_gave_no_result_was_counted_by_its_cause(flooded):
    dropped = flooded["dropped"]
    assert dropped["replaced"] > 0 and dropped["rejected"] == dropped["stale"] == 0
    # Of a pair that finds no partner or is lost, two images may be counted.
    counted = dropped["replaced"] + dropped["unpaired"] + dropped["lost"]
    done = flooded["results"] + 1  # the last
    assert done + dropped["replaced"] <= flooded["sent"] <= done + counted


def test_results_come_in_the_order_of_their_stamps(flooded):
    assert flooded["in_order"] and flooded["results"] > 1


def test_the_figure_is_the_worst_rate_by_processing_and_one_frame(report):
    details = report["details"]["g_latency_ratio"]
    (run_of_all,) = details["runs"]
    assert details["faults"] == []
    assert report["figures"]["g_latency_ratio"]["median"] == pytest.approx(
        max(
            rate["latency"]["p95"] / (rate["processing"]["p95"] + 1 / rate["rate"])
            for rate in run_of_all["rates"]
        )
    )


def test_without_ros_the_figure_is_void_and_says_what_it_needs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    found = lambda name, *rest: None if name == "rclpy" else find_spec(name, *rest)  # noqa: E731
    monkeypatch.setattr("robself.demo.chain.find_spec", found)
    assert run(COMMAND) == 2
    assert "(g) needs the node's extra" in capsys.readouterr().err.splitlines()[-1]
