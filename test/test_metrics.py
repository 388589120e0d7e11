"""Errors against the truth."""

import numpy as np
import pytest

from robself.errors import InputError
from robself.metrics import common_pixels, errors_of, percentile, spread

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
