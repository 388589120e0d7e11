"""What the viewer cannot show as it comes: displacements as colours, a depth image as points."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, sqrt

import cv2
import numpy as np

from robself.camera_model import CameraModel

MOST_POINTS = 200_000  # of a cloud: more are slow to turn, and fill the disk


def direction_colours(displacement: np.ndarray) -> np.ndarray:
    """(H, W, 2) float32, px -> (H, W, 3) uint8: hue for the direction, white for none.

    The 99th percentile of an image's lengths has the full colour.
    """
    length, angle = cv2.cartToPolar(displacement[..., 0], displacement[..., 1], angleInDegrees=True)
    full = max(float(np.percentile(length, 99)), 1e-6)
    saturation = 255 * np.clip(length / full, 0, 1)
    hsv = np.dstack([angle / 2, saturation, np.full_like(length, 255)])
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


def points(
    depth: np.ndarray, camera: CameraModel, colours: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """A depth image back-projected, thinned out to at most `MOST_POINTS` by whole rows and columns.

    Args:
        depth: (H, W) m along the optical axis, NaN in holes. camera: of images of that size.
        colours: (H, W, 3) uint8 or None.

    Returns:
        (n, 3) float32 m, in the optical frame (REP 103: x right, y down, z forward), and (n, 3) colours.
    """
    step = ceil(sqrt(max(1.0, depth.size / MOST_POINTS)))
    cloud = _rays(camera, step) * depth[::step, ::step].reshape(-1, 1)
    seen = np.isfinite(cloud).all(axis=1)
    if colours is not None:
        colours = colours[::step, ::step].reshape(-1, 3)[seen]
    return cloud[seen].astype(np.float32), colours


@lru_cache(maxsize=1)
def _rays(camera: CameraModel, step: int) -> np.ndarray:
    """(n, 3), z = 1: of every `step`-th pixel of every `step`-th row."""
    height, width = camera.image_size
    columns, rows = np.meshgrid(np.arange(0, width, step), np.arange(0, height, step))
    return camera.delivered().rays(np.c_[columns.ravel(), rows.ravel()])
