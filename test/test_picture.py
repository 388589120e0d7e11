"""JPEG and PNG: what they say about themselves, and what is done about those that are broken."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robself.errors import InputError
from robself.image_size import MOST_PIXELS
from robself.picture import PNG, picture_of, pixels_of

ROWS, COLUMNS = np.indices((20, 31))
GREY = (5 * ROWS + 3 * COLUMNS).astype(np.uint8)
RED = np.stack([np.full_like(GREY, 230), GREY // 2, GREY // 8], -1)
DEEP = (1000 * ROWS + COLUMNS).astype(np.uint16)


def file_of(pixels, kind, *options):
    """By OpenCV, from RGB or grey."""
    stored = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    return cv2.imencode(f".{kind}", stored, options)[1].tobytes()


def read(data):
    return pixels_of(data, picture_of(data))


FILES = {
    "grey JPEG": file_of(GREY, "jpg"),
    "coloured JPEG": file_of(RED, "jpg"),
    "progressive JPEG": file_of(RED, "jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "grey PNG": file_of(GREY, "png"),
    "coloured PNG": file_of(RED, "png"),
    "deep PNG": file_of(DEEP, "png"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_header_tells_what_the_pixels_will_be(name):
    data = FILES[name]
    picture, pixels = picture_of(data), read(data)
    assert picture.kind == name.split()[1]
    assert (
        pixels.shape
        == (picture.height, picture.width) + (3,) * picture.coloured
        == (20, 31, 3)[: pixels.ndim]
    )
    assert pixels.dtype == (np.uint16 if picture.bits == 16 else np.uint8)


@pytest.mark.parametrize(("pixels", "name"), [(GREY, "grey PNG"), (RED, "coloured PNG"), (DEEP, "deep PNG")])
def test_png_gives_every_pixel_back(pixels, name):
    np.testing.assert_array_equal(read(FILES[name]), pixels)


@pytest.mark.parametrize("name", ["coloured JPEG", "progressive JPEG"])
def test_red_is_red_after_jpeg(name):
    assert np.abs(read(FILES[name]).astype(int) - RED).mean() < 8


def test_alpha_and_palettes_are_read_as_colours():
    alpha = cv2.imencode(".png", np.dstack([RED[..., ::-1], GREY]))[1].tobytes()
    np.testing.assert_array_equal(read(alpha), RED)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_anywhere_is_refused(name):
    data = FILES[name]
    for length in range(0, len(data) - 2, 7):
        with pytest.raises(InputError, match=r"cut short after|no header in|expected JPEG or PNG"):
            read(data[:length])


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file_is_a_picture_of_its_size_or_an_error_of_one_line(name, draw):
    data = bytearray(FILES[name])
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(2, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        picture = picture_of(bytes(data))
        assert pixels_of(bytes(data), picture).shape[:2] == (picture.height, picture.width)
    except InputError as error:
        assert "\n" not in str(error)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xc0", PNG, PNG + b"\0\0\0\rIHDR"]),
    st.binary(max_size=60),
)
def test_random_bytes_are_refused_in_one_line(beginning, rest):
    with pytest.raises(InputError) as caught:
        read(beginning + rest)
    assert "\n" not in str(caught.value)


def test_a_damaged_png_is_told_though_opencv_might_read_it():
    data = bytearray(FILES["deep PNG"])
    data[60] ^= 1
    with pytest.raises(InputError, match="PNG: damaged between its bytes"):
        read(bytes(data))


@pytest.mark.parametrize("size", [(2**16, 2**16), (2**31 - 1, 1), (0, 5)])
def test_a_png_of_an_impossible_size_is_refused_by_its_header(size):
    header = b"IHDR" + struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    data = PNG + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    with pytest.raises(
        InputError, match=f"{size[0]}x{size[1]}, expected both > 0 and at most {MOST_PIXELS} pixels"
    ):
        picture_of(data)


def test_a_jpeg_of_an_impossible_size_is_refused_by_its_header():
    data = bytearray(FILES["coloured JPEG"])
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(InputError, match="65535x65535"):
        picture_of(bytes(data))


def test_a_jpeg_that_asks_to_be_turned_is_left_as_the_camera_saw_it():
    orientation = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = FILES["coloured JPEG"]
    turned = data[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(orientation)) + orientation + data[2:]
    assert read(turned).shape == (20, 31, 3)
