"""ROS messages checked, and turned into what the core computes with, and back."""

from __future__ import annotations

import copy
from collections.abc import Collection

import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from robself.camera_model import CameraModel
from robself.config import Modality
from robself.depth_encoding import DEPTH_ENCODINGS, INTENSITY_ENCODINGS
from robself.errors import InputError
from robself.image_encoding import COLOUR_ENCODINGS, Rejected, check, encode, to_rgb
from robself.packed_image import PackedImage, pixels_of
from robself.pairing import NANOSECONDS
from robself.source_encoding import source_pixels, source_values


def source_encodings(modality: Modality) -> Collection[str]:
    """The encodings that a source of this modality may have."""
    return DEPTH_ENCODINGS if modality == "depth" else INTENSITY_ENCODINGS


def guide_encodings() -> Collection[str]:
    """The encodings that a guide may have."""
    return COLOUR_ENCODINGS


def check_image(image: Image | PackedImage, accepted: Collection[str]) -> None:
    """Whether a message is of an accepted encoding, and its header true of its data; touches no pixel.

    Raises:
        Rejected: see `robself.image_encoding.check`; by data also a compressed image that is damaged or too large.
    """
    if isinstance(image, PackedImage):
        return _check_packed(image, accepted)
    if image.encoding not in accepted:
        raise Rejected("encoding", f"encoding {image.encoding!r}, expected {', '.join(accepted)}")
    check(image)


def _check_packed(image: PackedImage, accepted: Collection[str]) -> None:
    try:
        encoding = image.encoding
    except InputError as error:
        raise Rejected("data", str(error)) from None
    if encoding not in accepted:
        advice = "; of depth, 8 bits are too few: send PNG or compressedDepth" if "32FC1" in accepted else ""
        raise Rejected(
            "encoding",
            f"encoding {encoding!r} (format {image.format!r}), expected {', '.join(accepted)}{advice}",
        )


def stamp_ns(header: Header) -> int:
    """A header's stamp in nanoseconds."""
    return header.stamp.sec * NANOSECONDS + header.stamp.nanosec


def check_stamp(header: Header) -> None:
    """Whether a header says when its image was taken.

    Raises:
        Rejected: a driver has left it at 0: any two of its images would be of one time.
    """
    if stamp_ns(header) <= 0:
        sec, nanosec = header.stamp.sec, header.stamp.nanosec
        raise Rejected("stamp", f"stamp {sec}.{nanosec:09}, expected when it was taken, more than 0")


def source_of(image: Image | PackedImage, modality: Modality, minimum: float, maximum: float) -> np.ndarray:
    """A source message as (h, w) float32: metres, NaN outside [minimum, maximum]; or intensity.

    Raises:
        InputError: see `robself.packed_image.pixels_of`.
    """
    pixels = pixels_of(image, copy=False)
    return source_values(pixels, image.encoding, modality, depth_min=minimum, depth_max=maximum)


def guide_of(image: Image | PackedImage) -> np.ndarray:
    """A guide message as (H, W, 3) uint8 RGB, in the message's own memory if it holds just that.

    Raises:
        InputError: see `source_of`, and `robself.image_encoding.to_rgb`.
    """
    return to_rgb(pixels_of(image, copy=False), image.encoding)


def source_message(values: np.ndarray, encoding: str, modality: Modality, header: Header) -> Image:
    """(H, W) float32, metres or intensity, in the encoding that the source came in."""
    return image_message(source_pixels(values, encoding, modality), encoding, header)


def image_message(pixels: np.ndarray, encoding: str, header: Header) -> Image:
    """Pixels in the encoding's own type as a message."""
    fields = encode(pixels, encoding)
    data = fields.pop("data")
    message = Image(header=header, **fields)
    # The one copy: what is assigned, rclpy would copy once more, or look at element by element.
    message.data.frombytes(data)
    return message


def scaled_camera_info(info: CameraInfo, size: tuple[int, int], header: Header) -> CameraInfo:
    """The source's camera_info for an image of `size` (H, W): K, P and region scaled, D and R as they were.

    Raises:
        InputError: a camera_info that is none.
    """
    scaled = CameraModel.from_camera_info(info).scaled(width=size[1], height=size[0])
    message = copy.deepcopy(info)
    message.header = header
    message.width, message.height = scaled.width, scaled.height
    message.k, message.p = scaled.K.ravel().tolist(), scaled.P.ravel().tolist()
    if scaled.roi:
        message.roi.x_offset, message.roi.y_offset, message.roi.width, message.roi.height = scaled.roi
    return message
