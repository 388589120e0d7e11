"""Camera models, and the guide brought into the source camera's field of view.

The source is what gets super-resolved, so everything happens in its frame: the guide is rectified and
turned into the source's view by the homography at infinity, K_source * R^-1 * K_guide^-1. What is left
(parallax, calibration drift, rolling shutter) is for RobSelf to align.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from robself.camera_model import CameraModel, is_rectified
from robself.errors import InputError

__all__ = ["CameraModel", "GuideRegistration", "is_rectified"]

# Below this many guide pixels a step, bilinear interpolation alone does not alias visibly.
TOLERATED_MINIFICATION = 1.3


class GuideRegistration:
    """The guide as seen through the source camera, by one cached remap.

    Args:
        source, guide: the two cameras; for rectified images give `CameraModel.rectified()`.
        rotation_guide_from_source: (3, 3), turns a ray of the source's optical frame into the guide's.
        size: (H, W) of the registered guide, which is the SR size; None for the source's own.

    Raises:
        InputError: not a rotation, or a guide that sees nothing of the source's view.
    """

    def __init__(
        self,
        source: CameraModel,
        guide: CameraModel,
        rotation_guide_from_source: Sequence[Sequence[float]] | np.ndarray | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        R = np.eye(3) if rotation_guide_from_source is None else np.asarray(rotation_guide_from_source)
        if R.shape != (3, 3) or not np.allclose(R @ R.T, np.eye(3), atol=1e-4) or np.linalg.det(R) < 0:
            raise InputError(f"rotation_guide_from_source: {R.tolist()}, expected a 3x3 rotation")
        self.guide = guide.delivered()
        source = source.delivered()
        height, width = size or source.image_size
        self.camera = source.scaled(width, height)
        y, x = np.mgrid[:height, :width]
        rays = self.camera.rays(np.stack([x, y], axis=-1).reshape(-1, 2))
        position = self.guide.pixels(rays @ R.T).reshape(height, width, 2)
        extent = np.array([self.guide.width, self.guide.height]) - 0.5
        with np.errstate(invalid="ignore"):
            self.guide_valid = ((position >= -0.5) & (position <= extent)).all(axis=-1)
        if not self.guide_valid.any():
            raise InputError(
                f"the guide {guide.frame_id!r} sees nothing of the source {source.frame_id!r}: "
                "check both camera_info and the rotation between them"
            )
        self._reduced = self._reduction(position)
        self._map = self._reduced_positions(position)

    def _reduction(self, position: np.ndarray) -> tuple[int, int]:
        """(width, height) the guide is area-filtered to first, so that a sparse remap does not alias."""
        steps = [np.diff(position, axis=axis) for axis in (0, 1)]
        step = np.nanmedian(np.concatenate([np.hypot(*np.moveaxis(s, -1, 0)).ravel() for s in steps]))
        minification = float(step) if step > TOLERATED_MINIFICATION else 1.0
        return round(self.guide.width / minification), round(self.guide.height / minification)

    def _reduced_positions(self, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scale = np.array(self._reduced) / (self.guide.width, self.guide.height)
        reduced = np.where(self.guide_valid[..., None], (position + 0.5) * scale - 0.5, -10.0)
        return cv2.convertMaps(reduced.astype(np.float32), None, cv2.CV_16SC2)

    def apply(self, guide_image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Registers one image of the guide camera.

        Args:
            guide_image: (h, w, 3) or (h, w) uint8, of the guide camera's size.

        Returns:
            registered: (H, W, 3) uint8, black where the guide does not see.
            guide_valid: (H, W) bool, False there.

        Raises:
            InputError: an image of another size or type than the camera's.
        """
        if guide_image.ndim == 2:
            guide_image = np.repeat(guide_image[..., None], 3, axis=2)
        expected = (*self.guide.image_size, 3)
        if guide_image.shape != expected or guide_image.dtype != np.uint8:
            raise InputError(
                f"guide image: {guide_image.dtype} of shape {guide_image.shape}, expected uint8 of shape "
                f"{expected} as its camera_info says"
            )
        if self._reduced != (self.guide.width, self.guide.height):
            guide_image = cv2.resize(guide_image, self._reduced, interpolation=cv2.INTER_AREA)
        registered = cv2.remap(guide_image, *self._map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        registered[~self.guide_valid] = 0
        return registered, self.guide_valid
