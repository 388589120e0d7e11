"""A guide on another grid, or seen through a displacement."""

from __future__ import annotations

import cv2
import numpy as np


def resized(guide: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H', W', 3) uint8 -> (H, W, 3) uint8, `size` being (H, W): means over areas where both axes shrink."""
    if size == guide.shape[:2]:
        return guide
    if guide.shape[:2] == (1, 1):  # OpenCV 4.5.4 takes a single pixel for a number
        return np.tile(guide, (*size, 1))
    shrinks = size[0] <= guide.shape[0] and size[1] <= guide.shape[1]
    return cv2.resize(guide, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def resampled(guide: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8, (H, W, 2) float32 px, (x, y) -> (H, W, 3) uint8; beyond the frame, its nearest pixel."""
    height, width = guide.shape[:2]
    return sampled(
        guide,
        displacement[..., 0] + np.arange(width, dtype=np.float32),
        displacement[..., 1] + np.arange(height, dtype=np.float32)[:, None],
        cv2.BORDER_REPLICATE,
    )


def sampled(guide: np.ndarray, x: np.ndarray, y: np.ndarray, border: int) -> np.ndarray:
    """A guide at positions, interpolated bilinearly.

    OpenCV before 5 rounds positions to 1/32 px.

    Args:
        guide: (h, w, 3) uint8. x, y: (H, W) float32, px.
        border: what is beyond the frame, as OpenCV names it; of BORDER_CONSTANT, black.

    Returns:
        (H, W, 3) uint8.
    """
    # Of pixels of four channels and positions in floats, OpenCV 5 takes half the time of three channels. Earlier
    # versions take as long for either.
    pixels = cv2.remap(cv2.cvtColor(guide, cv2.COLOR_RGB2RGBA), x, y, cv2.INTER_LINEAR, borderMode=border)
    return cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB)
