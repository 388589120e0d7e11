"""K. He, J. Sun and X. Tang, "Guided image filtering", TPAMI 2013, on the bilinearly upsampled source.

In every window the estimate is a linear function of the guide's colour (the paper's Eq. 8), fitted to the
upsampled source by ridge regression (Eq. 14-15); a pixel takes the mean of all windows' that hold it (Eq. 16).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from robself.methods.bilinear import upsampled
from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair

# The paper's for carrying structure from one photograph to another (flash and no-flash, Fig. 8): colours that
# differ by 2 % of the range are one.
REGULARISATION = 0.02**2


def filtered(
    image: np.ndarray, guide: np.ndarray, radius: int, regularisation: float = REGULARISATION
) -> np.ndarray:
    """The colour guided filter.

    Shape: image (H, W), guide (H, W, 3) in 0..1 -> (H, W) float64.

    Args:
        radius: windows are 2 radius + 1 pixels wide. regularisation: the paper's epsilon.
    """
    # Plain window means (Sec. 3.5): exact at any radius. Border pixels repeat outside the frame.
    image, guide = image.astype(np.float64), guide.astype(np.float64)
    mean_image, mean_guide = _window_mean(image, radius), _window_mean(guide, radius)
    products = guide[..., :, None] * guide[..., None, :]
    covariance = _window_mean(products, radius) - mean_guide[..., :, None] * mean_guide[..., None, :]
    with_image = _window_mean(guide * image[..., None], radius) - mean_guide * mean_image[..., None]
    slope = np.linalg.solve(covariance + regularisation * np.eye(3), with_image[..., None])[..., 0]
    offset = mean_image - np.sum(slope * mean_guide, axis=-1)
    return np.sum(_window_mean(slope, radius) * guide, axis=-1) + _window_mean(offset, radius)


def _window_mean(image: np.ndarray, radius: int) -> np.ndarray:
    """Mean over each pixel's window, per channel. Shape: (H, W, ...) -> the same."""
    channels = image.reshape(*image.shape[:2], -1)
    size = (2 * radius + 1, 2 * radius + 1)
    means = [
        cv2.boxFilter(np.ascontiguousarray(channels[..., i]), -1, size, borderType=cv2.BORDER_REPLICATE)
        for i in range(channels.shape[-1])
    ]
    return np.stack(means, axis=-1).reshape(image.shape)


def radius_for(factor: float) -> int:
    """The least whose window spans a source pixel wherever it lies, since the paper gives none for upsampling.

    Windows twice and four times as wide were worse on Middlebury pairs, x4 and x8, aligned and not.
    """
    return math.ceil(factor / 2)


def run(pair: Pair, settings: Settings) -> Estimate:
    return masked_estimate(filtered(upsampled(pair), pair.guide / 255, radius_for(pair.factor)), pair)


GUIDED_FILTER = Method(
    "guided_filter", run, "guided filter on the bilinearly upsampled source (He et al., 2013)"
)
