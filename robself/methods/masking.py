"""What a method that fills holes to compute must not claim to know."""

from __future__ import annotations

import numpy as np

from robself.methods.method import Estimate
from robself.pair import Pair
from robself.upsampling import enlarge_mask


def masked_estimate(sr: np.ndarray, pair: Pair) -> Estimate:
    """NaN where the source measured nothing, as RobSelf does. Shape: (H, W) -> `Estimate`."""
    return Estimate(np.where(enlarge_mask(pair.valid, pair.size), sr, np.nan).astype(np.float32), {})
