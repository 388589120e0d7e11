"""How far each super-resolved pixel may be trusted, judged without the truth.

A source pixel tells the mean of its area and nothing of how it is made up. Where the super-resolved image is
flat within that area there is little to be wrong about; where it steps, the step may lie elsewhere. That
spread predicts the error better than anything else that was tried, and what the filter's entropy tells is the
opposite of doubt: it is low at edges, where the errors are (docs/method.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from robself.metrics import pooled
from robself.upsampling import nearest

if TYPE_CHECKING:
    from robself.pair import Pair

# Mean error per spread, over the development data; it is much the same at factors 4 and 8.
ERROR_OF_SPREAD = 0.5
# Expected error, in deviations of the source, at which confidence is one half.
HALF_TRUSTED = 0.05
WITHOUT_GUIDE, FALLEN_BACK = 0.5, 0.25  # what is left of it there


def confidence_of(sr: np.ndarray, pair: Pair, fallback: bool) -> np.ndarray:
    """1 / (1 + e / HALF_TRUSTED), e being the error expected of a pixel in deviations of the source.

    The error comes of the spread of `sr` within a source pixel's area and of the difference between its mean and
    the source. Where the guide sees nothing, and everywhere after a fallback, less is left of it.

    Args:
        sr: (H, W) float32, the source's unit, NaN in holes. fallback: whether it is the upsampled source.

    Returns:
        (H, W) float32, 0 (holes) to 1.
    """
    known = np.isfinite(sr)
    sr = np.where(known, sr, nearest(pair.filled, sr.shape))
    mean = pooled(sr, pair.source.shape)
    spread = np.sqrt(pooled((sr - nearest(mean, sr.shape)) ** 2, pair.source.shape))
    missed = np.where(pair.valid, np.abs(mean - pair.filled), np.float32(0))
    deviation = float(pair.source[pair.valid].std(dtype=np.float64)) or 1.0
    expected = cv2.resize(
        (ERROR_OF_SPREAD * spread + missed) / np.float32(deviation),
        sr.shape[::-1],
        interpolation=cv2.INTER_LINEAR,
    )
    confidence = 1 / (1 + expected / np.float32(HALF_TRUSTED))
    if fallback:
        confidence *= np.float32(FALLEN_BACK)
    elif pair.guide_valid is not None:
        confidence[~pair.guide_valid] *= np.float32(WITHOUT_GUIDE)
    confidence[~known] = 0
    return confidence
