"""Every pixel takes the source pixel that its centre lies in."""

from __future__ import annotations

import cv2

from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair
from robself.upsampling import fill_holes


def run(pair: Pair, settings: Settings) -> Estimate:
    filled = fill_holes(pair.source, pair.valid)
    # INTER_NEAREST takes pixels' corners instead of their centres, and so shifts the image.
    return masked_estimate(cv2.resize(filled, pair.size[::-1], interpolation=cv2.INTER_NEAREST_EXACT), pair)


NEAREST = Method("nearest", run, "nearest neighbour")
