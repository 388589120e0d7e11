"""rosbag2 folders and files and ROS 1 bags, as images, cameras and pairs."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from rosbags.convert.converter import migrate_bytes
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError
from rosbags.typesys import Stores, get_typestore

from robself.camera_model import CameraModel, is_rectified
from robself.errors import InputError, RecordingError
from robself.packed_image import PackedImage, base_topic, pixels_of
from robself.recording.records import (
    RecordedImage,
    RecordedMessage,
    RecordedPair,
    SerializedMessage,
    TopicInfo,
)

if TYPE_CHECKING:
    from robself.pairing import ApproximateTimePairer

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
IMAGES = (IMAGE, COMPRESSED_IMAGE)
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
logger = logging.getLogger(__name__)


class RecordingReader:
    """Reads one recording; every iteration opens it anew, so several may run at once.

    Args:
        path: a rosbag2 folder, a bare `.mcap` or `.db3` file, or a ROS 1 `.bag`.

    Raises:
        RecordingError: the path does not exist or is no readable recording.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise RecordingError(f"{self.path}: no such recording")
        bare = self.path.suffix in (".mcap", ".db3", ".bag")
        if not (bare and self.path.is_file()) and not (self.path / "metadata.yaml").is_file():
            raise RecordingError(
                f"{self.path}: not a recording, expected a rosbag2 folder with metadata.yaml, or a .mcap, "
                ".db3 or .bag file"
            )
        self.topics  # noqa: B018  an unreadable file is told now, not in the midst of work

    @cached_property
    def topics(self) -> dict[str, TopicInfo]:
        """Topics by name."""
        try:
            with self._open() as bag:
                return {
                    name: TopicInfo(info.msgtype or "(several types)", info.msgcount)
                    for name, info in bag.topics.items()
                }
        except Exception as error:  # whatever a parser of foreign files comes upon
            raise RecordingError(f"{self.path}: cannot be read: {_reason(error)}") from error

    @cached_property
    def duration_seconds(self) -> float:
        """From the recording of the first message to that of the last."""
        with self._open() as bag:
            return bag.duration / 1e9 if bag.message_count else 0.0

    def messages(self, topics: Sequence[str] | None = None) -> Iterator[RecordedMessage]:
        """All messages of some topics (None: of all) in the order of their recording.

        Raises:
            RecordingError: a missing topic, or a file damaged further on.
        """
        for topic in topics or ():
            self._require(topic)
        return self._messages(topics)

    def serialized(self, topics: Sequence[str] | None = None) -> Iterator[SerializedMessage]:
        """As `messages`, but as bytes to publish again (CDR), those of ROS 1 bags converted.

        Raises:
            RecordingError: see `messages`; or a ROS 1 message of a type that ROS 2 does not know.
        """
        for topic in topics or ():
            self._require(topic)
        return self._serialized(topics)

    def images(self, topic: str) -> Iterator[RecordedImage]:
        """The images of a topic in the order of their recording, unpacked if they are compressed.

        Raises:
            RecordingError: a missing topic, one of another type than `IMAGES`, or an image that contradicts
                itself.
        """
        self._require(topic, *IMAGES)
        return (self._image(message) for message in self._messages([topic]))

    def cameras(self, image_topic: str) -> Iterator[tuple[int, CameraModel]]:
        """(stamp in ns, camera) of each `camera_info` that belongs to an image topic; none without one.

        Messages of uncalibrated cameras are left out, with one warning.
        """
        topic = self.camera_info_topic(image_topic)
        return iter(()) if topic is None else self._cameras(topic, is_rectified(base_topic(image_topic)))

    def camera_info_topic(self, image_topic: str) -> str | None:
        """The image's sibling `camera_info`, or ZED's `<topic>/camera_info`."""
        base = base_topic(image_topic)
        for candidate in (f"{base.rpartition('/')[0]}/camera_info", f"{base}/camera_info"):
            if candidate in self.topics and self.topics[candidate].type == CAMERA_INFO:
                return candidate
        return None

    def pairs(
        self,
        source_topic: str,
        guide_topic: str,
        gt_topic: str | None = None,
        slop_seconds: float = 0.02,
        queue_size: int = 10,
        pairer: ApproximateTimePairer | None = None,
    ) -> Iterator[RecordedPair]:
        """Source and guide paired by their stamps, in the order of the stamps.

        Messages are taken in the order of `header.stamp`, not of their arrival, so the same recording
        gives the same pairs every time. The truth belongs to a source of exactly its stamp.

        Args:
            pairer: to look into its counts afterwards; None: one of `slop_seconds` and `queue_size`.

        Raises:
            RecordingError: a missing topic, or one of another type than `IMAGES`.
        """
        from robself.pairing import ApproximateTimePairer

        for topic in filter(None, (source_topic, guide_topic, gt_topic)):
            self._require(topic, *IMAGES)
        return self._pairs(
            source_topic, guide_topic, gt_topic, pairer or ApproximateTimePairer(slop_seconds, queue_size)
        )

    def _pairs(
        self, source_topic: str, guide_topic: str, gt_topic: str | None, pairer: ApproximateTimePairer
    ) -> Iterator[RecordedPair]:
        camera = {
            role: next((model for _, model in self.cameras(topic)), None)
            for role, topic in (("source", source_topic), ("guide", guide_topic))
        }
        # At equal stamps in this order: what a pair needs is there before the pair is.
        streams = [
            ((stamp, 0, "source", model) for stamp, model in self.cameras(source_topic)),
            ((stamp, 0, "guide", model) for stamp, model in self.cameras(guide_topic)),
            ((image.stamp_ns, 1, "truth", image) for image in (self.images(gt_topic) if gt_topic else ())),
            ((image.stamp_ns, 2, "guide", image) for image in self.images(guide_topic)),
            ((image.stamp_ns, 3, "source", image) for image in self.images(source_topic)),
        ]
        truth: RecordedImage | None = None
        for stamp, kind, role, item in heapq.merge(*streams, key=lambda entry: entry[:2]):
            matched = None
            if kind == 0:
                camera[role] = item
            elif role == "truth":
                truth = item
            elif role == "guide":
                matched = pairer.add_guide(stamp, (item, camera["guide"]))
            else:
                its_truth = truth if truth and truth.stamp_ns == stamp else None
                matched = pairer.add_source(stamp, (item, camera["source"], its_truth))
            if matched is not None:
                (source, source_camera, its_truth), (guide, guide_camera) = matched
                yield RecordedPair(source.stamp_ns, source, guide, its_truth, source_camera, guide_camera)

    def _cameras(self, topic: str, rectified: bool) -> Iterator[tuple[int, CameraModel]]:
        last, warned = None, False
        for message in self._messages([topic]):
            try:
                model = CameraModel.from_camera_info(message.content)
                model = model.rectified() if rectified else model
            except InputError as error:
                if not warned:
                    logger.warning("%s: %s is left out: %s", self.path, topic, error)
                warned = True
                continue
            # One object as long as nothing changes, so that what is computed from it can be kept.
            last = last if last == model else model
            yield _stamp(message.content), last

    def _image(self, message: RecordedMessage) -> RecordedImage:
        content = message.content
        stamp = _stamp(content)
        try:
            image = PackedImage(content) if message.type == COMPRESSED_IMAGE else content
            return RecordedImage(pixels_of(image), image.encoding, image.header.frame_id, stamp)
        except InputError as error:
            raise RecordingError(f"{self.path}: {message.topic} at {stamp} ns: {error}") from error

    def _messages(self, topics: Sequence[str] | None) -> Iterator[RecordedMessage]:
        for bag, connection, time_ns, data in self._raw(topics):
            try:
                content = bag.deserialize(data, connection.msgtype)
            except Exception as error:  # whatever foreign bytes bring about
                raise RecordingError(
                    f"{self.path}: {connection.topic}: damaged: {shorten(str(error), 200)}"
                ) from error
            yield RecordedMessage(connection.topic, connection.msgtype, time_ns, content)

    def _serialized(self, topics: Sequence[str] | None) -> Iterator[SerializedMessage]:
        ros2, defaults = get_typestore(Stores.ROS2_JAZZY), {}
        for bag, connection, time_ns, data in self._raw(topics):
            kind = connection.msgtype
            if not bag.is2:
                if kind not in ros2.fielddefs:
                    raise RecordingError(f"{self.path}: {connection.topic} is {kind}, unknown to ROS 2")
                data = migrate_bytes(
                    bag.typestore, ros2, kind, kind, defaults, data, src_is2=False, dst_is2=True
                )
            yield SerializedMessage(connection.topic, kind, time_ns, data)

    def _raw(self, topics: Sequence[str] | None) -> Iterator[tuple[AnyReader, Connection, int, bytes]]:
        try:
            with self._open() as bag:
                wanted = [c for c in bag.connections if topics is None or c.topic in topics]
                for connection, time_ns, data in bag.messages(wanted) if wanted else ():
                    yield bag, connection, time_ns, data
        except Exception as error:  # whatever a parser of foreign files comes upon
            raise RecordingError(f"{self.path}: damaged: {_reason(error)}") from error

    def _open(self) -> AnyReader:
        # Older sqlite3 bags carry no message definitions; Image and CameraInfo are alike in all of ROS 2.
        return AnyReader([self.path], default_typestore=get_typestore(Stores.ROS2_JAZZY))

    def _require(self, topic: str, *expected_types: str) -> None:
        if topic not in self.topics:
            listing = ", ".join(f"{name} [{info.type}]" for name, info in sorted(self.topics.items()))
            hint = "".join(f"; did you mean {name}?" for name in get_close_matches(topic, self.topics, n=1))
            raise RecordingError(
                f"{self.path}: no topic {topic!r}, expected one of: {listing or 'none at all'}{hint}"
            )
        if expected_types and self.topics[topic].type not in expected_types:
            raise RecordingError(
                f"{self.path}: topic {topic!r} is {self.topics[topic].type}, expected "
                f"{' or '.join(expected_types)}"
            )


def _stamp(message: Any) -> int:
    stamp = message.header.stamp
    return stamp.sec * 10**9 + stamp.nanosec


def _reason(error: Exception) -> str:
    text = shorten(str(error) or type(error).__name__, 200)
    return text if isinstance(error, ReaderError | AnyReaderError) else f"damaged or cut short ({text})"
