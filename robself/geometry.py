"""Camera models, and the guide brought into the source camera's field of view.

The source is what gets super-resolved, so everything happens in its frame: the guide is rectified and
turned into the source's view by the homography at infinity, K_source * R^-1 * K_guide^-1; or, where the
working distance is known, by that of the plane at this distance. What is left (parallax, calibration drift,
rolling shutter) is for RobSelf to align.
"""

from __future__ import annotations

import cv2
import numpy as np

from robself.camera_model import CameraModel, is_rectified
from robself.errors import InputError
from robself.extrinsics import Extrinsics
from robself.resampling import sampled

__all__ = ["CameraModel", "GuideRegistration", "is_rectified"]

# Below this many guide pixels a step, bilinear interpolation alone does not alias visibly.
TOLERATED_MINIFICATION = 1.3
BORDER = 1  # px around the guide, so that what is half a pixel beyond its edge takes the edge's own value
UNSEEN = -10.0  # px; beyond the border everything is black


class GuideRegistration:
    """The guide as seen through the source camera, by one cached remap.

    Args:
        source, guide: the two cameras; for rectified images give `CameraModel.rectified()`.
        extrinsics: from the source's optical frame to the guide's; None: no turn.
        size: (H, W) of the registered guide, which is the SR size; None for the source's own.
        distance: metres from the source camera to the plane, parallel to its image, that is registered without
            parallax; 0: infinitely far, so that the translation does not matter.

    Attributes:
        guide_valid: (H, W) bool, where the guide sees.
        guide_step: guide px per px of the registered image, the median of where the guide sees.

    Raises:
        InputError: a guide that sees nothing of the source's view.
    """

    def __init__(
        self,
        source: CameraModel,
        guide: CameraModel,
        extrinsics: Extrinsics | None = None,
        size: tuple[int, int] | None = None,
        distance: float = 0.0,
    ) -> None:
        extrinsics = extrinsics or Extrinsics()
        self.guide = guide.delivered()
        source = source.delivered()
        height, width = size or source.image_size
        self.camera = source.scaled(width, height)
        y, x = np.mgrid[:height, :width]
        rays = self.camera.rays(np.stack([x, y], axis=-1).reshape(-1, 2)) @ extrinsics.rotation.T
        if distance:  # rays have z = 1, so their points on the plane are distance * ray
            rays += extrinsics.translation / distance
        position = self.guide.pixels(rays).reshape(height, width, 2)
        extent = np.array([self.guide.width, self.guide.height]) - 0.5
        with np.errstate(invalid="ignore"):
            self.guide_valid = ((position >= -0.5) & (position <= extent)).all(axis=-1)
        if not self.guide_valid.any():
            raise InputError(
                f"the guide {guide.frame_id!r} sees nothing of the source {source.frame_id!r}: "
                "check both camera_info and the rotation between them"
            )
        self.guide_step = self._median_step(position)
        self._reduced = self._reduction()
        self._map = self._reduced_positions(position)

    def _median_step(self, position: np.ndarray) -> float:
        seen = np.where(self.guide_valid[..., None], position, np.nan)
        steps = [np.hypot(*np.moveaxis(np.diff(seen, axis=axis), -1, 0)).ravel() for axis in (0, 1)]
        steps = np.concatenate(steps)
        return float(np.nanmedian(steps)) if np.isfinite(steps).any() else 1.0

    def _reduction(self) -> tuple[int, int]:
        """(width, height) the guide is area-filtered to first, so that a sparse remap does not alias."""
        minification = self.guide_step if self.guide_step > TOLERATED_MINIFICATION else 1.0
        return tuple(max(1, round(side / minification)) for side in (self.guide.width, self.guide.height))

    def _reduced_positions(self, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x and y on the reduced guide with its border repeated once: (H, W) float32 each, far out where unseen."""
        scale = np.array(self._reduced) / (self.guide.width, self.guide.height)
        reduced = np.where(self.guide_valid[..., None], (position + 0.5) * scale - 0.5 + BORDER, UNSEEN)
        return tuple(cv2.split(reduced.astype(np.float32)))

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
        guide_image = cv2.copyMakeBorder(guide_image, *4 * [BORDER], cv2.BORDER_REPLICATE)
        return sampled(guide_image, *self._map, cv2.BORDER_CONSTANT), self.guide_valid
