"""How large an image may be, asked before memory is taken for it."""

from __future__ import annotations

import math

from robself.errors import InputError

MOST_PIXELS = 2**25  # a frame of 8K
MOST_SIDE = 2**15 - 4  # OpenCV warps none that is wider or higher with its border (`robself.geometry`)
MOST_BYTES = 24 * MOST_PIXELS  # of an array in a file: three doubles a pixel


def check_size(width: int, height: int, what: str) -> None:
    """Whether an image of this size may be made; `what` begins the message.

    Raises:
        InputError: an empty image, one of more than `MOST_PIXELS`, or one with a side above `MOST_SIDE`.
    """
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise InputError(f"{what}: size {width}x{height}, expected both > 0 and at most {MOST_PIXELS} pixels")
    if max(width, height) > MOST_SIDE:
        raise InputError(f"{what}: size {width}x{height}, expected no side above {MOST_SIDE}")


def check_array_size(shape: tuple[int, ...], item_bytes: int, what: str) -> None:
    """Whether an array of a file, an image if it has two dimensions or more, may be read.

    Raises:
        InputError: an image too large (`check_size`), or more than `MOST_BYTES`.
    """
    if len(shape) >= 2 and math.prod(shape[:2]):  # an empty one has a message of its own
        check_size(shape[1], shape[0], what)
    if math.prod(shape) * item_bytes > MOST_BYTES:
        raise InputError(
            f"{what}: shape {shape} of {item_bytes} bytes each, expected at most {MOST_BYTES} bytes"
        )
