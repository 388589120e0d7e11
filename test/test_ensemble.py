"""Several networks on one pair: who they are, what their mean is made of, what it tells of them, and its time."""

import json
import time
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from evaluation_runs import write_pairs
from small_pairs import ENOUGH, coarse_pair, same_bits, scene, small_config

import robself
from robself.cli import run
from robself.ensemble import keyframe_by_members, member_seeds, together
from robself.errors import ConfigError, RobSelfError
from robself.methods import METHODS, Settings
from robself.online import Budget, OnlineSuperResolver
from robself.pair import Pair

PAIR = coarse_pair()


resolver = partial(OnlineSuperResolver, device="cpu", schedule=ENOUGH)


@pytest.fixture(scope="module")
def results():
    """Of seeds 3, 4 and 5."""
    return [resolver(small_config(seed=seed)).keyframe(PAIR) for seed in (3, 4, 5)]


def test_ensembles_of_different_seeds_share_no_member():
    drawn = [seed for first in range(4) for seed in member_seeds(first, 3)]
    assert sorted(drawn) == list(range(12))


def test_one_member_is_the_network_of_that_seed(results):
    alone = keyframe_by_members(resolver, small_config(seed=4), 1, PAIR)
    assert same_bits(alone, results[1])
    assert "members" not in alone.info


def test_the_mean_is_that_of_the_members(results):
    mean = keyframe_by_members(resolver, small_config(seed=1), 3, PAIR)
    assert not any(result.info["fallback"] for result in results)
    for name in ("sr", "translated", "displacement"):
        images = [getattr(result, name).astype(np.float64) for result in results]
        np.testing.assert_allclose(getattr(mean, name), sum(images) / 3, rtol=1e-6, atol=1e-6)
    assert np.ptp([result.sr for result in results], axis=0).max() > 1  # mm: they differ
    assert (mean.info["members"], mean.info["member_seeds"]) == (3, [3, 4, 5])
    assert mean.info["iterations"] == sum(result.info["iterations"] for result in results)
    consistency = [result.info["consistency_after"] for result in results]
    assert mean.info["consistency_after"] == pytest.approx(np.mean(consistency))
    assert mean.info["memory_peak_mb"] > 0


def test_who_fell_back_to_bicubic_has_no_part_unless_all_did(results):
    lost = replace(results[0], sr=results[0].sr + 100, info=results[0].info | {"fallback": True})
    mean = together([lost, *results[1:]])
    assert same_bits(mean, together(results[1:]))
    assert (mean.info["fallback"], mean.info["member_seeds"]) == (False, [4, 5])
    assert mean.info["iterations"] == sum(result.info["iterations"] for result in results)
    assert together([lost, lost]).info["fallback"]


def test_holes_stay_holes():
    source = PAIR.source.copy()
    source[0, 0] = np.nan
    holey = Pair.from_images(source, PAIR.guide)
    mean = keyframe_by_members(resolver, small_config(), 2, holey, Budget(iterations=3))
    assert np.array_equal(np.isnan(mean.sr), ~mean.valid)
    assert not mean.valid.all()


def test_progress_runs_once_from_nothing_to_the_end():
    seen = []
    keyframe_by_members(resolver, small_config(), 2, PAIR, Budget(iterations=6), seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions) and 0 <= fractions[0] < 0.5 < fractions[-1] <= 1
    iterations = [progress.iteration for progress in seen]
    assert iterations == sorted(iterations) and iterations[6] == 6


def test_members_share_the_seconds():
    asked = []

    class Noted(OnlineSuperResolver):
        def keyframe(self, pair, budget, **more):
            asked.append(budget.seconds)
            return super().keyframe(pair, Budget(iterations=2), **more)

    begin = time.monotonic()
    keyframe_by_members(partial(Noted, device="cpu"), small_config(), 3, PAIR, Budget(seconds=3000))
    spent = time.monotonic() - begin
    assert asked == pytest.approx([1000, 1500, 3000], abs=spent)  # what one leaves is for the others


def test_members_that_used_up_the_time_are_all_there_are():
    class Slow(OnlineSuperResolver):
        def keyframe(self, pair, budget, **more):
            time.sleep(0.02)
            return super().keyframe(pair, Budget(iterations=1), **more)

    slow = partial(Slow, device="cpu")
    result = keyframe_by_members(slow, small_config(), 3, PAIR, Budget(seconds=0.01))
    assert (result.info["members"], result.info["member_seeds"]) == (1, [0])


def test_super_resolve_and_the_evaluation_take_members():
    depth, guide = scene((18, 24))
    source = depth.reshape(9, 2, 12, 2).mean((1, 3))
    options = {"preset": "robot", "device": "cpu", "iterations": 3}
    mean = robself.super_resolve(source, guide, seed=2, members=2, **options)
    singles = [robself.super_resolve(source, guide, seed=seed, **options) for seed in (4, 5)]
    assert same_bits(mean, together(singles))
    pair = Pair.from_images(source, guide)
    estimate = METHODS["robself_re"].run(pair, Settings(seed=2, members=2, **options))
    assert np.array_equal(estimate.sr, mean.sr)
    # Networks as young as these fall back to bicubic, whatever their seeds; what they translate is their own.
    assert np.array_equal(estimate.info["translated"], mean.translated)
    assert not np.array_equal(mean.translated, singles[0].translated)


@pytest.mark.parametrize("members", [0, -1])
def test_fewer_than_one_member_is_refused(members):
    with pytest.raises(ConfigError, match=f"members: {members}, expected at least 1"):
        keyframe_by_members(resolver, small_config(), members, PAIR)


def test_errors_of_a_member_are_the_keyframes():
    with pytest.raises(RobSelfError, match="iterations: 0"):
        keyframe_by_members(resolver, small_config(), 2, PAIR, Budget(iterations=0))


def test_a_member_whose_seed_is_out_of_range_is_refused():
    with pytest.raises(ConfigError, match="seed: "):
        keyframe_by_members(resolver, small_config(seed=2**62), 2, PAIR)


def test_the_command_line_tells_of_members(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    depth, guide = scene((18, 24))
    cv2.imwrite("depth.png", depth[::2, ::2].astype(np.uint16))
    cv2.imwrite("rgb.png", guide)
    assert run(["sr", "depth.png", "rgb.png", "-o", "sr.png", "--iterations", "2", "--members", "3"]) == 0
    assert "6 iterations of 3 networks in " in capsys.readouterr().out


def test_an_evaluation_by_members_says_so_and_goes_on_with_as_many(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "pairs")
    command = ["eval", "--dataset", "pairs", "-o", "out", "--methods", "robself_re", "--iterations", "2"]
    assert run([*command, "--limit", "1", "--members", "2"]) == 0
    (only,) = json.loads((tmp_path / "out" / "metrics.json").read_text())["runs"]
    assert (only["info"]["members"], only["iterations"]) == (2, 4)
    assert run([*command, "--resume", "--members", "3"]) == 2
    assert "members was 2, is 3" in capsys.readouterr().err
