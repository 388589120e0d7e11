"""How far an estimate is from the truth, over pixels that all compared estimates have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from robself.errors import InputError


class Errors(NamedTuple):
    """RMSE and mean absolute error, in the estimate's unit; NaN over no pixel."""

    rmse: float
    mae: float
    pixels: int


class Spread(NamedTuple):
    """Mean and standard deviation (population); NaN of nothing."""

    mean: float
    std: float


def common_pixels(*images: np.ndarray) -> np.ndarray:
    """Where every image has a value. Shape: several (H, W), NaN in holes -> (H, W) bool.

    Raises:
        InputError: images of different sizes.
    """
    if len({image.shape for image in images}) != 1:
        sizes = ", ".join("x".join(map(str, image.shape[::-1])) for image in images)
        raise InputError(f"images of {sizes} cannot be compared, expected one size")
    return np.logical_and.reduce([np.isfinite(image) for image in images])


def errors_of(estimate: np.ndarray, truth: np.ndarray, judged: np.ndarray) -> Errors:
    """Errors of an estimate over the judged pixels. Shape: three (H, W), `judged` bool."""
    difference = estimate[judged].astype(np.float64) - truth[judged]
    if not difference.size:
        return Errors(np.nan, np.nan, 0)
    return Errors(float(np.sqrt(np.mean(difference**2))), float(np.mean(np.abs(difference))), difference.size)


def spread(values: Iterable[float]) -> Spread:
    """Mean and deviation of the finite ones among the values."""
    finite = _finite(values)
    return Spread(float(finite.mean()), float(finite.std())) if finite.size else Spread(np.nan, np.nan)


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` % of the finite values lie; NaN of nothing."""
    finite = _finite(values)
    return float(np.percentile(finite, share)) if finite.size else np.nan


def _finite(values: Iterable[float]) -> np.ndarray:
    array = np.array([value for value in values if value is not None], np.float64)
    return array[np.isfinite(array)]
