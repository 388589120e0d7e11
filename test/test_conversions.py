"""Image messages checked before a pixel is touched, and results turned into messages."""

import re
import sys
import timeit
from array import array

import cv2
import numpy as np
import pytest
from robot import camera_info, image, pixels_of
from robot import compressed as compressed_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from robself import compressed_depth
from robself.errors import InputError
from robself.packed_image import PackedImage
from robself_ros.conversions import (
    Rejected,
    check_image,
    check_stamp,
    guide_encodings,
    guide_of,
    image_message,
    scaled_camera_info,
    source_encodings,
    source_message,
    source_of,
    stamp_ns,
)

DEPTH = np.array([[1000, 2000, 0], [3000, 65535, 1]], np.uint16)


@pytest.mark.parametrize(
    "fields, cause, told",
    [
        ({"encoding": "rgb8"}, "encoding", "encoding 'rgb8', expected 16UC1, mono16, 32FC1"),
        ({"encoding": "bayer_rggb8"}, "encoding", "encoding 'bayer_rggb8', expected 16UC1"),
        ({"height": 0}, "size", "size 3x0, expected both > 0"),
        ({"is_bigendian": 7}, "is_bigendian", "is_bigendian 7, expected 0 or 1"),
        ({"step": 5}, "step", "step 5, expected at least 6 for 3 px of 16UC1"),
        ({"height": 3}, "data", "12 bytes, expected step * height = 6 * 3 = 18"),
        ({"data": array("B")}, "data", "0 bytes"),
    ],
)
def test_a_message_that_is_not_true_of_its_data_is_rejected_by_cause(fields, cause, told):
    with pytest.raises(Rejected, match=told.replace("*", r"\*")) as caught:
        check_image(image(DEPTH, **{"encoding": "16UC1", **fields}), source_encodings("depth"))
    assert caught.value.cause == cause
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize("modality, encoding", [("depth", "32FC1"), ("nir", "mono8"), ("nir", "8UC1")])
def test_each_modality_has_its_encodings(modality, encoding):
    assert encoding in source_encodings(modality)


def test_depth_is_no_nir_and_colour_is_no_source():
    assert "32FC1" not in source_encodings("nir")
    assert not set(source_encodings("depth")) & {"rgb8", "mono8"}
    assert {"rgb8", "bgr8", "rgba8", "bgra8", "mono8", "yuv422", "bayer_grbg16"} <= set(guide_encodings())


def test_depth_outside_the_range_is_no_measurement():
    metres = source_of(image(DEPTH, "16UC1"), "depth", 0.5, 2.5)
    np.testing.assert_allclose(metres, [[1.0, 2.0, np.nan], [np.nan, np.nan, np.nan]])


def test_nir_is_read_as_counts_whatever_the_depth_range():
    np.testing.assert_array_equal(source_of(image(DEPTH, "mono16"), "nir", 0.5, 2.5), DEPTH)


@pytest.mark.parametrize("encoding", ["bgr8", "bgra8", "rgba8"])
def test_guides_become_rgb(encoding):
    red = {"bgr8": (0, 0, 255), "bgra8": (0, 0, 255, 9), "rgba8": (255, 0, 0, 9)}[encoding]
    pixels = np.full((2, 2, len(red)), red, np.uint8)
    np.testing.assert_array_equal(guide_of(image(pixels, encoding)), np.full((2, 2, 3), (255, 0, 0)))


def test_a_compressed_guide_becomes_rgb():
    red = cv2.imencode(".jpg", np.full((8, 8, 3), (0, 0, 255), np.uint8))[1].tobytes()
    guide = compressed("rgb8; jpeg compressed bgr8", red)
    check_image(guide, guide_encodings())
    assert np.abs(guide_of(guide).astype(int) - (255, 0, 0)).max() <= 2


def test_compressed_depth_becomes_metres():
    source = compressed(*compressed_depth.encode(DEPTH, "16UC1", "rvl"))
    check_image(source, source_encodings("depth"))
    np.testing.assert_allclose(source_of(source, "depth", 0.5, 2.5), [[1.0, 2.0, np.nan], [np.nan] * 3])


