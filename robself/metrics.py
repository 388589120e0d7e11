"""How far an estimate is from the truth, over pixels that all compared estimates have, and from its source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
import torch

from robself.consistency import AveragePooling
from robself.errors import InputError

EDGE_JUMP = 0.1  # of the truth's range: at half of it, slopes and quantisation make half a flat scene an edge
EDGE_REACH = 2  # px


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


def near_edges(truth: np.ndarray) -> np.ndarray:
    """Pixels within 2 px (along each axis) of an edge of the truth: where super-resolution is decided.

    An edge lies between two pixels side by side whose values differ by more than 10 % of the truth's range, the
    latter between its 2nd and 98th percentile, so that neither unit nor offset nor a few wrong values matter.
    A hole's border is no edge.

    Shape: (H, W), NaN in holes -> (H, W) bool.
    """
    known = truth[np.isfinite(truth)].astype(np.float64)
    if not known.size:
        return np.zeros(truth.shape, bool)
    low, high = np.percentile(known, (2, 98))
    jump = EDGE_JUMP * (high - low)
    edges = np.zeros(truth.shape, np.uint8)
    down, right = (np.abs(np.diff(truth.astype(np.float64), axis=axis)) > jump for axis in (0, 1))
    edges[:-1] |= down
    edges[1:] |= down
    edges[:, :-1] |= right
    edges[:, 1:] |= right
    # The two pixels beside an edge are within one pixel of it.
    size = 2 * (EDGE_REACH - 1) + 1
    return cv2.dilate(edges, np.ones((size, size), np.uint8)).astype(bool)


def delta1(estimate: np.ndarray, truth: np.ndarray, judged: np.ndarray) -> float:
    """Share of the judged pixels with max(estimate / truth, truth / estimate) < 1.25; NaN of nothing.

    It is meant for metric depth; of disparity and of NIR it says how many values are right to 25 % all the same.
    Where the truth is not positive there is no ratio and nothing is judged; an estimate that is not is wrong.

    Shape: three (H, W), `judged` bool.
    """
    judged = judged & (truth > 0)
    estimate, truth = estimate[judged].astype(np.float64), truth[judged].astype(np.float64)
    if not truth.size:
        return np.nan
    return float(np.mean((estimate < 1.25 * truth) & (truth < 1.25 * estimate)))


def source_consistency(estimate: np.ndarray, source: np.ndarray, valid: np.ndarray) -> float:
    """Mean |f_down(estimate) - source| (Eq. 1) over valid source pixels, in their unit; NaN of nothing.

    Where the estimate lacks pixels, f_down is the mean of those that it has; source pixels under which it has
    none are not judged.

    Shape: (H, W), NaN in holes; source (h, w), valid (h, w) bool.
    """
    means, judged = pooled(estimate, source.shape), valid
    if not np.isfinite(means).all():
        known = np.isfinite(estimate)
        share = pooled(known, source.shape)
        total = pooled(np.where(known, estimate, np.float32(0)), source.shape)
        judged = valid & (share > 0)
        means = np.divide(total, share, out=total, where=judged)
    if not judged.any():
        return np.nan
    # Summed up in double precision.
    total = cv2.norm(means, source.astype(np.float32, copy=False), cv2.NORM_L1, judged.view(np.uint8))
    return total / np.count_nonzero(judged)


def pooled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """f_down of Eq. 1 of an array, the mean over each source pixel's area: (H, W) -> (h, w) float32."""
    image = image.astype(np.float32, copy=False)
    pool = AveragePooling(image.shape, size)
    if pool.factor:  # the same block means in a tenth of the time
        return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    return pool(torch.from_numpy(image)[None, None])[0, 0].numpy()


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
