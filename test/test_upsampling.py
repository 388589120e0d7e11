"""Enlarging without a guide: holes take their nearest neighbour, pixel centres stay where they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robself.upsampling import bicubic, enlarge_mask, fill_holes


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.floats(0, 0.98), st.integers(0, 999))
def test_holes_take_the_value_of_a_nearest_valid_pixel(height, width, share, seed):
    random = np.random.default_rng(seed)
    valid = random.random((height, width)) >= share
    valid[random.integers(height), random.integers(width)] = True
    source = np.where(valid, np.arange(height * width).reshape(height, width), np.nan).astype(np.float32)
    filled = fill_holes(source, valid)
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled[valid], source[valid])
    rows, columns = np.nonzero(valid)
    for row, column in zip(*np.nonzero(~valid), strict=True):
        origin = divmod(int(filled[row, column]), width)
        assert valid[origin], "filled from an invalid pixel"
        nearest = np.hypot(rows - row, columns - column).min()
        # Distances are summed over 5x5 steps, which are right to about 2 %.
        assert np.hypot(origin[0] - row, origin[1] - column) <= 1.03 * nearest


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e9, 0])
def test_what_a_hole_holds_does_not_matter(value):
    valid = np.random.default_rng(0).random((9, 11)) > 0.5
    source = np.where(valid, 5.0, value).astype(np.float32)
    np.testing.assert_array_equal(fill_holes(source, valid), np.full((9, 11), 5.0, np.float32))


def test_one_valid_pixel_fills_a_whole_image():
    valid = np.zeros((480, 640), bool)
    valid[0, 639] = True
    assert (fill_holes(np.where(valid, 3.5, np.nan).astype(np.float32), valid) == 3.5).all()


def test_a_source_without_holes_is_left_alone():
    source = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    np.testing.assert_array_equal(fill_holes(source, np.ones((4, 5), bool)), source)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 90), st.integers(0, 90))
def test_the_mask_of_every_pixel_is_that_of_the_source_pixel_under_its_centre(rows, columns, more, wider):
    valid = np.random.default_rng(rows * 31 + columns).random((rows, columns)) > 0.5
    height, width = rows + more, columns + wider
    # In whole numbers: centre (2 y + 1) / 2 of H pixels lies in source pixel floor((2 y + 1) h / (2 H)).
    expected = [
        [
            valid[(2 * y + 1) * rows // (2 * height), (2 * x + 1) * columns // (2 * width)]
            for x in range(width)
        ]
        for y in range(height)
    ]
    np.testing.assert_array_equal(enlarge_mask(valid, (height, width)), expected)


@pytest.mark.parametrize("size", [(24, 32), (25, 37), (6, 8)])
def test_bicubic_keeps_a_ramp_where_it_was(size):
    rows, columns = np.mgrid[:6, :8].astype(np.float32)
    enlarged = bicubic(10 + 2 * columns - rows, np.ones((6, 8), bool), size)
    y, x = np.mgrid[: size[0], : size[1]]
    y, x = (y + 0.5) * 6 / size[0] - 0.5, (x + 0.5) * 8 / size[1] - 0.5
    inside = (y >= 1) & (y <= 4) & (x >= 1) & (x <= 6)  # where the kernel sees no border
    # OpenCV's cubic kernel (a = -0.75) bends a straight line by up to 5 % of each step.
    assert np.abs(enlarged - (10 + 2 * x - y))[inside].max() < 0.05 * 3
    assert enlarged.shape == size and enlarged.dtype == np.float32


def cubic(distance):
    """OpenCV's kernel of cubic convolution, a = -0.75."""
    d = abs(distance)
    near = 1.25 * d**3 - 2.25 * d**2 + 1
    return near if d <= 1 else -0.75 * (d**3 - 5 * d**2 + 8 * d - 4) * (d < 2)


def test_bicubic_is_a_cubic_convolution_with_a_repeated_border():
    source = np.random.default_rng(0).random((3, 7)).astype(np.float32)
    shares = np.zeros((20, 7))
    for x in range(20):
        position = (x + 0.5) * 7 / 20 - 0.5
        for column in range(-3, 11):
            shares[x, np.clip(column, 0, 6)] += cubic(position - column)
    enlarged = bicubic(source, np.ones((3, 7), bool), (3, 20))
    np.testing.assert_allclose(enlarged, source @ shares.T, atol=1e-5)


def test_bicubic_of_a_source_with_holes_is_finite_everywhere():
    valid = np.random.default_rng(0).random((5, 6)) > 0.6
    source = np.where(valid, 7.0, np.nan).astype(np.float32)
    np.testing.assert_allclose(bicubic(source, valid, (13, 17)), 7.0, rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_bicubic_takes_a_source_one_pixel_wide(shape):
    enlarged = bicubic(np.full(shape, 3.0, np.float32), np.ones(shape, bool), (10, 10))
    np.testing.assert_allclose(enlarged, 3.0, rtol=1e-6)
