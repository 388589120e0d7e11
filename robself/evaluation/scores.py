"""What one estimate of one case is worth."""

from __future__ import annotations

import math

import numpy as np

from robself import niqe
from robself.datasets.case import Case
from robself.errors import InputError
from robself.metrics import common_pixels, delta1, errors_of, near_edges, source_consistency
from robself.pair import Modality, Pair
from robself.upsampling import fill_holes

# Each: what it is. Lower is better but for delta1.
SCORES = {
    "rmse": "root mean square error, in the case's unit",
    "mae": "mean absolute error, in the case's unit",
    "edge_rmse": "RMSE within 2 px of the truth's edges, in the case's unit (see robself.metrics.near_edges)",
    "delta1": "share of pixels within a factor of 1.25 of the truth (see robself.metrics.delta1)",
    "consistency": "mean |f_down(estimate) - source| over valid source pixels, in the case's unit (Eq. 1)",
    "niqe": "NIQE, of NIR and where there is no truth (see robself.niqe)",
    "pixels": "how many pixels were judged: those of both truth and estimate",
    "missing": "how many pixels of the truth the estimate lacks",
}


def score(estimate: np.ndarray, case: Case) -> dict[str, float]:
    """All of `SCORES`; NaN where one does not apply, or cannot be computed (NIQE: see `niqe_refusal`).

    Args:
        estimate: (H, W), the case's unit, NaN where there is none.

    Raises:
        InputError: an estimate that is not of the guide's size, or a truth that is not.
    """
    size = case.guide.shape[:2]
    for name, image in (("estimate", estimate), ("truth", case.truth)):
        if image is not None and image.shape != size:
            raise InputError(f"{case.name}: {name} of shape {image.shape}, expected the guide's {size}")
    scores = dict.fromkeys(SCORES, math.nan)
    pair = case.pair()
    scores["consistency"] = source_consistency(estimate, pair.source, pair.valid)
    if niqe_applies(case) and niqe_refusal(estimate) is None:
        scores["niqe"] = niqe.niqe(grey_levels(estimate, pair, case.modality))
    return scores | _against_truth(estimate, case.truth)


def _against_truth(estimate: np.ndarray, truth: np.ndarray | None) -> dict[str, float]:
    if truth is None:
        return {"pixels": 0, "missing": 0}
    judged = common_pixels(estimate, truth)
    errors = errors_of(estimate, truth, judged)
    return {
        "rmse": errors.rmse,
        "mae": errors.mae,
        "edge_rmse": errors_of(estimate, truth, judged & near_edges(truth)).rmse,
        "delta1": delta1(estimate, truth, judged),
        "pixels": errors.pixels,
        "missing": int(np.isfinite(truth).sum()) - errors.pixels,
    }


def niqe_applies(case: Case) -> bool:
    """NIQE knows natural images, so it judges NIR; of depth it is the last resort."""
    return case.truth is None or case.modality == "nir"


def niqe_refusal(estimate: np.ndarray) -> str | None:
    """Why an estimate gets no NIQE, in one line; None if it does."""
    if min(estimate.shape) < niqe.BLOCK:
        return f"NIQE needs at least {niqe.BLOCK}x{niqe.BLOCK} pixels, not {estimate.shape[1]}x{estimate.shape[0]}"
    if not np.isfinite(estimate).any():
        return "NIQE needs an estimate that has pixels"
    return niqe.unavailable()


def grey_levels(estimate: np.ndarray, pair: Pair, modality: Modality) -> np.ndarray:
    """The estimate as the picture that NIQE judges: (H, W) float32, 0 to 255, holes filled.

    NIR whose source keeps within 0 to 255 stays as it is. Otherwise the range of the source's valid values is
    stretched over 0 to 255, so that all estimates of a case are stretched alike.
    """
    values = pair.source[pair.valid]
    low, high = float(values.min()), float(values.max())
    if modality == "nir" and low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    filled = fill_holes(estimate.astype(np.float32), np.isfinite(estimate))
    return np.clip((filled - low) / ((high - low) or 1.0) * 255, 0, 255)
