"""`sensor_msgs/CompressedImage` of image_transport's `compressed` and `compressedDepth`, taken as an image."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from robself import compressed_depth, picture
from robself.compressed_depth import CompressedDepth
from robself.depth_encoding import DEPTH_ENCODINGS
from robself.image_encoding import LAYOUTS, decode
from robself.picture import Picture

SUFFIXES = ("/compressed", "/compressedDepth")


class PackedImage:
    """A compressed message with the looks of an image: its pixels are unpacked when asked for.

    Args:
        message: a `sensor_msgs/CompressedImage` of rclpy or `rosbags`.

    Attributes:
        header: the message's. format: such as `rgb8; jpeg compressed bgr8`.
    """

    def __init__(self, message: Any) -> None:
        self.header, self.format = message.header, message.format
        self._data = bytes(memoryview(message.data))

    @cached_property
    def _content(self) -> Picture | CompressedDepth:
        """What it says about itself; raises InputError."""
        if compressed_depth.NAME in self.format or self._is_bare_depth:
            return compressed_depth.depth_of(self.format, self._data)
        return picture.picture_of(self._data)

    @property
    def encoding(self) -> str:
        """Of the unpacked pixels. Raises InputError: neither JPEG, PNG nor compressedDepth, or damaged."""
        content = self._content
        if isinstance(content, CompressedDepth):
            return content.encoding
        if content.coloured:
            return "rgb8"
        original = LAYOUTS.get(self._original)
        dtype = np.uint16 if content.bits == 16 else np.uint8
        if original and (original.dtype, original.channels) == (dtype, 1):
            return self._original
        return "mono16" if content.bits == 16 else "mono8"

    @property
    def width(self) -> int:
        """Pixels; raises as `encoding` does."""
        return self._content.width

    @property
    def height(self) -> int:
        """Pixels; raises as `encoding` does."""
        return self._content.height

    def pixels(self) -> np.ndarray:
        """(h, w) or (h, w, 3) in the encoding's own type.

        Raises:
            InputError: cut short or damaged.
        """
        content = self._content
        if isinstance(content, CompressedDepth):
            return compressed_depth.decode(self.format, self._data)
        pixels = picture.pixels_of(self._data, content)
        # Old senders gave their RGB to an encoder that takes BGR, and say so.
        swapped = content.coloured and "compressed rgb" in self.format
        return np.ascontiguousarray(pixels[..., ::-1]) if swapped else pixels

    @property
    def _is_bare_depth(self) -> bool:
        """The oldest senders of compressedDepth give nothing but the encoding as the format."""
        return self.format.strip() in DEPTH_ENCODINGS and not picture.is_picture(self._data)

    @property
    def _original(self) -> str:
        """The encoding before compression, where the format tells it."""
        return self.format.partition(";")[0].strip()


def pixels_of(image: Any, *, copy: bool = True) -> np.ndarray:
    """The pixels of a `sensor_msgs/Image` or of a `PackedImage`, in the encoding's own type.

    Args:
        copy: as `robself.image_encoding.decode` takes it.

    Raises:
        InputError: see `robself.image_encoding.decode` and `PackedImage.pixels`.
    """
    return image.pixels() if isinstance(image, PackedImage) else decode(image, copy=copy)


def base_topic(topic: str) -> str:
    """The topic that an image has without compression, beside which its `camera_info` is."""
    for suffix in SUFFIXES:
        topic = topic.removesuffix(suffix)
    return topic
