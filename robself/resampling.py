"""A guide seen through a displacement, to be looked at."""

from __future__ import annotations

import cv2
import numpy as np


def resampled(guide: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8, (H, W, 2) float32 px, (x, y) -> (H, W, 3) uint8; beyond the frame, its nearest pixel.

    OpenCV before 5 rounds positions to 1/32 px.
    """
    height, width = guide.shape[:2]
    return cv2.remap(
        guide,
        displacement[..., 0] + np.arange(width, dtype=np.float32),
        displacement[..., 1] + np.arange(height, dtype=np.float32)[:, None],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
