"""A source that a guide has nothing to add to, as a result: unchanged."""

from __future__ import annotations

import numpy as np

from robself.pair import Pair, Result


def passed_through(pair: Pair, device: str) -> Result:
    """The source as it came, the guide as it is seen beside it.

    Args:
        pair: whose guide has the source's size. device: for the provenance; nothing is computed there.
    """
    sr = np.where(pair.valid, pair.source, np.float32(np.nan))
    info = {
        "mode": "pass_through",
        "start": "cold",
        "fallback": False,
        "iterations": 0,
        "seconds": 0.0,
        "consistency_before": 0.0,
        "consistency_after": 0.0,
        "consistency_bicubic": 0.0,
        "stopped_by": "no resolution gap",
        "device": device,
    }
    return Result(sr, sr.copy(), np.zeros((*pair.size, 2), np.float32), pair.valid, pair, info)
