"""Bytes of a `sensor_msgs/Image` to arrays and back, and any colour encoding to RGB."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import cv2
import numpy as np

from robself.errors import InputError
from robself.image_size import check_size


class Rejected(InputError):
    """An image message that cannot be used; `cause` is the key it is counted by."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class Layout(NamedTuple):
    """How one encoding of `sensor_msgs/image_encodings.hpp` stores a pixel."""

    dtype: type
    channels: int
    to_rgb: int | None = None  # OpenCV's conversion; None: no colour image

    def row(self, width: int) -> int:
        """Bytes of a row without padding."""
        return width * self.channels * np.dtype(self.dtype).itemsize


_YUYV, _UYVY = cv2.COLOR_YUV2RGB_YUY2, cv2.COLOR_YUV2RGB_UYVY
# ROS names a pattern by its first two rows, OpenCV by the second row's second and third pixel.
_BAYER = {
    "rggb": cv2.COLOR_BayerBG2RGB,
    "bggr": cv2.COLOR_BayerRG2RGB,
    "gbrg": cv2.COLOR_BayerGR2RGB,
    "grbg": cv2.COLOR_BayerGB2RGB,
}
LAYOUTS = {
    "rgb8": Layout(np.uint8, 3),
    "bgr8": Layout(np.uint8, 3, cv2.COLOR_BGR2RGB),
    "rgba8": Layout(np.uint8, 4, cv2.COLOR_RGBA2RGB),
    "bgra8": Layout(np.uint8, 4, cv2.COLOR_BGRA2RGB),
    "8UC3": Layout(np.uint8, 3),
    "mono8": Layout(np.uint8, 1, cv2.COLOR_GRAY2RGB),
    "8UC1": Layout(np.uint8, 1, cv2.COLOR_GRAY2RGB),
    "yuv422": Layout(np.uint8, 2, _UYVY),
    "uyvy": Layout(np.uint8, 2, _UYVY),
    "yuv422_yuy2": Layout(np.uint8, 2, _YUYV),
    "yuyv": Layout(np.uint8, 2, _YUYV),
    **{f"bayer_{pattern}8": Layout(np.uint8, 1, code) for pattern, code in _BAYER.items()},
    **{f"bayer_{pattern}16": Layout(np.uint16, 1, code) for pattern, code in _BAYER.items()},
    "mono16": Layout(np.uint16, 1, cv2.COLOR_GRAY2RGB),
    "16UC1": Layout(np.uint16, 1),
    "32FC1": Layout(np.float32, 1),
    "32FC2": Layout(np.float32, 2),
}
COLOUR_ENCODINGS = tuple(
    name for name, layout in LAYOUTS.items() if layout.to_rgb is not None or layout.channels == 3
)


def check(message: Any) -> None:
    """Whether the header of a `sensor_msgs/Image` is true of its data; touches no pixel.

    Data hold `step * height` bytes. The last row's padding carries nothing, and some drivers leave it out.

    Raises:
        Rejected: by encoding, size (see `check_size`), is_bigendian, step or data.
    """
    height, width, step = int(message.height), int(message.width), int(message.step)
    layout = _layout(message.encoding)
    try:
        check_size(width, height, "image")
    except InputError as error:
        raise Rejected("size", str(error)) from None
    if int(message.is_bigendian) not in (0, 1):
        raise Rejected("is_bigendian", f"is_bigendian {message.is_bigendian}, expected 0 or 1")
    row = layout.row(width)
    if step < row:
        raise Rejected("step", f"step {step}, expected at least {row} for {width} px of {message.encoding}")
    if not step * (height - 1) + row <= len(message.data) <= step * height:
        raise Rejected(
            "data",
            f"{len(message.data)} bytes, expected step * height = {step} * {height} = {step * height}"
            f" for {width}x{height} px of {message.encoding}",
        )


def decode(message: Any, *, copy: bool = True) -> np.ndarray:
    """The pixels of a `sensor_msgs/Image` (of rclpy or `rosbags`), in the machine's byte order.

    Rows may be padded (`step`) and of either byte order (`is_bigendian`).

    Args:
        copy: False: where its layout allows, the message's own memory is given, not to be written to.

    Returns:
        (h, w) or (h, w, channels), of the encoding's type.

    Raises:
        Rejected: see `check`.
    """
    check(message)
    height, width, step = int(message.height), int(message.width), int(message.step)
    layout = LAYOUTS[message.encoding]
    dtype, row = np.dtype(layout.dtype), layout.row(width)
    data = np.frombuffer(memoryview(message.data), np.uint8)
    rows = np.lib.stride_tricks.as_strided(data, (height, row), (step, 1), writeable=False)
    pixels = np.ascontiguousarray(rows).view(dtype)
    if dtype.itemsize > 1 and bool(message.is_bigendian) != (sys.byteorder == "big"):
        pixels = pixels.byteswap()
    pixels = pixels.reshape(height, width, layout.channels)
    pixels = pixels[..., 0] if layout.channels == 1 else pixels
    return pixels.copy() if copy and np.may_share_memory(pixels, data) else pixels


def encode(array: np.ndarray, encoding: str) -> dict[str, Any]:
    """The fields of a `sensor_msgs/Image` but its header; `data` as a flat uint8 array without padding.

    Raises:
        InputError: an unsupported encoding, or an array that does not fit it.
    """
    layout = _layout(encoding)
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels != layout.channels or array.dtype != layout.dtype:
        raise InputError(
            f"image: {array.dtype} of shape {array.shape}, expected {np.dtype(layout.dtype)} with "
            f"{layout.channels} channel(s) for {encoding}"
        )
    data = np.ascontiguousarray(array)
    return {
        "height": array.shape[0],
        "width": array.shape[1],
        "encoding": encoding,
        "is_bigendian": int(sys.byteorder == "big"),
        "step": data.nbytes // array.shape[0],
        "data": data.view(np.uint8).reshape(-1),
    }


def to_rgb(array: np.ndarray, encoding: str) -> np.ndarray:
    """A decoded guide as (H, W, 3) uint8 RGB. Bayer patterns are interpolated; 16 bits become 8.

    Raises:
        InputError: an encoding without colours or grey values, or a size that its pattern does not allow.
    """
    if encoding not in COLOUR_ENCODINGS:
        raise InputError(
            f"guide encoding {encoding!r} is not supported, expected {', '.join(COLOUR_ENCODINGS)}"
        )
    layout = LAYOUTS[encoding]
    if layout.dtype == np.uint16:
        array = cv2.convertScaleAbs(array, alpha=255 / 65535)
    _check_pattern(array, encoding, layout)
    return array if layout.to_rgb is None else cv2.cvtColor(array, layout.to_rgb)


def _check_pattern(array: np.ndarray, encoding: str, layout: Layout) -> None:
    """Two pixels of YUV share their colour; a Bayer pixel takes it from its neighbours."""
    height, width = array.shape[:2]
    if layout.channels == 2 and width % 2:
        raise InputError(f"guide of {encoding}: width {width}, expected an even one")
    if encoding.startswith("bayer") and min(height, width) < 3:
        raise InputError(f"guide of {encoding}: size {width}x{height}, expected at least 3x3")


def _layout(encoding: str) -> Layout:
    if encoding not in LAYOUTS:
        raise Rejected(
            "encoding", f"image encoding {encoding!r} is not supported, expected {', '.join(LAYOUTS)}"
        )
    return LAYOUTS[encoding]
