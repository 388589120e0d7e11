"""How large an image may be, asked before memory is taken for it."""

from __future__ import annotations

from robself.errors import InputError

MOST_PIXELS = 2**25  # a frame of 8K
MOST_SIDE = 2**15 - 2  # OpenCV warps none that is wider or higher


def check_size(width: int, height: int, what: str) -> None:
    """Whether an image of this size may be made; `what` begins the message.

    Raises:
        InputError: an empty image, one of more than `MOST_PIXELS`, or one with a side above `MOST_SIDE`.
    """
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise InputError(f"{what}: size {width}x{height}, expected both > 0 and at most {MOST_PIXELS} pixels")
    if max(width, height) > MOST_SIDE:
        raise InputError(f"{what}: size {width}x{height}, expected no side above {MOST_SIDE}")
