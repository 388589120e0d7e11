"""RVL, lossless compression of 16-bit depth.

A. D. Wilson, "Fast Lossless Depth Image Compression", 2017. Pixels, row by row, are runs: a number of zeros, a
number of measurements, then each measurement's difference from the one before it, zig-zag (0, -1, 1, -2 ...
as 0, 1, 2, 3 ...). Each of these numbers is written in groups of three bits, the lowest first, every group in a
nibble whose highest bit says that more follow. Eight nibbles make a 32-bit word, the highest nibble first.
"""

from __future__ import annotations

import numpy as np

from robself.errors import InputError

MORE, DIGIT = 8, 7
LONGEST = 11  # nibbles of a 32-bit number
WORD = 8  # nibbles
MOST_BYTES = 4  # for a pixel: a difference of 17 bits takes 3, and runs less


def compress(pixels: np.ndarray) -> bytes:
    """Pixels, uint16 of any shape, as RVL; their number is not written."""
    flat = np.ascontiguousarray(pixels, np.uint16).ravel()
    if not flat.size:
        return b""
    measured = flat != 0
    bounds = np.flatnonzero(np.diff(measured)) + 1
    runs = np.diff(bounds, prepend=0, append=flat.size)
    # Pairs of zeros and measurements: either of them may be none at the image's ends.
    runs = np.r_[np.zeros(int(measured[0]), np.int64), runs]
    pairs = np.r_[runs, np.zeros(runs.size % 2, np.int64)].reshape(-1, 2)
    difference = np.diff(flat[measured].astype(np.int64), prepend=0)
    numbers = np.empty(pairs.size + difference.size, np.int64)
    is_run = np.zeros(numbers.size, bool)
    at = np.cumsum(pairs[:, 1] + 2) - pairs[:, 1] - 2
    is_run[at] = is_run[at + 1] = True
    numbers[is_run] = pairs.ravel()
    numbers[~is_run] = (difference << 1) ^ (difference >> 63)
    return _packed(numbers)


def decompress(data: bytes, count: int) -> np.ndarray:
    """RVL as (count,) uint16; memory is taken for `count` pixels, so check that number first.

    Raises:
        InputError: data that end too early, are longer than any of that many pixels, or contradict their number.
    """
    if len(data) > MOST_BYTES * (count + 2):
        raise InputError(
            f"RVL: {len(data)} bytes, expected at most {MOST_BYTES * (count + 2)} for {count} pixels"
        )
    numbers = _numbers(data)
    pairs, end = _pairs(numbers, count)
    zeros, measurements = numbers[pairs], numbers[pairs + 1]
    is_difference = np.ones(end, bool)
    is_difference[pairs] = is_difference[pairs + 1] = False
    zigzag = numbers[:end][is_difference]
    difference = (zigzag >> 1) ^ -(zigzag & 1)
    is_measured = np.repeat(np.tile([False, True], pairs.size), np.c_[zeros, measurements].ravel())
    pixels = np.zeros(count, np.uint16)
    pixels[is_measured] = np.cumsum(difference).astype(np.uint16)
    return pixels


def _pairs(numbers: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Where the pairs of run lengths are, of which there are few beside the pixels; and where the image ends.

    Only a walk finds them, for each says how far it is to the next.
    """
    pairs, at, pixel = [], 0, 0
    values = memoryview(numbers)
    while pixel < count:
        if at + 2 > len(values):
            raise InputError(f"RVL: data end after {pixel} of {count} pixels")
        pairs.append(at)
        measurements = values[at + 1]
        pixel += values[at] + measurements
        at += 2 + measurements
    if pixel > count:
        raise InputError(f"RVL: data of {pixel} pixels, expected {count}")
    if at > len(values):
        raise InputError(f"RVL: data end {at - len(values)} pixels before the image's end")
    return np.array(pairs, np.intp), at


def _numbers(data: bytes) -> np.ndarray:
    """All numbers in the order in which they were written, and the padding's zeros."""
    octets = np.frombuffer(data, "<u4", len(data) // 4).astype(">u4").view(np.uint8)
    nibbles = np.empty(2 * octets.size, np.uint8)
    nibbles[::2], nibbles[1::2] = octets >> 4, octets & 15
    goes_on = nibbles >= MORE
    last = np.flatnonzero(~goes_on)
    first = np.r_[0, last[:-1] + 1][: last.size]
    length = last - first + 1
    longest = int(length.max(initial=0))
    if longest > LONGEST:
        raise InputError(f"RVL: a number of {longest} nibbles, expected at most {LONGEST}")
    digits = nibbles & DIGIT
    # Most numbers have two digits at most: those are read everywhere at once, the others one by one.
    pairs = digits.copy()
    pairs[:-1] |= (digits[1:] << 3) * goes_on[:-1]
    numbers = pairs[first].astype(np.int64)
    for place in range(2, longest):
        longer = np.flatnonzero(length > place)
        numbers[longer] |= digits[first[longer] + place].astype(np.int64) << 3 * place
    return numbers


def _packed(numbers: np.ndarray) -> bytes:
    length = np.ones(numbers.size, np.int64)
    for place in range(1, LONGEST):
        length += numbers >> 3 * place > 0
    first = np.cumsum(length) - length
    total = int(length.sum())
    nibbles = np.zeros(-(-total // WORD) * WORD, np.uint8)
    for place in range(int(length.max())):
        here = np.flatnonzero(length > place)
        digit = (numbers[here] >> 3 * place) & DIGIT
        nibbles[first[here] + place] = digit | np.where(length[here] > place + 1, MORE, 0)
    octets = nibbles[::2] << 4 | nibbles[1::2]
    return octets.view(">u4").astype("<u4").tobytes()
