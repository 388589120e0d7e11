"""The misalignment of task I: a guide moved by a random translation, rotation and shift of perspective.

The paper names the three (Sec. 5.1) but gives no ranges; those below are this project's choice.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

TRANSLATION_PX = 10.0  # at most, on each axis
ROTATION_DEGREES = 2.0  # at most, about the image's centre
CORNER_SHARE = 0.015  # at most, of the width and of the height, for each corner by itself


@dataclass(frozen=True)
class Misalignment:
    """How guides are moved; a scene is always moved alike, whatever the order, the machine or the scale.

    With a translation or a rotation given, the guide is moved by what is given and by nothing else, so that a
    curve over either begins at the aligned guide.

    Attributes:
        translation_px: length of the translation, in the direction of the scene's random one.
        rotation_degrees: size of the rotation, with the sign of the scene's random one.
    """

    translation_px: float | None = None
    rotation_degrees: float | None = None

    def homography(self, size: tuple[int, int], scene: str) -> np.ndarray:
        """Where the moved guide shows what the target shows.

        Args:
            size: (H, W) of target and guide. scene: its name, which seeds the movement.

        Returns:
            (3, 3) float64, px of the target's grid -> px of the moved guide's, pixel centres at integers.
        """
        height, width = size
        translation, angle, jitter = self._drawn(scene)
        corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float64)
        centre = corners.mean(axis=0)
        cosine, sine = math.cos(angle), math.sin(angle)
        rotation = np.array([[cosine, -sine], [sine, cosine]])
        landed = (corners - centre) @ rotation.T + centre + translation + jitter * (width, height)
        return cv2.getPerspectiveTransform(corners.astype(np.float32), landed.astype(np.float32))

    def facts(self) -> dict[str, float]:
        """What there is to know of it to repeat it."""
        if self.translation_px is None and self.rotation_degrees is None:
            return {
                "translation_px": TRANSLATION_PX,
                "rotation_degrees": ROTATION_DEGREES,
                "corner_share": CORNER_SHARE,
            }
        return {
            "exact_translation_px": self.translation_px or 0.0,
            "exact_rotation_degrees": self.rotation_degrees or 0.0,
        }

    def _drawn(self, scene: str) -> tuple[np.ndarray, float, np.ndarray]:
        """Translation (2,) px, angle in radians, jitter of the corners (4, 2) as shares of the size."""
        # Python's own hash() of a string is another one in every process.
        draw = np.random.default_rng(zlib.crc32(scene.encode()))
        translation = draw.uniform(-TRANSLATION_PX, TRANSLATION_PX, 2)
        degrees = draw.uniform(-ROTATION_DEGREES, ROTATION_DEGREES)
        jitter = draw.uniform(-CORNER_SHARE, CORNER_SHARE, (4, 2))
        if self.translation_px is not None or self.rotation_degrees is not None:
            translation *= (self.translation_px or 0.0) / np.hypot(*translation)
            degrees = math.copysign(self.rotation_degrees or 0.0, degrees)
            jitter = np.zeros((4, 2))
        return translation, math.radians(degrees), jitter


def moved(guide: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """A guide after `Misalignment.homography`; what comes into the frame is reflected from within.

    Shape: (H, W, 3) uint8 -> (H, W, 3) uint8.
    """
    height, width = guide.shape[:2]
    return cv2.warpPerspective(
        guide, homography, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
