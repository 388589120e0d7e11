"""Recordings: rosbag2 (mcap, sqlite3) and ROS 1 bags in, mcap out, without ROS."""

from robself.recording.reader import RecordingReader
from robself.recording.records import (
    RecordedImage,
    RecordedMessage,
    RecordedPair,
    SerializedMessage,
    TopicInfo,
)
from robself.recording.writer import RecordingWriter

__all__ = [
    "RecordedImage",
    "RecordedMessage",
    "RecordedPair",
    "RecordingReader",
    "RecordingWriter",
    "SerializedMessage",
    "TopicInfo",
]
