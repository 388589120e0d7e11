"""The static transforms of a recording."""

from __future__ import annotations

from robself.frame_tree import FrameTree
from robself.recording.reader import RecordingReader

TOPIC, TYPE = "/tf_static", "tf2_msgs/msg/TFMessage"


def static_frames(reader: RecordingReader) -> FrameTree:
    """All of `/tf_static`, which drivers publish once at whatever time; empty if it was not recorded.

    Raises:
        RecordingError: a damaged recording.
    """
    frames = FrameTree()
    if TOPIC in reader.topics and reader.topics[TOPIC].type == TYPE:
        for message in reader.messages([TOPIC]):
            frames.add(message.content.transforms)
    return frames
