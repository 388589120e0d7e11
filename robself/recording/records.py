"""What a recording holds: topics, messages, images, pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from robself.camera_model import CameraModel
from robself.image_encoding import to_rgb


class TopicInfo(NamedTuple):
    """One topic of a recording: message type and number of messages."""

    type: str
    count: int


class RecordedMessage(NamedTuple):
    """One message: its topic, type, recording time (ns) and content with the message's own fields."""

    topic: str
    type: str
    time_ns: int
    content: Any


class SerializedMessage(NamedTuple):
    """One message as it goes over DDS: its topic, type, recording time (ns) and CDR bytes."""

    topic: str
    type: str
    time_ns: int
    data: bytes | memoryview


@dataclass(frozen=True, eq=False)
class RecordedImage:
    """One image: (h, w) or (h, w, channels) in its encoding's own type, and its header."""

    array: np.ndarray
    encoding: str
    frame_id: str
    stamp_ns: int

    @property
    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8; raises InputError when the encoding has no colour or 8-bit grey."""
        return to_rgb(self.array, self.encoding)


@dataclass(frozen=True, eq=False)
class RecordedPair:
    """A source and the guide nearest in time; cameras as last told, None where the recording has none.

    A camera is the one of the images as recorded: `CameraModel.rectified` for rectified topics.
    """

    stamp_ns: int
    source: RecordedImage
    guide: RecordedImage
    truth: RecordedImage | None
    source_camera: CameraModel | None
    guide_camera: CameraModel | None
