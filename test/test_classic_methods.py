"""The peers that learn nothing: each is what its paper's equations say, and knows what it does not know."""

import numpy as np
import pytest
from real_data import real_file

from robself.datasets import Case
from robself.evaluation.scores import score
from robself.methods import METHODS, Settings
from robself.methods.guided_filter import filtered, radius_for
from robself.methods.joint_bilateral import upsampled as joint_bilateral
from robself.pair import Pair
from robself.upsampling import enlarge_mask

CLASSIC = (
    "nearest",
    "bilinear",
    "bicubic",
    "back_projection",
    "edge_prior",
    "guided_filter",
    "joint_bilateral",
)
SCENES = ("Aloe", "Art", "Baby1", "Midd1", "Moebius", "Reindeer")
BICUBIC_X4 = (3.02, 5.75, 2.53, 1.80, 1.04, 3.98)  # the data's README


def run(name, source, guide, **settings):
    return METHODS[name].run(Pair.from_images(source, guide, **settings), Settings()).sr


def edge(size=(18, 24), factor=3):
    """Two planes, their picture, and the block mean of their depth: truth, guide, source."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    near = columns + 0.4 * rows < 0.55 * size[1]
    truth = np.where(near, 900.0, 1500.0).astype(np.float32)
    guide = np.where(near[..., None], (200, 90, 40), (30, 140, 220)).astype(np.uint8)
    blocks = truth.reshape(size[0] // factor, factor, size[1] // factor, factor)
    return truth, guide, blocks.mean((1, 3)).astype(np.float32)


def rmse(estimate, truth):
    return np.sqrt(np.mean((estimate - truth) ** 2))


@pytest.mark.parametrize("name", CLASSIC)
@pytest.mark.parametrize("size", [(18, 24), (17, 25)], ids=["x3", "x2.8"])
def test_constant_sources_stay_constant(name, size):
    guide = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    sr = run(name, np.full((6, 8), 1234.5, np.float32), guide)
    assert sr.shape == size and sr.dtype == np.float32
    np.testing.assert_allclose(sr, 1234.5, rtol=1e-5)


@pytest.mark.parametrize("name", CLASSIC)
def test_estimates_are_empty_where_the_source_measured_nothing(name):
    _, guide, source = edge()
    source[2, 3] = source[5, 7] = 0
    sr = run(name, source, guide)
    np.testing.assert_array_equal(np.isfinite(sr), enlarge_mask(source > 0, guide.shape[:2]))
    assert np.nanmin(sr) > 700 and np.nanmax(sr) < 1700  # nor has a hole's value leaked


@pytest.mark.parametrize("name", CLASSIC)
def test_zero_is_a_value_of_nir(name):
    _, guide, source = edge()
    source[2, 3] = 0
    assert np.isfinite(run(name, source, guide, modality="nir")).all()


@pytest.mark.parametrize("name", CLASSIC)
def test_classic_methods_need_no_seed(name):
    assert not METHODS[name].random and not METHODS[name].learns


@pytest.mark.parametrize("size", [(18, 24), (17, 25), (20, 20)])
def test_nearest_takes_the_source_pixel_under_each_centre(size):
    source = 1 + np.arange(48, dtype=np.float32).reshape(6, 8)
    (height, width), guide = size, np.zeros((*size, 3), np.uint8)
    # In whole numbers: centre (2 y + 1) / 2 of H pixels lies in source pixel floor((2 y + 1) h / (2 H)).
    rows = (2 * np.arange(height) + 1) * 6 // (2 * height)
    columns = (2 * np.arange(width) + 1) * 8 // (2 * width)
    np.testing.assert_array_equal(run("nearest", source, guide), source[np.ix_(rows, columns)])


def test_bilinear_keeps_a_ramp_where_it_was():
    source = 10 + np.arange(8, dtype=np.float32) * np.ones((6, 1), np.float32)
    sr = run("bilinear", source, np.zeros((18, 24, 3), np.uint8))
    expected = 10 + np.clip((np.arange(24) + 0.5) / 3 - 0.5, 0, 7)
    np.testing.assert_allclose(sr, expected * np.ones((18, 1)), atol=1e-5)


def test_back_projection_explains_the_source_better_than_bicubic():
    truth, guide, source = edge()
    case = Case("edge", source, guide, truth)
    bicubic, projected = (score(run(name, source, guide), case) for name in ("bicubic", "back_projection"))
    assert projected["consistency"] < 0.1 * bicubic["consistency"]
    assert projected["rmse"] < bicubic["rmse"]


def test_the_edge_prior_draws_a_steeper_edge_than_bicubic():
    truth, guide, source = edge()
    assert rmse(run("edge_prior", source, guide), truth) < 0.95 * rmse(run("bicubic", source, guide), truth)


@pytest.mark.parametrize("name", ["guided_filter", "joint_bilateral"])
def test_guides_draw_the_edge_only_where_they_have_it(name):
    truth, guide, source = edge()
    moved = np.roll(guide, 5, axis=1)
    bicubic = rmse(run("bicubic", source, guide), truth)
    assert rmse(run(name, source, guide), truth) < 0.8 * bicubic
    assert rmse(run(name, source, moved), truth) > bicubic


def test_the_guided_filter_is_that_of_the_papers_equations():
    random = np.random.default_rng(0)
    image, guide, radius, epsilon = random.random((7, 9)), random.random((7, 9, 3)), 2, 0.01
    padded = [(radius, radius), (radius, radius)]
    image_outside = np.pad(image, padded, mode="edge")
    guide_outside = np.pad(guide, [*padded, (0, 0)], mode="edge")
    slopes, offsets = np.zeros((7, 9, 3)), np.zeros((7, 9))
    for y in range(7):
        for x in range(9):
            window = slice(y, y + 2 * radius + 1), slice(x, x + 2 * radius + 1)
            values, colours = image_outside[window].ravel(), guide_outside[window].reshape(-1, 3)
            covariance = np.cov(colours, rowvar=False, bias=True)
            product = (colours * values[:, None]).mean(0) - colours.mean(0) * values.mean()
            slopes[y, x] = np.linalg.solve(covariance + epsilon * np.eye(3), product)  # Eq. 14
            offsets[y, x] = values.mean() - slopes[y, x] @ colours.mean(0)  # Eq. 15
    slopes = np.pad(slopes, [*padded, (0, 0)], mode="edge")
    offsets = np.pad(offsets, padded, mode="edge")
    expected = np.zeros((7, 9))
    for y in range(7):
        for x in range(9):
            window = slice(y, y + 2 * radius + 1), slice(x, x + 2 * radius + 1)
            mean_slope = slopes[window].reshape(-1, 3).mean(0)
            expected[y, x] = mean_slope @ guide[y, x] + offsets[window].mean()  # Eq. 16
    np.testing.assert_allclose(filtered(image, guide, radius, epsilon), expected, atol=1e-12)


@pytest.mark.parametrize("factor", [1, 2, 2.67, 4, 8])
def test_the_guided_filters_window_spans_a_source_pixel(factor):
    assert factor <= 2 * radius_for(factor) + 1 <= factor + 3


@pytest.mark.parametrize("factor", [2, 3])
def test_joint_bilateral_upsampling_is_that_of_the_papers_equation(factor):
    random = np.random.default_rng(0)
    source, guide = random.random((4, 5)), random.random((4 * factor, 5 * factor, 3))
    expected = np.zeros(guide.shape[:2])
    for y, x in np.ndindex(expected.shape):
        low_y, low_x = (y + 0.5) / factor - 0.5, (x + 0.5) / factor - 0.5
        total = weights = 0.0
        for row, column in np.ndindex(source.shape):
            if abs(row - np.rint(low_y)) > 2 or abs(column - np.rint(low_x)) > 2:
                continue
            centre = [int(np.floor((index + 0.5) * factor - 0.5)) for index in (row, column)]
            extent = 2 - factor % 2  # of pixels that share a source pixel's centre
            colour = guide[centre[0] : centre[0] + extent, centre[1] : centre[1] + extent].mean((0, 1))
            distance = (row - low_y) ** 2 + (column - low_x) ** 2
            weight = np.exp(-distance / (2 * 0.5**2)) * np.exp(
                -np.sum((guide[y, x] - colour) ** 2) / (2 * 0.1**2)
            )
            total, weights = total + weight * source[row, column], weights + weight
        expected[y, x] = total / weights
    np.testing.assert_allclose(joint_bilateral(source, guide), expected, atol=1e-9)


def real_case(name):
    with np.load(real_file("cases", f"{name}.npz")) as case:
        return Case(name, case["lr"], case["guide"], case["gt"])


@pytest.fixture(scope="module")
def real_rmse():
    """Mean over the six scenes, and bicubic's of each: x4, guides misaligned."""
    cases = [real_case(f"c192_{scene}_x4_mis") for scene in SCENES]
    return {
        name: np.array([score(METHODS[name].run(case.pair(), Settings()).sr, case)["rmse"] for case in cases])
        for name in CLASSIC
    }


@pytest.mark.data
def test_bicubics_errors_on_real_pairs_are_the_reference_figures(real_rmse):
    np.testing.assert_allclose(real_rmse["bicubic"], BICUBIC_X4, atol=0.006)


@pytest.mark.data
def test_back_projection_is_the_floor_without_a_guide(real_rmse):
    ratio = real_rmse["back_projection"] / real_rmse["bicubic"]
    assert (ratio > 0.85).all() and (ratio < 0.97).all()


@pytest.mark.data
@pytest.mark.parametrize("name", ["nearest", "bilinear", "guided_filter", "joint_bilateral"])
def test_other_classic_methods_are_worse_than_bicubic_on_misaligned_guides(real_rmse, name):
    assert real_rmse[name].mean() > 1.1 * real_rmse["bicubic"].mean()
