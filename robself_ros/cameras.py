"""The latest camera_info of both cameras and the static transforms between them: kept, not paired."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from sensor_msgs.msg import CameraInfo

from robself.camera_model import CameraModel
from robself.errors import InputError
from robself.frame_tree import FrameTree

Role = Literal["source", "guide"]
POLL_SECONDS = 0.05


class Camera(NamedTuple):
    """A camera_info and its model, as the image's topic wants it read: rectified or not."""

    info: CameraInfo
    model: CameraModel


class Cameras:
    """Takes camera_info in the executor's thread; the worker asks for the models.

    Args:
        rectified: which of the images are rectified, so that P describes them and not K and D.
        say: takes a line for the log.
        frames: what `/tf_static` has told so far; None: it is not to be asked, or cannot be read.
    """

    def __init__(
        self, rectified: dict[Role, bool], say: Callable[[str], None], frames: FrameTree | None = None
    ) -> None:
        self._rectified, self._say, self.frames = rectified, say, frames
        self._infos: dict[Role, CameraInfo] = {}
        self._came = {"source": threading.Event(), "guide": threading.Event()}
        self._said: dict[Role, str] = {}

    def take(self, role: Role, info: CameraInfo) -> None:
        """A camera_info has come."""
        self._infos[role] = info
        self._came[role].set()

    def has(self, role: Role) -> bool:
        """Whether a camera_info has come."""
        return self._came[role].is_set()

    def trouble(self, role: Role) -> str | None:
        """Why the camera_info that has come is not used, in words."""
        return self._said.get(role)

    def wait_for(self, roles: tuple[Role, ...], deadline: float, should_stop: Callable[[], bool]) -> None:
        """Wait until each has come, or time.monotonic() has passed the deadline."""
        for role in roles:
            while not self._came[role].is_set() and time.monotonic() < deadline and not should_stop():
                self._came[role].wait(POLL_SECONDS)

    def of(self, role: Role, image_size: tuple[int, int]) -> Camera | None:
        """The camera of images of that size (h, w); None where there is none that fits, said once."""
        info = self._infos.get(role)
        if info is None:
            return None
        try:
            model = CameraModel.from_camera_info(info)
            model = model.rectified() if self._rectified[role] else model
        except InputError as error:
            return self._unusable(role, str(error))
        if why := model.misfit(image_size):
            return self._unusable(role, why)
        self._said.pop(role, None)
        return Camera(info, model)

    def _unusable(self, role: Role, why: str) -> None:
        if self._said.get(role) != why:
            self._said[role] = why
            self._say(f"the {role}'s camera_info is not used: {why}")
