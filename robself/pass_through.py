"""Sources that come through without super-resolution, as results."""

from __future__ import annotations

import numpy as np

from robself.metrics import source_consistency
from robself.pair import Pair, Result
from robself.upsampling import bicubic_of_filled, enlarge_mask


def passed_through(pair: Pair, device: str) -> Result:
    """A source that a guide has nothing to add to, as it came; the guide as it is seen beside it.

    Args:
        pair: whose guide has the source's size. device: for the provenance; nothing is computed there.
    """
    return _result(pair, pair.source, pair.valid, 0.0, fallback=False, by="no resolution gap", device=device)


def enlarged(pair: Pair, device: str, failure: str) -> Result:
    """A source that could not be super-resolved, enlarged bicubically: `info["fallback"]` is true.

    Args:
        failure: one line about what went wrong, for `info["failure"]`.
    """
    sr = bicubic_of_filled(pair.filled, pair.size)
    consistency = source_consistency(sr, pair.source, pair.valid)
    valid = enlarge_mask(pair.valid, pair.size)
    result = _result(pair, sr, valid, consistency, fallback=True, by="failure", device=device)
    result.info["failure"] = failure
    return result


def _result(
    pair: Pair, sr: np.ndarray, valid: np.ndarray, consistency: float, *, fallback: bool, by: str, device: str
) -> Result:
    sr = np.where(valid, sr, np.float32(np.nan))
    info = {
        "mode": "pass_through",
        "start": "cold",
        "fallback": fallback,
        "iterations": 0,
        "seconds": 0.0,
        "consistency_before": consistency,
        "consistency_after": consistency,
        "consistency_bicubic": consistency,
        "stopped_by": by,
        "device": device,
    }
    return Result(sr, sr.copy(), np.zeros((*pair.size, 2), np.float32), valid, pair, info)
