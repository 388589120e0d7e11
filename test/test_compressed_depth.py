"""image_transport's compressedDepth, there and back."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from real_data import real_file

from robself.compressed_depth import decode, depth_of, encode
from robself.errors import InputError

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
CODECS = st.sampled_from(["png", "rvl"])
MILLIMETRES = np.array([[0, 500, 65535], [1, 0, 3000]], np.uint16)


@settings(deadline=None)
@given(arrays(np.uint16, SHAPES), CODECS, st.sampled_from(["16UC1", "mono16"]))
def test_millimetres_come_back_exactly(depth, codec, encoding):
    np.testing.assert_array_equal(decode(*encode(depth, encoding, codec)), depth)


@settings(deadline=None)
@given(arrays(np.float32, SHAPES, elements=st.floats(0.15625, 9.875, width=32)), CODECS)
def test_metres_come_back_within_half_a_step_of_inverse_depth(depth, codec):
    """A step of 1 / (100 * 101) of inverse depth is d^2 / 10100 of depth d."""
    np.testing.assert_array_less(abs(decode(*encode(depth, "32FC1", codec)) - depth), depth**2 / 10100 * 0.52)


@pytest.mark.parametrize("codec", ["png", "rvl"])
@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf, 0.0, -1.0, 10.0, 0.1])
def test_what_is_no_depth_comes_back_as_no_measurement(nothing, codec):
    depth = np.array([[2.0, nothing, 3.0]], np.float32)
    np.testing.assert_allclose(decode(*encode(depth, "32FC1", codec)), [[2.0, np.nan, 3.0]], rtol=1e-3)


def test_the_header_holds_the_quantisation():
    """q = A / depth + B with A = 100 * 101 and B = 1 - A / 10 m."""
    image_format, data = encode(np.array([[2.0]], np.float32), "32FC1", "rvl")
    assert image_format == "32FC1; compressedDepth rvl"
    assert struct.unpack("<iffII", data[:20]) == (0, 10100.0, -1009.0, 1, 1)
    png = (
        struct.pack("<iff", 0, 50.0, -5.0) + cv2.imencode(".png", np.array([[5, 0]], np.uint16))[1].tobytes()
    )
    np.testing.assert_array_equal(
        decode("32FC1; compressedDepth png", png), np.array([[5.0, np.nan]], np.float32)
    )


@pytest.mark.parametrize(
    "older", ["16UC1", "16UC1; compressedDepth", "16UC1;compressedDepth png", "16UC1; png"]
)
def test_the_formats_of_older_senders_are_png(older):
    _, data = encode(MILLIMETRES, "16UC1")
    np.testing.assert_array_equal(decode(older, data), MILLIMETRES)


def test_the_size_is_known_without_reading_a_pixel():
    for codec in ("png", "rvl"):
        image_format, data = encode(MILLIMETRES, "16UC1", codec)
        depth = depth_of(image_format, data[:60])
        assert (depth.encoding, depth.width, depth.height) == ("16UC1", 3, 2)


@pytest.mark.parametrize(
    ("image_format", "data", "complaint"),
    [
        (
            "16UC1; compressedDepth zip",
            bytes(40),
            "compressedDepth zip', expected 16UC1, mono16, 32FC1 followed by",
        ),
        ("rgb8; compressedDepth png", bytes(40), "'rgb8; compressedDepth png', expected 16UC1"),
        ("16UC1; compressedDepth rvl", bytes(19), "19 bytes, expected at least 20"),
        ("16UC1; compressedDepth rvl", bytes(24), "RVL: size 0x0"),
        ("16UC1; compressedDepth rvl", bytes(12) + b"\xff" * 40, "RVL: size 4294967295x4294967295"),
        (
            "16UC1; compressedDepth rvl",
            struct.pack("<iffII", 0, 0, 0, 5000, 5000),
            "data end after 0 of 25000000",
        ),
        ("16UC1; compressedDepth png", bytes(30), "beginning with 00 00 00 00, expected JPEG or PNG"),
        ("32FC1; compressedDepth rvl", struct.pack("<iffII", 0, np.nan, 0, 1, 1), "quantised by A = nan"),
        (
            "16UC1; compressedDepth png",
            bytes(12) + cv2.imencode(".png", np.zeros((2, 2), np.uint8))[1].tobytes(),
            "PNG of 8 bits, expected one channel of 16",
        ),
    ],
)
def test_data_that_cannot_be_depth_are_refused(image_format, data, complaint):
    with pytest.raises(InputError, match=complaint):
        decode(image_format, data)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["16UC1", "32FC1", "mono16"]),
    CODECS,
    st.sampled_from([b"", struct.pack("<iffII", 0, 9.0, 1.0, 6, 4), bytes(12) + b"\x89PNG\r\n\x1a\n"]),
    st.binary(max_size=80),
)
def test_random_bytes_are_an_image_or_an_error_of_one_line(encoding, codec, beginning, rest):
    try:
        assert decode(f"{encoding}; compressedDepth {codec}", beginning + rest).ndim == 2
    except InputError as error:
        assert "\n" not in str(error)


def test_an_array_that_does_not_fit_its_encoding_is_not_encoded():
    with pytest.raises(InputError, match=r"float64 of shape \(2, 2\) is no 32FC1 image"):
        encode(np.zeros((2, 2)), "32FC1")


@pytest.mark.data
@pytest.mark.parametrize("codec", ["png", "rvl"])
def test_a_real_depth_image_comes_back_smaller_and_unchanged(codec):
    depth = cv2.imread(str(real_file("frames", "redwood_0.png")), cv2.IMREAD_UNCHANGED)
    image_format, data = encode(depth, "16UC1", codec)
    assert len(data) < depth.nbytes / 2
    np.testing.assert_array_equal(decode(image_format, data), depth)
