"""How far each pixel may be trusted, judged without the truth."""

import numpy as np
import pytest
from real_data import real_file
from small_pairs import coarse_pair, scene, small_pair, small_resolver

from robself.confidence import FALLEN_BACK, WITHOUT_GUIDE, confidence_of
from robself.config import RobSelfConfig
from robself.online import Budget, OnlineSuperResolver
from robself.pair import Pair
from robself.pass_through import passed_through

CROP = 96  # px of the super-resolved image


def explained():
    """A pair and an image that explains its source to the last bit."""
    pair = small_pair()
    return scene()[0], pair


def test_confidence_is_lower_where_a_source_pixel_is_stepped_than_where_it_is_flat():
    sr, pair = explained()
    confidence = confidence_of(sr, pair, fallback=False)
    assert (confidence.dtype, confidence.shape) == (np.float32, (18, 24))
    assert confidence.min() > 0 and confidence.max() <= 1
    edge = np.abs(np.diff(sr, axis=1)) > 100
    beside = np.zeros(sr.shape, bool)
    beside[:, 1:] |= edge
    beside[:, :-1] |= edge
    assert np.median(confidence[beside]) < 0.5 * np.median(confidence[~beside])


def test_what_does_not_explain_the_source_is_less_trusted():
    sr, pair = explained()
    wrong = sr.copy()
    wrong[2:6, 2:6] += 100
    before, after = (confidence_of(image, pair, fallback=False) for image in (sr, wrong))
    assert (after[2:6, 2:6] < 0.6 * before[2:6, 2:6]).all()
    np.testing.assert_allclose(after[12:], before[12:], rtol=1e-5)


def test_confidence_does_not_depend_on_the_unit():
    sr, pair = explained()
    metres = Pair.from_images(pair.source / 1000, pair.guide)
    expected = confidence_of(sr, pair, fallback=False)
    np.testing.assert_allclose(confidence_of(sr / 1000, metres, fallback=False), expected, rtol=1e-3)


def test_holes_have_no_confidence_and_do_not_spread():
    sr, pair = explained()
    source = pair.source.copy()
    source[4, 2] = np.nan
    holed = Pair.from_images(source, pair.guide)
    confidence = confidence_of(np.where(holed.valid.repeat(2, 0).repeat(2, 1), sr, np.nan), holed, False)
    hole = np.zeros(sr.shape, bool)
    hole[8:10, 4:6] = True
    assert (confidence[hole] == 0).all() and (confidence[~hole] > 0).all()
    whole = confidence_of(sr, pair, fallback=False)
    near = np.zeros(sr.shape, bool)
    near[6:12, 2:8] = ~hole[6:12, 2:8]
    np.testing.assert_allclose(confidence[near], whole[near], rtol=0.1)


def test_without_guide_or_after_a_fallback_less_is_left():
    sr, pair = explained()
    seen = np.ones(sr.shape, bool)
    seen[:, 18:] = False
    half = Pair.from_images(pair.source, pair.guide, guide_valid=seen)
    whole = confidence_of(sr, pair, fallback=False)
    expected = np.where(seen, whole, WITHOUT_GUIDE * whole)
    np.testing.assert_allclose(confidence_of(sr, half, fallback=False), expected, rtol=1e-6)
    np.testing.assert_allclose(confidence_of(sr, half, fallback=True), FALLEN_BACK * whole, rtol=1e-6)


def test_a_constant_source_that_is_explained_is_trusted():
    pair = Pair.from_images(np.full((3, 4), 2.0, np.float32), np.zeros((6, 8, 3), np.uint8))
    assert (confidence_of(np.full((6, 8), 2.0, np.float32), pair, fallback=False) == 1).all()


def test_a_result_knows_its_confidence():
    pair = coarse_pair()
    result = small_resolver().keyframe(pair, Budget(iterations=2))
    expected = confidence_of(result.sr, pair, result.info["fallback"])
    np.testing.assert_array_equal(result.confidence, expected)


def test_what_passes_through_is_trusted_as_it_came():
    pair = small_pair(source_size=(18, 24))
    assert (passed_through(pair, "cpu").confidence == 1).all()


def cropped(name):
    """A pair of a development case, and its truth (CROP, CROP), NaN where there is none."""
    case = np.load(real_file("cases", f"{name}.npz"))
    low, guide, truth = case["lr"], case["guide"], case["gt"]
    factor = guide.shape[0] / low.shape[0]
    size = round(CROP / factor)
    row, column = ((full - size) // 2 for full in low.shape)
    top, left = round(row * factor), round(column * factor)
    inside = np.s_[top : top + CROP, left : left + CROP]
    truth = np.where(truth > 0, truth, np.nan)[inside]
    return Pair.from_images(low[row : row + size, column : column + size], guide[inside]), truth


def judged(name):
    """Errors of the super-resolved pixels of a case, and their confidence."""
    pair, truth = cropped(name)
    resolver = OnlineSuperResolver(RobSelfConfig.from_preset("robot"), "cpu")
    result = resolver.keyframe(pair, Budget(iterations=20))
    seen = np.isfinite(truth) & result.valid
    return (result.sr - truth)[seen], result.confidence[seen]


def check_that_confidence_tells(error, confidence):
    confident = confidence >= np.median(confidence)
    rmse, of_the_rest = (np.sqrt(np.mean(error[half] ** 2)) for half in (confident, ~confident))
    assert confident.mean() < 0.6
    assert rmse < 0.5 * of_the_rest


@pytest.mark.data
@pytest.mark.parametrize("name", ["tum_x4_mis", "rgbdd_real_20200509112638"])
def test_the_most_confident_half_of_a_case_has_less_than_half_of_the_error_of_the_rest(name):
    check_that_confidence_tells(*judged(name))


@pytest.mark.data
def test_the_most_confident_half_over_all_development_scenes_has_less_than_half_of_the_error_of_the_rest():
    scenes = ("Aloe", "Art", "Baby1", "Midd1", "Moebius", "Reindeer")
    of_all = zip(*(judged(f"c192_{scene}_x4_mis") for scene in scenes), strict=True)
    check_that_confidence_tells(*map(np.concatenate, of_all))
