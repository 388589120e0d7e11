"""Image messages as bytes, arrays and RGB."""

from array import array
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robself.errors import InputError
from robself.image_encoding import COLOUR_ENCODINGS, LAYOUTS, decode, encode, to_rgb


def image_message(pixels, encoding, /, **changes):
    return SimpleNamespace(**(encode(pixels, encoding) | changes))


@pytest.mark.parametrize("encoding", LAYOUTS)
def test_every_encoding_survives_the_round_trip(encoding):
    layout = LAYOUTS[encoding]
    shape = (4, 6) if layout.channels == 1 else (4, 6, layout.channels)
    pixels = np.random.default_rng(0).integers(0, 200, shape).astype(layout.dtype)
    decoded = decode(image_message(pixels, encoding))
    np.testing.assert_array_equal(decoded, pixels)
    assert decoded.dtype == pixels.dtype


def test_a_decoded_image_does_not_change_with_its_message():
    message = image_message(np.zeros((2, 3), np.uint8), "mono8")
    decoded = decode(message)
    message.data[:] = 9
    assert (decoded == 0).all()


def test_bytes_have_no_order_so_that_none_are_swapped_or_copied():
    message = image_message(np.zeros((2, 3), np.uint8), "mono8", is_bigendian=1)
    assert np.may_share_memory(decode(message, copy=False), message.data)


def test_padding_after_the_last_row_may_be_missing():
    data = np.arange(10, dtype=np.uint8)
    message = SimpleNamespace(height=2, width=4, step=6, encoding="mono8", is_bigendian=0, data=data)
    np.testing.assert_array_equal(decode(message), [[0, 1, 2, 3], [6, 7, 8, 9]])


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(LAYOUTS)),
    st.integers(1, 5),
    st.integers(1, 7),
    st.integers(0, 9),
    st.booleans(),
    st.data(),
)
def test_every_encoding_is_read_whatever_its_padding_and_byte_order(
    encoding, height, width, padding, big_endian, draw
):
    layout = LAYOUTS[encoding]
    stored = np.dtype(layout.dtype).newbyteorder("><"[not big_endian])
    row = width * layout.channels * stored.itemsize
    octets = draw.draw(st.binary(min_size=height * row, max_size=height * row))
    rows = np.frombuffer(octets, np.uint8).reshape(height, row)
    data = np.pad(rows, ((0, 0), (0, padding)), constant_values=170)
    message = SimpleNamespace(
        height=height,
        width=width,
        step=row + padding,
        encoding=encoding,
        is_bigendian=int(big_endian),
        data=array("B", data.tobytes()) if draw.draw(st.booleans()) else data.ravel(),
    )
    decoded = decode(message)
    shape = (height, width) if layout.channels == 1 else (height, width, layout.channels)
    expected = np.frombuffer(octets, stored).reshape(shape)
    np.testing.assert_array_equal(decoded, expected)
    assert decoded.dtype == layout.dtype


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"step": 7}, "step 7, expected at least 8"),
        ({"height": 4}, r"16 bytes, expected step \* height = 8 \* 4 = 32"),
        ({"height": 1}, r"16 bytes, expected step \* height = 8 \* 1 = 8"),
        (
            {"height": 100_000, "width": 100_000, "step": 200_000},
            "size 100000x100000, expected both > 0 and at most",
        ),
        ({"height": 1, "width": 40_000, "step": 80_000}, "size 40000x1, expected no side above 32764"),
        ({"is_bigendian": 2}, "is_bigendian 2, expected 0 or 1"),
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
    layout = LAYOUTS[encoding]
    shape = (4, 6) if layout.channels == 1 else (4, 6, layout.channels)
    grey = np.full(shape, 128 * 257 if layout.dtype == np.uint16 else 128, layout.dtype)
    rgb = to_rgb(grey, encoding)
    assert rgb.shape == (4, 6, 3) and rgb.dtype == np.uint8
    # YUV's video range stretches mid grey by two levels.
    assert np.abs(rgb.astype(int) - 128).max() <= 3


@pytest.mark.parametrize(
    ("encoding", "luminance"), [("yuv422", 1), ("uyvy", 1), ("yuv422_yuy2", 0), ("yuyv", 0)]
)
def test_the_two_orders_of_yuv_are_told_apart(encoding, luminance):
    pixels = np.full((2, 4, 2), 128, np.uint8)
    pixels[..., luminance] = 235
    assert (to_rgb(pixels, encoding) >= 250).all()


def test_red_is_red_in_yuv():
    y, u, v = 81, 90, 240  # BT.601's red
    pairs = {"yuv422": [(u, y), (v, y)], "yuv422_yuy2": [(y, u), (y, v)]}
    for encoding, pair in pairs.items():
        pixels = np.tile(np.array(pair, np.uint8), (2, 3, 1))
        assert np.abs(to_rgb(pixels, encoding).astype(int) - (255, 0, 0)).max() <= 2


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_mosaic_gets_its_colours_back(pattern, bits):
    """Every pixel of the sensor sees the one colour that its pattern names; the left half is orange, the right blue."""
    orange, blue = (220, 130, 20), (10, 60, 240)
    colours = np.full((8, 16, 3), orange, np.uint8)
    colours[:, 8:] = blue
    mosaic = np.zeros((8, 16), np.uint8)
    for place, letter in enumerate(pattern):
        here = np.s_[place // 2 :: 2, place % 2 :: 2]
        mosaic[here] = colours[here][..., "rgb".index(letter)]
    pixels = mosaic if bits == 8 else mosaic.astype(np.uint16) * 257
    rgb = to_rgb(pixels, f"bayer_{pattern}{bits}")
    np.testing.assert_array_equal(rgb[:, :6], colours[:, :6])
    np.testing.assert_array_equal(rgb[:, 10:], colours[:, 10:])


@pytest.mark.parametrize("encoding", ["rgb8", "8UC3"])
def test_three_bytes_without_an_order_are_rgb(encoding):
    orange = np.full((2, 2, 3), (220, 130, 20), np.uint8)
    np.testing.assert_array_equal(to_rgb(decode(image_message(orange, encoding)), encoding), orange)


def test_the_smallest_mosaic_has_three_rows_and_columns():
    assert to_rgb(np.full((3, 3), 90, np.uint8), "bayer_rggb8").shape == (3, 3, 3)


def test_16_bits_become_8_by_rounding():
    grey = np.array([[0, 128, 129, 257 * 200 + 128, 257 * 200 + 129, 65535]], np.uint16)
    np.testing.assert_array_equal(to_rgb(grey, "mono16")[..., 0], [[0, 0, 1, 200, 201, 255]])


@pytest.mark.parametrize(
    ("encoding", "shape", "complaint"),
    [
        ("16UC1", (4, 4), "'16UC1' is not supported, expected rgb8"),
        ("32FC1", (4, 4), "'32FC1' is not supported, expected rgb8"),
        ("yuv422", (4, 5, 2), "guide of yuv422: width 5, expected an even one"),
        ("bayer_rggb8", (2, 8), "guide of bayer_rggb8: size 8x2, expected at least 3x3"),
    ],
)
def test_a_guide_without_colours_is_refused(encoding, shape, complaint):
    with pytest.raises(InputError, match=complaint):
        to_rgb(np.zeros(shape, LAYOUTS[encoding].dtype), encoding)
