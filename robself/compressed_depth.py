"""image_transport's `compressedDepth`: a header of 12 bytes, then PNG or RVL.

The header holds an enumeration (int32) and two parameters A, B (float32), in the sender's byte order, which is
the little one of all machines that ROS runs on. 16-bit depth follows as it is. Depth in metres (`32FC1`) follows
as 16-bit inverse depth q: depth = A / (q - B), and q = 0 where nothing was measured.
"""

from __future__ import annotations

import math
import struct
from typing import Literal, NamedTuple

import cv2
import numpy as np

from robself import rvl
from robself.depth_encoding import DEPTH_ENCODINGS
from robself.errors import InputError
from robself.image_size import check_size
from robself.picture import picture_of, pixels_of

HEADER, RVL_SIZE = struct.Struct("<iff"), struct.Struct("<II")
NAME = "compressedDepth"
HIGHEST = 2**16 - 1
Codec = Literal["png", "rvl"]


class CompressedDepth(NamedTuple):
    """What a message says before its pixels; A and B mean nothing for 16-bit depth."""

    encoding: str
    codec: Codec
    A: float
    B: float
    width: int
    height: int


def depth_of(image_format: str, data: bytes) -> CompressedDepth:
    """What a message says; no pixel is read.

    Args:
        image_format: such as `16UC1; compressedDepth png`. Older senders leave out the codec, PNG, or all
            after the encoding.

    Raises:
        InputError: an unknown format, or data that are cut short, damaged or too large.
    """
    encoding, _, rest = (part.strip() for part in image_format.partition(";"))
    codec = rest.removeprefix(NAME).strip() or "png"
    if encoding not in DEPTH_ENCODINGS or codec not in ("png", "rvl"):
        raise InputError(
            f"format {image_format!r}, expected {', '.join(DEPTH_ENCODINGS)} followed by '; {NAME} png' or "
            f"'; {NAME} rvl'"
        )
    size = RVL_SIZE.size if codec == "rvl" else 0
    if len(data) < HEADER.size + size:
        raise InputError(f"{NAME}: {len(data)} bytes, expected at least {HEADER.size + size}")
    _, A, B = HEADER.unpack_from(data)
    if encoding == "32FC1" and not (math.isfinite(A) and math.isfinite(B) and A > 0):
        raise InputError(f"{NAME}: quantised by A = {A}, B = {B}, expected finite numbers, A > 0")
    if codec == "rvl":
        width, height = RVL_SIZE.unpack_from(data, HEADER.size)
        check_size(width, height, "RVL")
        return CompressedDepth(encoding, codec, A, B, width, height)
    picture = picture_of(data[HEADER.size :])
    if picture.coloured or picture.bits != 16:
        raise InputError(f"{NAME}: {picture.kind} of 8 bits, expected one channel of 16")
    return CompressedDepth(encoding, codec, A, B, picture.width, picture.height)


def decode(image_format: str, data: bytes) -> np.ndarray:
    """(h, w) in the format's encoding: uint16 (mm, 0 = no measurement) or float32 (metres, NaN).

    Raises:
        InputError: see `depth_of`.
    """
    depth, content = depth_of(image_format, data), data[HEADER.size :]
    if depth.codec == "rvl":
        pixels = rvl.decompress(content[RVL_SIZE.size :], depth.width * depth.height)
        pixels = pixels.reshape(depth.height, depth.width)
    else:
        pixels = pixels_of(content, picture_of(content))
    if depth.encoding != "32FC1":
        return pixels
    with np.errstate(divide="ignore", over="ignore"):
        metres = np.float32(depth.A) / (pixels.astype(np.float32) - np.float32(depth.B))
    metres[pixels == 0] = np.nan
    return metres


def encode(
    depth: np.ndarray,
    encoding: str,
    codec: Codec = "png",
    *,
    depth_max: float = 10.0,
    depth_quantization: float = 100.0,
) -> tuple[str, bytes]:
    """The format and data of a message, by the parameters that image_transport has.

    Args:
        depth: (h, w) uint16 or float32, as the encoding says.
        depth_max: metres; in `32FC1`, depths not below it are no measurement. Those too near for 16 bits of
            inverse depth (0.15 m by default) are none either.

    Raises:
        InputError: an array that does not fit the encoding.
    """
    if depth.ndim != 2 or depth.dtype != DEPTH_ENCODINGS.get(encoding):
        raise InputError(f"{depth.dtype} of shape {depth.shape} is no {encoding} image")
    A, B, pixels = 0.0, 0.0, depth
    if encoding == "32FC1":
        A = depth_quantization * (depth_quantization + 1)
        B = 1 - A / depth_max
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.rint(A / depth.astype(np.float64) + B)
            valid = (depth > 0) & (depth < depth_max) & (inverse <= HIGHEST)
        pixels = np.where(valid, inverse, 0).astype(np.uint16)
    if codec == "rvl":
        content = RVL_SIZE.pack(depth.shape[1], depth.shape[0]) + rvl.compress(pixels)
    else:
        content = cv2.imencode(".png", pixels)[1].tobytes()
    return f"{encoding}; {NAME} {codec}", HEADER.pack(0, A, B) + content
