"""What a fuzzer gives its bytes to: the decoders of messages that any machine on the network can send.

Each target takes bytes, and raises nothing but what it finds wrong: an error that is not the typed one of one line, or
a result that is not the image that was promised. Sizes are kept small: a large image is no error, but slow.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from contextlib import contextmanager

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from robself import compressed_depth, image_encoding, picture
from robself.depth_encoding import DEPTH_ENCODINGS, INTENSITY_ENCODINGS
from robself.errors import InputError
from robself.packed_image import PackedImage
from robself_ros.conversions import check_image, guide_encodings, guide_of, source_encodings, source_of

FORMATS = [f"{encoding}; compressedDepth {codec}" for encoding in DEPTH_ENCODINGS for codec in ("rvl", "png")]
FORMATS += ["16UC1", "mono8; compressedDepth png", "32FC1; compressedDepth zip", ""]
PICTURES = ["rgb8; jpeg compressed bgr8", "mono16; png compressed ", "bgr8; png compressed rgb8", "16UC1"]
ENCODINGS = [*image_encoding.LAYOUTS, "64FC1", ""]
IMAGE = struct.Struct("<BBBBB")  # encoding, height, width, step, what the rest is
MOST_PIXELS = 2**12


def compressed_depth_message(data: bytes) -> None:
    """One byte that chooses the format, then a message's data: header, size, RVL or PNG."""
    if not data:
        return
    image_format, message = FORMATS[data[0] % len(FORMATS)], _tamed(data[1:], wild=data[0] > 200)
    with _typed_errors():
        said = compressed_depth.depth_of(image_format, message)
        if said.width * said.height > MOST_PIXELS:
            return
        pixels = compressed_depth.decode(image_format, message)
        assert pixels.shape == (said.height, said.width), (pixels.shape, said)
        assert pixels.dtype == DEPTH_ENCODINGS[said.encoding], (pixels.dtype, said)
        if said.codec == "rvl" and said.encoding != "32FC1":
            again = compressed_depth.decode(*compressed_depth.encode(pixels, said.encoding, "rvl"))
            assert np.array_equal(pixels, again), said


def image_message(data: bytes) -> None:
    """Five bytes that choose the fields of an Image, then its data; or those of a CompressedImage."""
    if len(data) < IMAGE.size:
        return
    encoding, height, width, step, kind = IMAGE.unpack_from(data)
    content = array("B", data[IMAGE.size :])
    if kind & 0xC0 == 0xC0:
        packed = CompressedImage(format=PICTURES[kind % len(PICTURES)], data=_sound_png(bytes(content)))
        _convert(PackedImage(packed))
        return
    message = Image(encoding=ENCODINGS[encoding % len(ENCODINGS)], is_bigendian=kind & 3, data=content)
    # By the upper bits of `kind`: sizes that no data can fill, too.
    message.height, message.width = height << (kind >> 4 & 2) * 12, width
    message.step = step if kind & 4 else step * max(1, width)
    with _typed_errors():
        pixels = image_encoding.decode(message)
        layout = image_encoding.LAYOUTS[message.encoding]
        assert pixels.shape[:2] == (message.height, message.width), pixels.shape
        assert pixels.dtype == layout.dtype, pixels.dtype
    _convert(message)


def _convert(image: Image | PackedImage) -> None:
    """As the node does with what a camera sends, whatever it takes it for."""
    for modality, encodings in (("depth", DEPTH_ENCODINGS), ("nir", INTENSITY_ENCODINGS)):
        with _typed_errors():
            check_image(image, source_encodings(modality))
            if image.width * image.height > MOST_PIXELS:
                return
            values = source_of(image, modality, 0.1, 20.0)
            assert image.encoding in encodings
            assert values.shape == (image.height, image.width), values.shape
            assert values.dtype == np.float32, values.dtype
    with _typed_errors():
        check_image(image, guide_encodings())
        if image.width * image.height > MOST_PIXELS:
            return
        rgb = guide_of(image)
        assert rgb.shape == (image.height, image.width, 3), rgb.shape
        assert rgb.dtype == np.uint8, rgb.dtype


@contextmanager
def _typed_errors():
    """An InputError of one line is an answer."""
    try:
        yield
    except InputError as error:
        assert "\n" not in str(error), error


def _tamed(message: bytes, wild: bool) -> bytes:
    """The size that an RVL message tells brought below 64x64, and a PNG's check sums mended, unless it is wild."""
    header = compressed_depth.HEADER.size
    if wild or len(message) < header + 8:
        return message
    content = message[header:]
    if content.startswith(picture.PNG):
        return message[:header] + _sound_png(content)
    width, height = compressed_depth.RVL_SIZE.unpack_from(content)
    return message[:header] + compressed_depth.RVL_SIZE.pack(width & 63, height & 63) + content[8:]


def _sound_png(content: bytes) -> bytes:
    """With check sums that are true: by chance a fuzzer finds none, and what lies behind them stays untested."""
    mended, at = bytearray(content), len(picture.PNG)
    while content.startswith(picture.PNG) and at + 12 <= len(mended):
        end = at + 8 + int.from_bytes(mended[at : at + 4], "big")
        if end + 4 > len(mended):
            break
        mended[end : end + 4] = zlib.crc32(mended[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(mended)


TARGETS = {"compressed_depth": compressed_depth_message, "image": image_message}


def seeds(target: str) -> list[bytes]:
    """Sound messages to begin with."""
    draw = np.random.default_rng(0)
    depth = draw.integers(0, 5000, (5, 7)).astype(np.uint16) * (draw.random((5, 7)) > 0.3)
    if target == "compressed_depth":
        messages = []
        for number, image_format in enumerate(FORMATS[:6]):
            encoding, codec = image_format.split("; ")[0], image_format[-3:]
            pixels = depth.astype(DEPTH_ENCODINGS[encoding])
            pixels = pixels / np.float32(1000) if encoding == "32FC1" else pixels
            messages.append(bytes([number]) + compressed_depth.encode(pixels, encoding, codec)[1])
        return messages
    images = []
    for number, (name, layout) in enumerate(image_encoding.LAYOUTS.items()):
        pixels = draw.integers(0, 256, (4, 6, layout.channels)).astype(layout.dtype)
        row = pixels[0].nbytes
        images.append(IMAGE.pack(number, 4, 6, row, 4) + pixels.tobytes())
        assert image_encoding.LAYOUTS[name] is layout
    return images
