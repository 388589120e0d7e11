"""Image messages as bytes, arrays and RGB."""

from types import SimpleNamespace

import numpy as np
import pytest

from robself.errors import InputError
from robself.image_encoding import COLOUR_ENCODINGS, LAYOUTS, decode, encode, to_rgb


def image_message(array, encoding, /, **changes):
    return SimpleNamespace(**(encode(array, encoding) | changes))


@pytest.mark.parametrize("encoding", LAYOUTS)
def test_every_encoding_survives_the_round_trip(encoding):
    layout = LAYOUTS[encoding]
    shape = (4, 6) if layout.channels == 1 else (4, 6, layout.channels)
    array = np.random.default_rng(0).integers(0, 200, shape).astype(layout.dtype)
    decoded = decode(image_message(array, encoding))
    np.testing.assert_array_equal(decoded, array)
    assert decoded.dtype == array.dtype


def test_a_decoded_image_does_not_change_with_its_message():
    message = image_message(np.zeros((2, 3), np.uint8), "mono8")
    decoded = decode(message)
    message.data[:] = 9
    assert (decoded == 0).all()


def test_padding_after_the_last_row_may_be_missing():
    data = np.arange(10, dtype=np.uint8)
    message = SimpleNamespace(height=2, width=4, step=6, encoding="mono8", is_bigendian=0, data=data)
    np.testing.assert_array_equal(decode(message), [[0, 1, 2, 3], [6, 7, 8, 9]])


def test_big_endian_floats_are_read_by_their_values():
    values = np.array([[1.5, -2.25]], np.float32)
    message = image_message(
        values, "32FC1", is_bigendian=1, data=values.astype(">f4").view(np.uint8).reshape(-1)
    )
    np.testing.assert_array_equal(decode(message), values)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"step": 7}, "step 7, expected at least 8"),
        ({"height": 4}, "16 bytes, expected 32"),
        ({"width": 0}, "size 0x2"),
        ({"encoding": "12UC7"}, "'12UC7' is not supported, expected rgb8"),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(changes, complaint):
    with pytest.raises(InputError, match=complaint):
        decode(image_message(np.zeros((2, 4), np.uint16), "16UC1", **changes))


def test_an_array_that_does_not_fit_its_encoding_is_not_written():
    with pytest.raises(InputError, match=r"float64 of shape \(2, 2\), expected float32 with 1 channel"):
        encode(np.zeros((2, 2)), "32FC1")


@pytest.mark.parametrize("encoding", COLOUR_ENCODINGS)
def test_grey_stays_grey_in_every_colour_encoding(encoding):
    channels = LAYOUTS[encoding].channels
    grey = np.full((4, 6) if channels == 1 else (4, 6, channels), 128, np.uint8)
    rgb = to_rgb(grey, encoding)
    assert rgb.shape == (4, 6, 3) and rgb.dtype == np.uint8
    # YUV's video range stretches mid grey by two levels.
    assert np.abs(rgb.astype(int) - 128).max() <= 3


@pytest.mark.parametrize(("encoding", "luminance"), [("yuv422", 1), ("yuv422_yuy2", 0)])
def test_the_two_orders_of_yuv_are_told_apart(encoding, luminance):
    pixels = np.full((2, 4, 2), 128, np.uint8)
    pixels[..., luminance] = 235
    assert (to_rgb(pixels, encoding) >= 250).all()


@pytest.mark.parametrize(
    ("encoding", "complaint"),
    [("bayer_rggb8", "debayer it first"), ("16UC1", "expected rgb8"), ("32FC1", "expected")],
)
def test_a_guide_without_colours_is_refused(encoding, complaint):
    with pytest.raises(InputError, match=complaint):
        to_rgb(np.zeros((2, 2)), encoding)
