"""JPEG and PNG in memory: size and kind from their first bytes, pixels only when these are sound."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import cv2
import numpy as np

from robself.errors import InputError
from robself.image_size import check_size

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
PNG_COLOURED = {0: False, 2: True, 3: True, 4: False, 6: True}  # by PNG's colour type; alpha is not read
END_OF_IMAGE = b"\xff\xd9"
START_OF_SCAN = 0xDA
START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
MOST_SEGMENTS = 1000  # before a JPEG's first scan; real ones have some ten


class Picture(NamedTuple):
    """What a JPEG or PNG says about itself; pixels have three channels (RGB) of 8 bits, or one of `bits`."""

    kind: str
    width: int
    height: int
    coloured: bool
    bits: int
    scan: int = 0  # where a JPEG's first scan begins


def is_picture(data: bytes) -> bool:
    """Whether data begin as a JPEG or PNG does."""
    return data.startswith((PNG, JPEG))


def picture_of(data: bytes) -> Picture:
    """Size and kind; no pixel is read.

    Raises:
        InputError: neither JPEG nor PNG, one that is cut short or damaged, or too large (`check_size`).
    """
    if data.startswith(PNG):
        picture = _png(data)
    elif data.startswith(JPEG):
        picture = _jpeg(data)
    else:
        raise InputError(
            f"{len(data)} bytes beginning with {data[:4].hex(' ') or 'none'}, expected JPEG or PNG"
        )
    check_size(picture.width, picture.height, picture.kind)
    return picture


def pixels_of(data: bytes, picture: Picture) -> np.ndarray:
    """(h, w, 3) uint8 RGB, or (h, w) uint8 or uint16.

    Raises:
        InputError: a picture cut short or damaged.
    """
    _check_sound(data, picture)
    flags = cv2.IMREAD_IGNORE_ORIENTATION  # a camera's image, not a photograph to look at
    if picture.coloured:
        flags |= cv2.IMREAD_COLOR
    elif picture.bits == 16:
        flags |= cv2.IMREAD_ANYDEPTH
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise InputError(f"{picture.kind}: damaged: {' '.join(str(error).split())}") from None
    if pixels is None or pixels.shape[:2] != (picture.height, picture.width):
        raise InputError(f"{picture.kind}: damaged, or of a kind that OpenCV does not read")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if picture.coloured else pixels


def _png(data: bytes) -> Picture:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise InputError(f"PNG: no header in its {len(data)} bytes")
    bits, colour_type = data[24], data[25]
    if colour_type not in PNG_COLOURED:
        raise InputError(
            f"PNG: colour type {colour_type}, expected one of {', '.join(map(str, PNG_COLOURED))}"
        )
    coloured = PNG_COLOURED[colour_type]
    return Picture(
        "PNG", _number(data[16:20]), _number(data[20:24]), coloured, 16 if bits == 16 and not coloured else 8
    )


def _jpeg(data: bytes) -> Picture:
    """The segments up to the first scan, one of which tells the size."""
    frame, at = None, 2
    for _ in range(MOST_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # a byte to fill up
            at += 1
        elif marker in WITHOUT_LENGTH:
            at += 2
        elif marker == START_OF_SCAN and frame is not None:
            return Picture("JPEG", *frame, scan=at)
        else:
            if marker in START_OF_FRAME and at + 10 <= len(data):
                height, width, channels = (
                    _number(data[at + 5 : at + 7]),
                    _number(data[at + 7 : at + 9]),
                    data[at + 9],
                )
                frame = width, height, channels > 1, 8
            at += 2 + _number(data[at + 2 : at + 4])
    raise InputError(f"JPEG: no header in its {len(data)} bytes")


def _check_sound(data: bytes, picture: Picture) -> None:
    """OpenCV makes a picture even of half a file: grey, or black, where there is none."""
    if picture.kind == "JPEG":
        # Within a scan these two bytes do not occur.
        if data.find(END_OF_IMAGE, picture.scan) < 0:
            raise InputError(f"JPEG: cut short after {len(data)} bytes")
        return
    at, kind = len(PNG), b""
    while kind != b"IEND":
        content = at + 8
        end = content + _number(data[at : at + 4])
        if end + 4 > len(data):
            raise InputError(f"PNG: cut short after {len(data)} bytes")
        kind = data[at + 4 : content]
        if zlib.crc32(memoryview(data)[at + 4 : end]) != _number(data[end : end + 4]):
            raise InputError(f"PNG: damaged between its bytes {at} and {end + 4}")
        at = end + 4


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "big")
