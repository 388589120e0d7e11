"""Bilinear interpolation between the centres of the source's pixels."""

from __future__ import annotations

import cv2
import numpy as np

from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair
from robself.upsampling import fill_holes


def upsampled(pair: Pair) -> np.ndarray:
    """The source at the guide's size, holes filled: (H, W) float32."""
    filled = fill_holes(pair.source, pair.valid)
    return cv2.resize(filled, pair.size[::-1], interpolation=cv2.INTER_LINEAR)


def run(pair: Pair, settings: Settings) -> Estimate:
    return masked_estimate(upsampled(pair), pair)


BILINEAR = Method("bilinear", run, "bilinear interpolation")
