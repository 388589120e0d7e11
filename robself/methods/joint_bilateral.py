"""J. Kopf, M. F. Cohen, D. Lischinski and M. Uyttendaele, "Joint bilateral upsampling", SIGGRAPH 2007.

Every pixel is a mean of the source pixels around it, weighted by their distance on the source's grid and by how
much the guide's colour at their centre differs from the pixel's own.
"""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np

from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair
from robself.upsampling import fill_holes

# The paper's: a 5x5 window of source pixels, sigma_d in source pixels, sigma_r in units of the guide's range.
RADIUS = 2
SIGMA_DISTANCE = 0.5
SIGMA_COLOUR = 0.1


def upsampled(source: np.ndarray, guide: np.ndarray) -> np.ndarray:
    """Shape: source (h, w) without holes, guide (H, W, 3) in 0..1 -> (H, W) float64."""
    (height, width), size = source.shape, guide.shape[:2]
    y, x = ((np.arange(full) + 0.5) * low / full - 0.5 for full, low in zip(size, source.shape, strict=True))
    row, column = np.rint(y).astype(int), np.rint(x).astype(int)
    # Between pixels at even factors: what lies at a source pixel's centre is the mean of those around it.
    guide = guide.astype(np.float64)
    guide_at_source = cv2.resize(guide, (width, height), interpolation=cv2.INTER_LINEAR)
    weighted, weights = np.zeros(size), np.zeros(size)
    for down, right in product(range(-RADIUS, RADIUS + 1), repeat=2):
        inside = _within(row + down, height)[:, None] & _within(column + right, width)
        at = np.ix_(np.clip(row + down, 0, height - 1), np.clip(column + right, 0, width - 1))
        distance = ((row + down - y) ** 2)[:, None] + (column + right - x) ** 2
        colour = np.sum((guide - guide_at_source[at]) ** 2, axis=-1)
        # At most exp(-150) for the nearest of them, black against white: float64 never loses all weights.
        weight = inside * np.exp(-distance / (2 * SIGMA_DISTANCE**2) - colour / (2 * SIGMA_COLOUR**2))
        weighted += weight * source[at]
        weights += weight
    return weighted / weights


def _within(index: np.ndarray, size: int) -> np.ndarray:
    return (index >= 0) & (index < size)


def run(pair: Pair, settings: Settings) -> Estimate:
    return masked_estimate(upsampled(fill_holes(pair.source, pair.valid), pair.guide / 255), pair)


JOINT_BILATERAL = Method("joint_bilateral", run, "joint bilateral upsampling (Kopf et al., 2007)")
