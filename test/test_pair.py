"""A pair is checked where it enters: shapes, types, validity after REP 117 and REP 118."""

import numpy as np
import pytest

from robself.errors import InputError, RobSelfError
from robself.pair import Pair

GUIDE = np.zeros((8, 10, 3), np.uint8)
SOURCE = np.full((4, 5), 2.0, np.float32)


@pytest.mark.parametrize("invalid", [np.nan, np.inf, -np.inf, 0.0, -0.0, -3.0])
def test_depth_that_is_not_a_positive_number_is_invalid(invalid):
    source = SOURCE.copy()
    source[1, 2] = invalid
    pair = Pair.from_images(source, GUIDE)
    assert np.argwhere(~pair.valid).tolist() == [[1, 2]]


@pytest.mark.parametrize(("value", "valid"), [(0.0, True), (-1.0, True), (np.nan, False), (np.inf, False)])
def test_near_infrared_may_be_dark_but_must_be_a_number(value, valid):
    source = SOURCE.copy()
    source[1, 2] = value
    assert Pair.from_images(source, GUIDE, modality="nir").valid[1, 2] == valid


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float16, np.float32, np.float64])
def test_sources_become_float32_of_the_same_values(dtype):
    source = np.array([[0, 200], [3, 4]], dtype)
    pair = Pair.from_images(source, GUIDE)
    assert pair.source.dtype == np.float32
    assert pair.source.tolist() == [[0, 200], [3, 4]]
    assert pair.valid.tolist() == [[False, True], [True, True]]
    assert pair.size == (8, 10)


def test_the_largest_uint16_is_a_value_like_any_other():
    assert Pair.from_images(np.full((4, 5), 65535, np.uint16), GUIDE).source.max() == 65535


def test_a_float64_too_large_for_float32_is_invalid():
    source = SOURCE.astype(np.float64)
    source[0, 0] = 1e300
    with np.errstate(over="ignore"):
        assert not Pair.from_images(source, GUIDE).valid[0, 0]


def test_the_callers_images_are_not_changed():
    source, guide = SOURCE.copy(), GUIDE.copy()
    source[0, 0] = np.nan
    before = source.copy(), guide.copy()
    Pair.from_images(source, guide)
    np.testing.assert_array_equal(source, before[0])
    np.testing.assert_array_equal(guide, before[1])


def test_a_grey_guide_becomes_three_equal_channels():
    grey = np.arange(80, dtype=np.uint8).reshape(8, 10)
    guide = Pair.from_images(SOURCE, grey).guide
    assert guide.shape == (8, 10, 3) and guide.flags["C_CONTIGUOUS"]
    assert (guide == grey[..., None]).all()


def test_a_guide_that_is_a_view_is_taken():
    view = np.zeros((8, 20, 4), np.uint8)[:, ::2, 2::-1]
    assert Pair.from_images(SOURCE, view).guide.flags["C_CONTIGUOUS"]


def test_one_valid_pixel_is_enough():
    source = np.zeros((4, 5), np.float32)
    source[3, 4] = 1.5
    assert Pair.from_images(source, GUIDE).valid.sum() == 1


@pytest.mark.parametrize(
    ("source", "guide", "complaint"),
    [
        (np.zeros((4, 5), np.float32), GUIDE, "none of its 20 pixels is valid"),
        (np.full((4, 5), np.nan), GUIDE, "none of its 20 pixels is valid"),
        (SOURCE[None], GUIDE, r"source: shape \(1, 4, 5\), expected \(h, w\)"),
        (SOURCE[:0], GUIDE, r"source: shape \(0, 5\)"),
        (np.float32(3), GUIDE, r"source: shape \(\)"),
        (SOURCE.astype(np.int16), GUIDE, "source: type int16, expected float or unsigned"),
        (SOURCE > 1, GUIDE, "source: type bool"),
        (SOURCE.astype(complex), GUIDE, "source: type complex128"),
        (SOURCE, GUIDE[..., :2], r"guide: shape \(8, 10, 2\), expected \(H, W, 3\)"),
        (SOURCE, np.zeros((8, 10, 4), np.uint8), r"guide: shape \(8, 10, 4\)"),
        (SOURCE, GUIDE[:0], r"guide: shape \(0, 10, 3\)"),
        (SOURCE, GUIDE / 255, "guide: type float64, expected uint8"),
        (SOURCE, GUIDE[:3], "guide: 10x3 is smaller than the source's 5x4"),
        (SOURCE, GUIDE[:, :4], "guide: 4x8 is smaller than the source's 5x4"),
    ],
)
def test_an_unusable_image_is_refused_saying_what_was_expected(source, guide, complaint):
    with pytest.raises(InputError, match=complaint) as raised:
        Pair.from_images(source, guide)
    assert isinstance(raised.value, RobSelfError) and "\n" not in str(raised.value)


@pytest.mark.parametrize(("size", "factor"), [((8, 10), 2), ((12, 10), 2), ((8, 20), 2), ((9, 13), 2.25)])
def test_the_factor_is_the_smaller_one_of_both_axes(size, factor):
    assert Pair.from_images(SOURCE, np.zeros((*size, 3), np.uint8)).factor == factor


def test_a_guide_mask_of_another_size_is_refused():
    with pytest.raises(InputError, match=r"guide_valid: shape \(4, 5\), expected \(8, 10\)"):
        Pair.from_images(SOURCE, GUIDE, guide_valid=np.ones((4, 5), bool))
