"""RVL against the paper's description, taken literally."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robself import rvl
from robself.errors import InputError

# As depth is: many zeros, neighbours alike; and anything else.
PIXELS = st.one_of(
    arrays(np.uint16, st.integers(0, 60), elements=st.sampled_from([0, 0, 1, 7, 8, 1000, 1001, 65535])),
    arrays(np.uint16, st.integers(0, 60)),
)


def read_one_by_one(data, count):
    """What the format says, a nibble at a time."""
    nibbles = iter(
        word >> 28 - 4 * place & 15 for word in np.frombuffer(data, "<u4").tolist() for place in range(8)
    )

    def number():
        value, place, more = 0, 0, 8
        while more:
            nibble = next(nibbles)
            more = nibble & 8
            value |= (nibble & 7) << place
            place += 3
        return value

    pixels, previous = [], 0
    while len(pixels) < count:
        pixels += [0] * number()
        for _ in range(number()):
            zigzag = number()
            previous += -(zigzag + 1) // 2 if zigzag % 2 else zigzag // 2
            pixels.append(previous)
    return pixels


@settings(deadline=None)
@given(PIXELS)
def test_what_was_compressed_comes_back(pixels):
    np.testing.assert_array_equal(rvl.decompress(rvl.compress(pixels), pixels.size), pixels)


@settings(deadline=None)
@given(PIXELS)
def test_others_can_read_what_was_compressed(pixels):
    assert read_one_by_one(rvl.compress(pixels), pixels.size) == pixels.tolist()


def test_nibbles_fill_words_from_the_highest():
    """2 zeros, 2 measurements, +5, +1, 1 zero, 0 measurements: 2 2 A1 2 1 0, and a nibble of padding."""
    pixels = np.array([0, 0, 5, 6, 0], np.uint16)
    assert rvl.compress(pixels) == bytes.fromhex("00 21 a1 22")
    np.testing.assert_array_equal(rvl.decompress(bytes.fromhex("00 21 a1 22"), 5), pixels)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 100))
def test_random_bytes_are_an_image_or_an_error_of_one_line(data, count):
    try:
        assert rvl.decompress(data, count).shape == (count,)
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("data", "count", "complaint"),
    [
        (b"", 5, "data end after 0 of 5 pixels"),
        (bytes.fromhex("00 21 a1 22"), 3, "data of 4 pixels, expected 3"),
        (bytes.fromhex("00 00 00 3f"), 500, "data end"),
        (b"\xff" * 8 + b"\0" * 4, 5, "a number of 17 nibbles, expected at most 11"),
    ],
)
def test_data_that_contradict_the_number_of_pixels_are_refused(data, count, complaint):
    with pytest.raises(InputError, match=complaint):
        rvl.decompress(data, count)


def test_data_longer_than_any_of_that_many_pixels_are_refused_before_they_are_unpacked():
    with pytest.raises(InputError, match="8000 bytes, expected at most 48 for 10 pixels"):
        rvl.decompress(bytes(8000), 10)


@settings(deadline=None)
@given(arrays(np.uint16, st.integers(0, 60), elements=st.sampled_from([0, 1, 65535])))
def test_the_worst_of_pixels_take_no_more(pixels):
    assert len(rvl.compress(pixels)) <= rvl.MOST_BYTES * (pixels.size + 2)
