"""What an estimate of a case is worth: every score by its definition, nothing hidden by leaving pixels out."""

import math

import numpy as np
import pytest

from robself.datasets import Case
from robself.errors import InputError
from robself.evaluation.scores import SCORES, grey_levels, niqe_refusal, score
from robself.niqe import unavailable

HOLE = np.nan
needs_niqe = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))


def case(truth, factor=2, **settings):
    """Whose source is the truth's block mean."""
    height, width = truth.shape
    source = truth.reshape(height // factor, factor, width // factor, factor).mean((1, 3), dtype=np.float64)
    guide = np.zeros((height, width, 3), np.uint8)
    return Case("scene", source.astype(np.float32), guide, truth.astype(np.float32), **settings)


def step(size=(12, 16), low=10.0, high=20.0):
    """Two planes that meet between the middle columns."""
    return np.where(np.arange(size[1]) < size[1] // 2, low, high) * np.ones(size)


def test_a_perfect_estimate_has_no_error_and_misses_nothing():
    truth = step()
    scores = score(truth.astype(np.float32), case(truth))
    assert scores.keys() == SCORES.keys()
    perfect = {
        "rmse": 0,
        "mae": 0,
        "edge_rmse": 0,
        "delta1": 1,
        "consistency": 0,
        "pixels": 192,
        "missing": 0,
    }
    assert {name: scores[name] for name in perfect} == perfect


def test_errors_are_those_of_the_formulas():
    truth = step()
    estimate = truth.copy()
    estimate[0, 0] += 6.0  # far from the edge, and over 1.25 times the truth
    estimate[5, 8] -= 2.0  # at the edge
    scores = score(estimate, case(truth))
    assert scores["rmse"] == pytest.approx(math.sqrt((36 + 4) / 192))
    assert scores["mae"] == pytest.approx(8 / 192)
    assert scores["edge_rmse"] == pytest.approx(math.sqrt(4 / (12 * 4)))  # two columns on either side
    assert scores["delta1"] == pytest.approx(191 / 192)
    assert scores["consistency"] == pytest.approx((6 / 4 + 2 / 4) / 48)


def test_leaving_out_hard_pixels_shows():
    truth = step()
    truth[0, :4] = HOLE
    whole = step()
    whole[:, 7:9] = 15.0
    evasive = np.where(whole == 15.0, HOLE, whole)
    honest, hidden = score(whole, case(step())), score(evasive, case(step()))
    assert hidden["rmse"] == 0 < honest["rmse"]
    assert (honest["missing"], hidden["missing"]) == (0, 24)
    assert (honest["pixels"], hidden["pixels"]) == (192, 168)


def test_what_lacks_a_truth_is_not_missing():
    truth = step()
    with_holes = truth.copy()
    with_holes[:3] = HOLE
    holey = Case("scene", case(truth).source, case(truth).guide, with_holes)
    scores = score(np.full(truth.shape, HOLE), holey)
    assert (scores["pixels"], scores["missing"]) == (0, 9 * 16)
    assert all(math.isnan(scores[name]) for name in SCORES.keys() - {"pixels", "missing"})


@needs_niqe
def test_niqe_is_for_nir_and_where_there_is_no_truth():
    truth = np.random.default_rng(0).integers(0, 255, (96, 192)).astype(float)
    depth, nir = case(truth + 1), case(truth, modality="nir")
    without_truth = Case("scene", depth.source, depth.guide, None)
    assert math.isnan(score(truth, depth)["niqe"])
    assert score(truth, nir)["niqe"] > 5  # noise is no natural image
    scores = score(truth, without_truth)
    assert scores["niqe"] > 5 and math.isfinite(scores["consistency"])
    assert (scores["pixels"], scores["missing"]) == (0, 0) and math.isnan(scores["rmse"])


@needs_niqe
def test_an_image_too_small_for_niqe_gets_none_and_a_reason():
    truth = step((12, 96))
    assert math.isnan(score(truth, case(truth, modality="nir"))["niqe"])
    assert niqe_refusal(truth) == "NIQE needs at least 96x96 pixels, not 96x12"
    assert niqe_refusal(np.full((96, 96), HOLE)) == "NIQE needs an estimate that has pixels"
    assert niqe_refusal(np.ones((96, 96))) is None


def test_niqe_sees_nir_counts_as_they_are():
    truth = np.arange(64.0).reshape(8, 8)
    np.testing.assert_array_equal(grey_levels(truth, case(truth).pair(), "nir"), truth)


@pytest.mark.parametrize(("modality", "scale", "offset"), [("depth", 0.01, 0.5), ("nir", 300, 1000)])
def test_niqe_sees_other_images_stretched_from_their_sources_range(modality, scale, offset):
    truth = np.arange(64.0).reshape(8, 8) * scale + offset
    pair = case(truth, modality=modality).pair()
    levels = grey_levels(truth, pair, modality)
    low, high = pair.source.min(), pair.source.max()
    np.testing.assert_allclose(levels, np.clip(255 * (truth - low) / (high - low), 0, 255), atol=0.01)
    truth[2:4, 2:4] = HOLE
    assert np.isfinite(grey_levels(truth, pair, modality)).all()


def test_an_estimate_of_another_size_is_refused_by_the_cases_name():
    with pytest.raises(
        InputError, match=r"scene: estimate of shape \(6, 8\), expected the guide's \(12, 16\)"
    ):
        score(np.zeros((6, 8)), case(step()))
    wrong = Case("scene", case(step()).source, case(step()).guide, np.zeros((6, 8)))
    with pytest.raises(InputError, match=r"scene: truth of shape \(6, 8\)"):
        score(np.zeros((12, 16)), wrong)
