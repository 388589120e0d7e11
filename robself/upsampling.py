"""Enlarge a source that has holes, without a guide: what RobSelf starts from and falls back to."""

from __future__ import annotations

import cv2
import numpy as np


def fill_holes(source: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Every invalid pixel takes the value of the nearest valid one. (h, w) float32 -> (h, w) float32."""
    if valid.all():
        return source
    _, labels = cv2.distanceTransformWithLabels(
        (~valid).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    holes, known = np.flatnonzero(~valid), np.flatnonzero(valid)
    filled = source.copy()
    # The valid pixels are numbered from 1, row by row.
    filled.put(holes, source.take(known.take(labels.take(holes) - 1)))
    return filled


def nearest(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) -> (H, W): every pixel takes the value of the source pixel its centre lies in."""
    rows, columns = (
        ((np.arange(full) + 0.5) * low / full).astype(int)
        for full, low in zip(size, image.shape, strict=True)
    )
    # Whole rows are taken, of the transpose too: pixel by pixel it takes four times as long.
    return cv2.transpose(cv2.transpose(image).take(columns, axis=0)).take(rows, axis=0)


def enlarge_mask(valid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) bool -> (H, W) bool: every pixel takes the validity of the source pixel its centre lies in."""
    return nearest(valid.view(np.uint8), size).view(bool)


def bicubic(source: np.ndarray, valid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) float32 -> (H, W) float32, holes filled from their nearest neighbour first, pixel centres kept."""
    return bicubic_of_filled(fill_holes(source, valid), size)


def bicubic_of_filled(source: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The same of a source without holes."""
    height, width = size
    return cv2.resize(source, (width, height), interpolation=cv2.INTER_CUBIC)
