"""Errors against the truth, and against the source."""

import numpy as np
import pytest

from robself.errors import InputError
from robself.metrics import (
    common_pixels,
    delta1,
    errors_of,
    near_edges,
    percentile,
    source_consistency,
    spread,
)

HOLE = np.nan


def test_errors_are_those_of_the_formulas():
    truth = np.array([[1.0, 2.0], [3.0, 4.0]])
    errors = errors_of(truth + np.array([[3.0, -4.0], [0.0, 0.0]]), truth, np.ones((2, 2), bool))
    assert errors == (np.sqrt(25 / 4), 7 / 4, 4)


def test_only_judged_pixels_count():
    truth, estimate = np.array([[1.0, HOLE, 5.0]]), np.array([[2.0, 7.0, HOLE]])
    judged = common_pixels(truth, estimate)
    assert judged.tolist() == [[True, False, False]]
    assert errors_of(estimate, truth, judged) == (1.0, 1.0, 1)


def test_no_pixel_gives_no_number():
    nothing = np.full((2, 2), HOLE)
    errors = errors_of(nothing, nothing, common_pixels(nothing, nothing))
    assert np.isnan(errors.rmse) and np.isnan(errors.mae) and errors.pixels == 0


def test_differences_of_unsigned_images_do_not_wrap():
    low, high = np.full((2, 2), 7, np.uint16), np.full((2, 2), 9, np.uint16)
    assert errors_of(low, high, np.ones((2, 2), bool)) == (2.0, 2.0, 4)


def test_images_of_different_sizes_are_not_compared():
    with pytest.raises(InputError, match="3x2, 4x2 cannot be compared"):
        common_pixels(np.zeros((2, 3)), np.zeros((2, 4)))


def test_what_is_missing_counts_for_no_statistic():
    assert spread([1.0, None, 3.0, HOLE]) == (2.0, 1.0)
    assert percentile([1.0, None, 3.0, HOLE, 5.0], 50) == 3.0
    assert np.isnan(spread([None]).mean) and np.isnan(percentile([], 95))


def test_edges_are_where_the_truth_jumps_and_two_pixels_around():
    truth = np.full((9, 12), 5.0)
    truth[:, 6:] = 8.0
    expected = np.zeros((9, 12), bool)
    expected[:, 4:8] = True
    np.testing.assert_array_equal(near_edges(truth), expected)
    np.testing.assert_array_equal(near_edges(truth.T), expected.T)


@pytest.mark.parametrize(("scale", "offset"), [(1000.0, 0.0), (0.001, 300.0), (-1.0, 0.0)])
def test_edges_depend_on_neither_unit_nor_offset(scale, offset):
    random = np.random.default_rng(0)
    truth = np.where(np.arange(40) < 17, 3.0, 4.0) + 0.004 * random.random((30, 40)) + 0.01 * np.arange(40)
    edges = near_edges(truth)
    assert edges.sum() == 30 * 4  # of the jump alone: not of the slope, not of the noise
    np.testing.assert_array_equal(near_edges(truth * scale + offset), edges)


def test_a_holes_border_is_no_edge():
    truth = np.full((8, 8), 5.0)
    truth[3:5, 3:5] = HOLE
    assert not near_edges(truth).any()
    assert not near_edges(np.full((8, 8), HOLE)).any()


def test_delta1_takes_ratios_both_ways():
    truth = np.array([[4.0, 4.0, 4.0, 4.0, 4.0, 0.0, HOLE]])
    estimate = np.array([[4.9, 5.1, 3.3, 3.1, -4.0, 1.0, 1.0]])
    assert delta1(estimate, truth, common_pixels(estimate, truth)) == 2 / 5
    assert np.isnan(delta1(estimate, truth, np.zeros((1, 7), bool)))


def test_consistency_is_that_of_the_pixels_the_estimate_has():
    source = np.array([[10.0, 20.0, 30.0]], np.float32)
    estimate = np.array([[11.0, HOLE, 20.0, 22.0, HOLE, HOLE], [HOLE, HOLE, 22.0, 24.0, HOLE, HOLE]])
    everywhere = np.ones((1, 3), bool)
    assert source_consistency(estimate, source, everywhere) == pytest.approx((1 + 2) / 2)
    assert source_consistency(estimate, source, np.array([[False, True, True]])) == pytest.approx(2)
    assert np.isnan(source_consistency(estimate, source, np.array([[False, False, True]])))


def test_consistency_takes_factors_that_are_no_integers():
    source = np.array([[6.0, 12.0]], np.float32)
    estimate = np.array([[3.0, 9.0, 15.0]])  # the middle pixel counts by half for both
    assert source_consistency(estimate, source, np.ones((1, 2), bool)) == pytest.approx((1 + 1) / 2)
