"""The guide as the source camera sees it, at the size of the super-resolved image."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from robself.camera_model import CameraModel
from robself.errors import InputError
from robself.geometry import GuideRegistration


class GuideView:
    """Registers guides by both cameras' models; without them it takes both views to be the same.

    Args:
        factor: of super-resolution; 0: guide size / source size, the smaller ratio where cameras are known.
        rpy: rad; roll, pitch, yaw about fixed axes, turning the source's optical frame into the guide's.
        say: takes a line for the log.

    Attributes:
        registered: whether the last guide was registered; None before the first.
    """

    def __init__(self, factor: float, rpy: tuple[float, float, float], say: Callable[[str], None]) -> None:
        self._factor, self._rotation, self._say = factor, rotation(*rpy), say
        self._key: tuple | None = None
        self._registration: GuideRegistration | InputError | None = None
        self.registered: bool | None = None

    def __call__(
        self,
        guide: np.ndarray,
        source_size: tuple[int, int],
        source_camera: CameraModel | None,
        guide_camera: CameraModel | None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """A guide in the source's view.

        Args:
            guide: (H', W', 3) uint8. source_size: (h, w).
            source_camera, guide_camera: of images of these sizes; None where unknown.

        Returns:
            guide: (H, W, 3) uint8. guide_valid: (H, W) bool, or None for everywhere.

        Raises:
            InputError: cameras that do not see the same scene.
        """
        if source_camera is None or guide_camera is None:
            if self.registered is not False:
                self._say("the guide is taken as it is: it must show the source's view")
            self.registered = False
            return self._resized(guide, source_size), None
        key = (source_camera, guide_camera, source_size, guide.shape)
        if key != self._key:  # the map is computed once and holds for as long as the cameras stay the same
            self._key, self._registration = key, self._register(*key)
        if isinstance(self._registration, InputError):
            raise self._registration
        self.registered = True
        return self._registration.apply(guide)

    def _register(
        self, source: CameraModel, guide: CameraModel, source_size: tuple[int, int], guide_shape: tuple
    ) -> GuideRegistration | InputError:
        ratio = min(guide_shape[0] / source_size[0], guide_shape[1] / source_size[1])
        size = _times(source_size, self._factor or max(ratio, 1.0))
        try:
            registration = GuideRegistration(source, guide, self._rotation, size)
        except InputError as error:
            return error
        seen = 100 * registration.guide_valid.mean()
        self._say(
            f"the guide is registered into the source's view at {size[1]}x{size[0]}, seeing {seen:.0f} % of it"
        )
        return registration

    def _resized(self, guide: np.ndarray, source_size: tuple[int, int]) -> np.ndarray:
        height, width = _times(source_size, self._factor) if self._factor else guide.shape[:2]
        if (height, width) == guide.shape[:2]:
            return guide
        shrinks = height <= guide.shape[0] and width <= guide.shape[1]
        return cv2.resize(
            guide, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )


def rotation(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """(3, 3): roll, pitch, yaw about the fixed x, y, z axes, rad (REP 103)."""
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in (roll, pitch, yaw))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _times(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return round(size[0] * factor), round(size[1] * factor)
