"""The rest of the robot: two cameras, and listeners to what the node publishes, in the test's own process."""

from __future__ import annotations

import sys
import threading
import time
from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.client import Client
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from robself_ros.msg import Status
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from std_srvs.srv import Trigger

from robself.camera_model import CameraModel
from robself.packed_image import base_topic
from robself_ros.sensors import sibling_camera_info

PATIENCE_SECONDS = 60.0
SOURCE_SIZE, GUIDE_SIZE = (18, 24), (36, 48)
DEPTH_METRES = (1.0, 3.0)
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
OUTPUTS = {
    "sr": ("sr/image", Image),
    "camera_info": ("sr/camera_info", CameraInfo),
    "guide_aligned": ("guide_aligned/image", Image),
    "translated": ("translated/image", Image),
    "confidence": ("confidence/image", Image),
    "status": ("status", Status),
}


class Robot:
    """Talks to the node of that domain; spins in a thread.

    Args:
        listens_to: keys of OUTPUTS. source_topic, guide_topic: of the cameras' images, by
            image_transport's names if they are compressed.
    """

    def __init__(
        self,
        domain: int,
        node_name: str = "/robself_node",
        listens_to: tuple[str, ...] = tuple(OUTPUTS),
        camera_qos: QoSProfile = qos_profile_sensor_data,
        source_topic: str = "/source/image",
        guide_topic: str = "/guide/image",
    ) -> None:
        self.context = rclpy.Context()
        self.context.init([], domain_id=domain)
        self.node = rclpy.create_node("robot", context=self.context, enable_rosout=False)
        self._clients: dict[str, Client] = {}
        self.node_name = node_name
        self.came: dict[str, list] = {name: [] for name in (*OUTPUTS, "diagnostics")}
        self._changed = threading.Condition()
        self._listeners: dict[str, Any] = {}
        for name in listens_to:
            self.listen(name)
        self._listen("diagnostics", DiagnosticArray, "/diagnostics")
        topics = {"source": source_topic, "guide": guide_topic}
        self._images = {
            role: self.node.create_publisher(
                Image if topic == base_topic(topic) else CompressedImage, topic, camera_qos
            )
            for role, topic in topics.items()
        }
        self._infos = {
            role: self.node.create_publisher(CameraInfo, sibling_camera_info(base_topic(topic)), camera_qos)
            for role, topic in topics.items()
        }
        self._stamp = time.time_ns()
        self._draw = np.random.default_rng(0)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    @property
    def cameras(self) -> tuple[Publisher, ...]:
        """Publishers of images and of camera_info."""
        return *self._images.values(), *self._infos.values()

    def listen(self, name: str) -> None:
        topic, kind = OUTPUTS[name]
        self._listeners[name] = self._listen(name, kind, f"{self.node_name}/{topic}")

    def cover_ears(self) -> None:
        """Unsubscribe from all outputs."""
        for listener in self._listeners.values():
            self.node.destroy_subscription(listener)
        self._listeners = {}

    def meet(self) -> Robot:
        """Waits until both sides know of each other."""
        for publisher in self.cameras:
            self.wait_for(lambda publisher=publisher: publisher.get_subscription_count(), publisher.topic)
        begin = len(self.came["diagnostics"])
        self.wait_for(
            lambda: any(self._is_met(message) for message in self.came["diagnostics"][begin:]),
            "the node to see the cameras and the listeners",
        )
        return self

    def _is_met(self, message: DiagnosticArray) -> bool:
        reports = {task: status for status in message.status if (task := self._task_of(status))}
        if "processing" not in reports:  # inactive
            return False
        seen = all(values_of(reports[role])["publishers"] != "0" for role in self._images)
        return seen and not (self._listeners and "idle" in reports["processing"].message)

    def _task_of(self, status: DiagnosticStatus) -> str:
        """What it reports on; nothing if it is another node's."""
        name, _, task = status.name.partition(": ")
        return task if name == self.node_name.lstrip("/") else ""

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
        """What the condition gives once it is true."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (value := condition()):
                assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
                self._changed.wait(0.05)
            return value

    def stamp(self) -> int:
        """A later stamp than any before, ns."""
        self._stamp = max(self._stamp + 1_000_000, time.time_ns())
        return self._stamp

    def source(self, encoding: str = "16UC1", size: tuple[int, int] = SOURCE_SIZE, **fields: Any) -> Image:
        """A slanted wall, 1 to 3 m away; or its brightness."""
        values = np.linspace(*DEPTH_METRES, size[0] * size[1]).reshape(size)
        pixels = {
            "16UC1": lambda: (1000 * values).round().astype(np.uint16),
            "mono16": lambda: (1000 * values).round().astype(np.uint16),
            "32FC1": lambda: values.astype(np.float32),
            "mono8": lambda: (80 * values).round().astype(np.uint8),
        }
        return image(
            pixels[encoding]() if encoding in pixels else np.zeros(size, np.uint8), encoding, **fields
        )

    def guide(self, encoding: str = "rgb8", size: tuple[int, int] = GUIDE_SIZE, **fields: Any) -> Image:
        return image(self._draw.integers(0, 255, (*size, 3), np.uint8), encoding, **fields)

    def send(self, role: str, message: Image | CompressedImage | CameraInfo, stamp: int) -> None:
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
        message.header.frame_id = message.header.frame_id or f"{role}_optical_frame"
        publishers = self._infos if isinstance(message, CameraInfo) else self._images
        publishers[role].publish(message)

    def send_pair(
        self, source: Image | None = None, guide: Image | None = None, stamp: int | None = None
    ) -> int:
        """Sends one pair; its stamp."""
        stamp = stamp or self.stamp()
        self.send("source", source or self.source(), stamp)
        self.send("guide", guide or self.guide(), stamp)
        return stamp

    def result(self, stamp: int, name: str = "status") -> Any:
        """What the node has published on an output with that stamp."""
        return self.wait_for(lambda: self.find(stamp, name), f"{name} of {stamp}")

    def find(self, stamp: int, name: str = "status") -> Any:
        return next((one for one in self.came[name] if stamp_of(one) == stamp), None)

    def exchange(self, source: Image | None = None, guide: Image | None = None) -> int:
        """Sends a pair and waits for its status; its stamp."""
        stamp = self.send_pair(source, guide)
        self.result(stamp)
        return stamp

    def insist(self, source: Image | None = None, guide: Image | None = None) -> int:
        """Sends pairs until one comes through, which a busy middleware may lose; its stamp."""
        for _ in range(10):
            stamp = self.send_pair(source, guide)
            with suppress(AssertionError):
                self.wait_for(lambda sent=stamp: self.find(sent), f"status of {stamp}", 10.0)
                return stamp
        raise AssertionError("no pair came through")

    def occupy(self, source: Image | None = None, guide: Image | None = None) -> int:
        """Sends pairs until the node is busy with one for so long that it has been at it for a while; its stamp."""
        for _ in range(10):
            stamp = self.send_pair(source, guide)
            with suppress(AssertionError):
                self.report("processing", lambda status: float(values_of(status)["busy (s)"]) > 0.2, 3.0)
                return stamp
        raise AssertionError("the node took no pair")

    def report(
        self,
        task: str,
        condition: Callable[[DiagnosticStatus], Any] = lambda status: True,
        seconds: float = PATIENCE_SECONDS,
    ) -> DiagnosticStatus:
        """A diagnostic status of that task, from now on, that fulfils the condition."""
        begin = len(self.came["diagnostics"])

        def found() -> DiagnosticStatus | None:
            return next(
                (
                    status
                    for message in self.came["diagnostics"][begin:]
                    for status in message.status
                    if self._task_of(status) == task and condition(status)
                ),
                None,
            )

        return self.wait_for(found, f"diagnostics of {task}", seconds)

    def reset(self) -> Trigger.Response:
        return self.call(Trigger, f"{self.node_name}/reset", Trigger.Request())

    def change(self, transition: int) -> bool:
        """Asks the node for a transition of its lifecycle; whether it succeeded."""
        request = ChangeState.Request(transition=Transition(id=transition))
        return self.call(ChangeState, f"{self.node_name}/change_state", request).success

    def call(self, kind: type, name: str, request: Any) -> Any:
        # One for all calls: an answer is lost on a client that is not known yet.
        if name not in self._clients:
            self._clients[name] = self.node.create_client(kind, name)
        client = self._clients[name]
        self.wait_for(client.service_is_ready, name)
        answer = client.call_async(request)
        self.wait_for(answer.done, f"an answer of {name}")
        return answer.result()

    def _listen(self, name: str, kind: type, topic: str) -> Any:
        def take(message: Any) -> None:
            with self._changed:
                self.came[name].append(message)
                self._changed.notify_all()

        return self.node.create_subscription(kind, topic, take, RELIABLE)

    def _spin(self) -> None:
        # A listener that another thread destroys ends rclpy's spinning, now and then.
        while self.context.ok():
            with suppress(ExternalShutdownException, rclpy_implementation.InvalidHandle):
                self._executor.spin()

    def __enter__(self) -> Robot:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.try_shutdown()
        self._thread.join()
        self.node.destroy_node()


def image(pixels: np.ndarray, encoding: str, frame_id: str = "", **fields: Any) -> Image:
    """A message; `fields` overwrite what is true of the pixels."""
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    message.step = pixels.nbytes // message.height
    message.is_bigendian = int(sys.byteorder == "big")
    message.data = array("B", pixels.tobytes())
    for name, value in fields.items():
        setattr(message, name, value)
    message.header.frame_id = frame_id
    return message


def compressed(image_format: str, data: bytes) -> CompressedImage:
    message = CompressedImage(format=image_format)
    message.data = array("B", data)
    return message


def camera_info(
    size: tuple[int, int], focal_length: float, d: tuple[float, ...] = (), frame_id: str = ""
) -> CameraInfo:
    height, width = size
    cx, cy = (width - 1) / 2, (height - 1) / 2
    info = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=list(d))
    info.k = [focal_length, 0.0, cx, 0.0, focal_length, cy, 0.0, 0.0, 1.0]
    info.r = np.eye(3).ravel().tolist()
    info.p = [focal_length, 0.0, cx, 0.0, 0.0, focal_length, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    info.header.frame_id = frame_id
    return info


def info_of(camera: CameraModel) -> CameraInfo:
    fields = camera.camera_info_fields()
    fields["roi"] = RegionOfInterest(**fields["roi"])
    return CameraInfo(**fields)


def stamp_of(message: Any) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def pixels_of(message: Image) -> np.ndarray:
    """(h, w) or (h, w, 3), read as the message says."""
    dtype = {"16UC1": "<u2", "mono16": "<u2", "32FC1": "<f4"}.get(message.encoding, "u1")
    rows = np.frombuffer(message.data, dtype).reshape(message.height, -1)
    return rows.reshape(message.height, message.width, -1).squeeze()


def values_of(status: DiagnosticStatus) -> dict[str, str]:
    return {value.key: value.value for value in status.values}