@pytest.mark.parametrize(
    "image_format, data, accepted, cause, told",
    [
        (
            "16UC1; jpeg compressed ",
            cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))[1].tobytes(),
            source_encodings("depth"),
            "encoding",
            "encoding 'mono8' (format '16UC1; jpeg compressed '), expected 16UC1, mono16, 32FC1; of depth, 8 bits",
        ),
        (
            *compressed_depth.encode(DEPTH, "16UC1"),
            guide_encodings(),
            "encoding",
            "encoding '16UC1' (format '16UC1; compressedDepth png'), expected rgb8",
        ),
        (
            "jpeg",
            b"GIF89a",
            guide_encodings(),
            "data",
            "6 bytes beginning with 47 49 46 38, expected JPEG or PNG",
        ),
    ],
)
def test_a_compressed_message_is_rejected_by_cause(image_format, data, accepted, cause, told):
    with pytest.raises(Rejected, match=re.escape(told)) as caught:
        check_image(compressed(image_format, data), accepted)
    assert caught.value.cause == cause


def compressed(image_format, data):
    return PackedImage(compressed_message(image_format, data))


def test_a_guide_that_is_rgb_already_is_not_copied():
    message = image(np.zeros((2, 3, 3), np.uint8), "rgb8")
    guide = guide_of(message)
    message.data[0] = 7
    assert guide[0, 0, 0] == 7
    assert not guide.flags.writeable


def test_a_result_keeps_the_encoding_and_its_unit():
    header = Header(frame_id="depth")
    metres = np.array([[1.0004, np.nan], [70.0, -np.inf]], np.float32)
    millimetres = source_message(metres, "16UC1", "depth", header)
    assert millimetres.header == header
    assert (millimetres.encoding, millimetres.step, millimetres.is_bigendian) == (
        "16UC1",
        4,
        sys.byteorder == "big",
    )
    np.testing.assert_array_equal(pixels_of(millimetres), [[1000, 0], [0, 0]])
    floats = pixels_of(source_message(metres, "32FC1", "depth", header))
    np.testing.assert_array_equal(floats, np.array([[1.0004, np.nan], [70.0, np.nan]], np.float32))


def test_messages_are_made_without_a_look_at_every_byte():
    pixels = np.zeros((1000, 1000), np.uint8)

    def shortest(make):
        return min(timeit.repeat(make, number=1, repeat=3))

    one_by_one = shortest(lambda: Image(data=pixels.ravel()))
    assert shortest(lambda: image_message(pixels, "mono8", Header())) < one_by_one / 3


def test_stamps_are_nanoseconds():
    message = Image()
    message.header.stamp.sec, message.header.stamp.nanosec = 1_700_000_000, 123
    assert stamp_ns(message.header) == 1_700_000_000_000_000_123


def test_an_image_without_a_stamp_is_rejected():
    header = Header()
    with pytest.raises(Rejected, match=r"stamp 0\.000000000, expected when it was taken") as caught:
        check_stamp(header)
    assert caught.value.cause == "stamp"
    header.stamp.nanosec = 1
    check_stamp(header)


@pytest.mark.parametrize("modality, ends", [("depth", "32FC1; .* or compressedDepth"), ("nir", "16UC1")])
def test_the_advice_to_send_more_bits_is_for_depth_alone(modality, ends):
    jpeg = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    with pytest.raises(Rejected, match=rf"expected .*{ends}$"):
        check_image(compressed("rgb8; jpeg compressed bgr8", jpeg), source_encodings(modality))


def test_a_scaled_camera_info_is_of_the_unrectified_image_and_leaves_the_original_alone():
    """K of the raw lens stays beside its D; only P describes the rectified image."""
    info = camera_info((18, 24), 30.0, d=(0.1, -0.2, 0.0, 0.0, 0.0))
    info.p[0] = info.p[5] = 20.0
    scaled = scaled_camera_info(info, (36, 48), Header(frame_id="depth"))
    assert (scaled.k[0], scaled.p[0]) == (60.0, 40.0)
    assert scaled.d == info.d
    assert (info.width, info.k[0]) == (24, 30.0)


def test_a_region_of_interest_scales_with_the_image():
    info = camera_info((180, 240), 300.0)
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 20, 10, 120, 90
    scaled = scaled_camera_info(info, (180, 240), Header())
    roi = scaled.roi
    assert (scaled.width, scaled.height) == (480, 360)
    assert (roi.x_offset, roi.y_offset, roi.width, roi.height) == (40, 20, 240, 180)
