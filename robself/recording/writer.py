"""Recordings as mcap: complete under their name, or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer, WriterError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from robself.camera_model import CameraModel
from robself.errors import OutputError
from robself.image_encoding import encode
from robself.recording.status_definition import STATUS, status_definition

IMAGE = "sensor_msgs/msg/Image"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
REGION = "sensor_msgs/msg/RegionOfInterest"


class RecordingWriter:
    """Writes a recording under a temporary name beside its own, which it takes on `close`.

    As a context manager it removes what it has written when an error leaves the block.

    Args:
        path: a `.mcap` file, replaced if it is there; or a rosbag2 folder, which must not exist yet.
        unfinished: a folder to write it in until then, where an error leaves what was flushed, and so does a
            kill (`robself.recording.unfinished`); None: one that is removed.

    Raises:
        OutputError: here or later, when the place cannot be written to or is full.
    """

    def __init__(self, path: str | Path, unfinished: Path | None = None) -> None:
        self.path = Path(path)
        self._keeps, self._flushed = unfinished is not None, False
        self._single_file = self.path.suffix == ".mcap"
        if self.path.is_dir() or (self.path.exists() and not self._single_file):
            raise OutputError(f"{self.path}: exists already, expected a new folder or a .mcap file")
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._connections: dict[str, Connection] = {}
        self._partial: Path | None = None
        self._writer: Writer | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Beside the target, so that the rename at the end stays on one file system.
            self._partial = unfinished or Path(
                tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            )
            self._writer = Writer(self._bag, version=9, storage_plugin=StoragePlugin.MCAP)
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
            self._writer.open()
        except (OSError, WriterError) as error:
            self._fail(error)

    @property
    def _bag(self) -> Path:
        assert self._partial is not None
        return self._partial / self.path.stem if self._single_file else self._partial / self.path.name

    def write_image(
        self, topic: str, array: np.ndarray, encoding: str, *, stamp_ns: int, frame_id: str = ""
    ) -> None:
        """One `sensor_msgs/Image`; its stamp is also its recording time.

        Raises:
            InputError: an array that does not fit the encoding. OutputError: see the class.
        """
        self._write(topic, IMAGE, stamp_ns, frame_id, encode(array, encoding))

    def write_camera_info(
        self, topic: str, camera: CameraModel, *, stamp_ns: int, frame_id: str | None = None
    ) -> None:
        """One `sensor_msgs/CameraInfo`; `frame_id` None: the camera's own."""
        content = camera.camera_info_fields()
        for name in ("d", "k", "r", "p"):
            content[name] = np.array(content[name], np.float64)
        content["roi"] = self._types.types[REGION](**content["roi"])
        self._write(topic, CAMERA_INFO, stamp_ns, camera.frame_id if frame_id is None else frame_id, content)

    def write_status(
        self, topic: str, values: Mapping[str, Any], *, stamp_ns: int, frame_id: str = ""
    ) -> None:
        """One `robself_ros/msg/Status`; fields not among the values are zero, false or empty.

        Raises:
            OutputError: a value for a field that the message does not have.
        """
        if STATUS not in self._types.types:
            self._types.register(get_types_from_msg(status_definition(), STATUS))
        zeros = {"bool": False, "string": "", "float32": 0.0, "float64": 0.0}
        content = {
            name: zeros.get(description[1][0], 0)
            for name, description in self._types.fielddefs[STATUS][1]
            if name != "header"
        }
        if unknown := set(values) - set(content):
            raise OutputError(
                f"{self.path}: {STATUS} has no {', '.join(sorted(unknown))}, only {list(content)}"
            )
        self._write(topic, STATUS, stamp_ns, frame_id, content | dict(values))

    def write_serialized(self, topic: str, message_type: str, data: bytes, *, time_ns: int) -> None:
        """One message as it came over DDS (CDR), of any type that ROS 2 Jazzy or this project defines.

        Raises:
            OutputError: an unknown type, or see the class.
        """
        if message_type == STATUS and STATUS not in self._types.types:
            self._types.register(get_types_from_msg(status_definition(), STATUS))
        if message_type not in self._types.fielddefs:
            raise OutputError(f"{self.path}: {topic} is {message_type}, of which no definition is known")
        self._append(topic, message_type, time_ns, data)

    def flush(self) -> None:
        """Puts all that was written on the disk, whatever becomes of this process.

        Raises:
            OutputError: a full disk.
        """
        assert self._writer is not None
        storage = self._writer.storage
        try:
            storage.close_chunk()  # rosbags would wait for a MiB
            storage.bio.flush()
            os.fsync(storage.bio.fileno())
        except OSError as error:
            self._fail(error)
        self._flushed = True

    def close(self) -> None:
        """Completes the recording and gives it its name; a second call does nothing.

        Raises:
            OutputError: it could not be completed; then nothing of it is left.
        """
        if self._writer is None:
            return
        try:
            self._writer.close()
            self._writer = None
            if self._single_file:
                (self._bag / self._bag.name).with_suffix(".mcap").replace(self.path)
            else:
                self._bag.rename(self.path)
        except (OSError, WriterError) as error:
            self._fail(error)
        self._flushed = False
        self.abort()

    def abort(self) -> None:
        """Removes what has been written so far, unless it was flushed to be kept; after `close` nothing."""
        kept = self._keeps and self._flushed
        if self._writer is not None:
            with suppress(OSError, WriterError):
                self._writer.close() if kept else self._writer.abort()
            self._writer = None
        if self._partial is not None and not kept:
            shutil.rmtree(self._bag if self._keeps else self._partial, ignore_errors=True)

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _write(self, topic: str, kind: str, stamp_ns: int, frame_id: str, content: dict[str, Any]) -> None:
        types = self._types.types
        seconds, nanoseconds = divmod(stamp_ns, 10**9)
        stamp = types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
        header = types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame_id)
        data = self._types.serialize_cdr(types[kind](header=header, **content), kind)
        self._append(topic, kind, stamp_ns, data)

    def _append(self, topic: str, kind: str, time_ns: int, data: bytes | memoryview) -> None:
        if self._writer is None:
            raise OutputError(f"{self.path}: is closed, nothing more can be written")
        try:
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
            if self._connections[topic].msgtype != kind:
                raise OutputError(f"{self.path}: {topic} is {self._connections[topic].msgtype}, got a {kind}")
            self._writer.write(self._connections[topic], time_ns, data)
        except OutputError:
            raise
        except (OSError, WriterError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> NoReturn:
        self.abort()
        raise OutputError(f"{self.path}: cannot be written: {error}") from error
