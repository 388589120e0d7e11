"""Compressed messages with the looks of images."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robself import compressed_depth
from robself.errors import InputError
from robself.image_encoding import to_rgb
from robself.packed_image import PackedImage, base_topic
from robself.picture import PNG

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
RGB = np.full((6, 8, 3), (220, 40, 10), np.uint8)


def packed(image_format, data):
    return PackedImage(SimpleNamespace(header=None, format=image_format, data=np.frombuffer(data, np.uint8)))


def file_of(pixels, kind="png"):
    return cv2.imencode(f".{kind}", pixels)[1].tobytes()


@pytest.mark.parametrize(
    ("image_format", "pixels", "encoding"),
    [
        ("mono8; png compressed ", GREY, "mono8"),
        ("8UC1; png compressed ", GREY, "8UC1"),
        ("bayer_rggb8; png compressed ", GREY, "bayer_rggb8"),
        ("png", GREY, "mono8"),
        ("rgb8; png compressed bgr8", GREY, "mono8"),
        ("16UC1; png compressed ", GREY, "mono8"),
        ("16UC1; png compressed ", GREY.astype(np.uint16), "16UC1"),
        ("bayer_gbrg16; png compressed ", GREY.astype(np.uint16), "bayer_gbrg16"),
        ("png", GREY.astype(np.uint16), "mono16"),
        ("bgr8; png compressed bgr8", RGB, "rgb8"),
        ("", RGB, "rgb8"),
    ],
)
def test_the_encoding_is_that_of_the_pixels_by_its_old_name_where_that_fits(image_format, pixels, encoding):
    image = packed(image_format, file_of(pixels))
    assert (image.encoding, image.width, image.height) == (encoding, 8, 6)
    expected = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    np.testing.assert_array_equal(image.pixels(), expected)


@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize("image_format", ["rgb8; jpeg compressed bgr8", "bgra8; png compressed bgr8", "jpeg"])
def test_red_is_red(image_format, kind):
    image = packed(image_format, file_of(RGB[..., ::-1], kind))
    assert np.abs(to_rgb(image.pixels(), image.encoding).astype(int) - RGB).max() <= 4


def test_red_is_red_of_senders_that_compress_rgb_as_if_it_were_bgr():
    image = packed("bgr8; png compressed rgb8", file_of(RGB))
    np.testing.assert_array_equal(image.pixels(), RGB)


@pytest.mark.parametrize("image_format", ["16UC1; compressedDepth rvl", "16UC1; compressedDepth", "16UC1"])
def test_compressed_depth_is_told_by_its_format_or_by_what_it_is_not(image_format):
    depth = GREY.astype(np.uint16)
    _, data = compressed_depth.encode(depth, "16UC1", "rvl" if "rvl" in image_format else "png")
    image = packed(image_format, data)
    assert (image.encoding, image.width, image.height) == ("16UC1", 8, 6)
    np.testing.assert_array_equal(image.pixels(), depth)


def test_a_plain_png_of_depth_needs_no_header():
    image = packed("16UC1", file_of(GREY.astype(np.uint16)))
    np.testing.assert_array_equal(image.pixels(), GREY)


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(
        st.sampled_from(["", "jpeg", "rgb8; jpeg compressed bgr8", "32FC1; compressedDepth rvl"]),
        st.text("16UC;ompresedDth rvlng", max_size=30),
    ),
    st.sampled_from([b"", b"\xff\xd8\xff", PNG, bytes(12)]),
    st.binary(max_size=60),
)
def test_whatever_comes_is_an_image_or_an_error_of_one_line(image_format, beginning, rest):
    image = packed(image_format, beginning + rest)
    try:
        assert image.pixels().shape[:2] == (image.height, image.width)
        assert image.encoding
    except InputError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("topic", "base"),
    [
        ("/camera/color/image_raw/compressed", "/camera/color/image_raw"),
        ("/camera/depth/image_rect/compressedDepth", "/camera/depth/image_rect"),
        ("/camera/color/image_raw", "/camera/color/image_raw"),
        ("/compressed/image", "/compressed/image"),
    ],
)
def test_the_base_topic_is_that_of_the_raw_images(topic, base):
    assert base_topic(topic) == base
