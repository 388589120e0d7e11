"""The low resolution of task I: what a coarser sensor would have measured of a true image."""

from __future__ import annotations

import numpy as np


def whole_blocks(image: np.ndarray, factor: int) -> np.ndarray:
    """The image without the rows at its bottom and the columns at its right that fill no block.

    Shape: (H, W, ...) -> (H // factor * factor, W // factor * factor, ...).
    """
    height, width = image.shape[:2]
    return image[: height - height % factor, : width - width % factor]


def block_mean(values: np.ndarray, factor: int) -> np.ndarray:
    """The mean of each block's valid pixels; NaN where a block has none.

    Args:
        values: (H, W) float, NaN where invalid, at least one block large.

    Returns:
        (H // factor, W // factor) float32.
    """
    values = whole_blocks(values, factor)
    rows, columns = (size // factor for size in values.shape)
    blocks = values.astype(np.float64).reshape(rows, factor, columns, factor)
    valid = ~np.isnan(blocks)
    count = valid.sum((1, 3))
    total = np.where(valid, blocks, 0).sum((1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
