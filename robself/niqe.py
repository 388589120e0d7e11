"""NIQE, how natural an image looks, without a truth.

A. Mittal, R. Soundararajan and A. C. Bovik, "Making a 'completely blind' image quality analyzer", IEEE Signal
Processing Letters, 2013, by the conventions of its authors' release. Low is natural. The model of natural images
is the one that they published, which other packages ship: it is read where one of them is installed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from robself.errors import InputError, MissingPackageError

BLOCK = 96  # px, the published model's
_MODEL_FILE = "niqe_pris_params.npz"
_PACKAGES = ("iqa-torch", "basicsr")  # both ship that file; neither is imported

_gamma = np.vectorize(math.gamma, otypes=[np.float64])
_SHAPES = np.arange(0.2, 10.0005, 0.001)
_RATIOS = _gamma(2 / _SHAPES) ** 2 / (_gamma(1 / _SHAPES) * _gamma(3 / _SHAPES))
# MATLAB's imresize by a half: Keys' cubic (a = -0.5) stretched over eight pixels, so that nothing aliases.
_HALVING = np.array([-0.0234375, -0.0703125, 0.2265625, 0.8671875]) / 2
_HALVING = np.concatenate((_HALVING, _HALVING[::-1]))


class PristineModel(NamedTuple):
    """Of natural images' features: mean (36,), covariance (36, 36)."""

    mean: np.ndarray
    covariance: np.ndarray


def unavailable() -> str | None:
    """Why NIQE cannot be computed here, in one line; None if it can."""
    try:
        pristine_model()
    except MissingPackageError as error:
        return str(error)
    return None


@lru_cache(maxsize=1)
def pristine_model() -> PristineModel:
    """The published model. Raises MissingPackageError."""
    path = _installed_model()
    if path is None:
        raise MissingPackageError(
            f"NIQE: no package with its published model ({_MODEL_FILE}) is installed, expected "
            f"{' or '.join(_PACKAGES)}: pip install 'robself[eval]'"
        )
    with np.load(path) as file:
        return PristineModel(file["mu_pris_param"].ravel(), file["cov_pris_param"])


def _installed_model() -> Path | None:
    for package in _PACKAGES:
        try:
            files = metadata.files(package) or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if file.name == _MODEL_FILE and (path := Path(file.locate())).is_file():
                return path
    return None


def niqe(image: np.ndarray) -> float:
    """Distance of an image's features from natural ones (Eq. 10).

    Args:
        image: (H, W) grey levels, 0 to 255; rounded to whole ones, as in the release.

    Returns:
        The distance; NaN where fewer than two blocks of 96x96 pixels have features, as flat ones have not.

    Raises:
        InputError: another shape, an image smaller than a block, or a pixel that is not finite.
        MissingPackageError: the published model is not installed.
    """
    if image.ndim != 2 or min(image.shape) < BLOCK:
        raise InputError(f"NIQE: image of shape {image.shape}, expected (H, W) of at least {BLOCK}x{BLOCK}")
    if not np.isfinite(image).all():
        raise InputError("NIQE: the image has pixels without a finite value, expected none")
    model = pristine_model()
    features = image_features(image)
    complete = features[~np.isnan(features).any(axis=1)]
    if len(complete) < 2:
        return math.nan
    difference = model.mean - np.nanmean(features, axis=0)
    pooled = (model.covariance + np.cov(complete, rowvar=False)) / 2
    return float(np.sqrt(difference @ np.linalg.pinv(pooled) @ difference))


def image_features(image: np.ndarray) -> np.ndarray:
    """18 features at full and at half resolution of every whole block; NaN where a block has none.

    The sharpness threshold of the paper (0.75) chooses blocks of natural images for the model; a judged image's
    are all taken.

    Shape: (H, W) -> (blocks, 36).
    """
    rows, columns = (size // BLOCK for size in image.shape)
    image = np.rint(image[: rows * BLOCK, : columns * BLOCK].astype(np.float64))
    scales = []
    for block in (BLOCK, BLOCK // 2):
        normalised = _normalised(image)
        scales.append(
            [
                _block_features(normalised[y : y + block, x : x + block])
                for x in range(0, columns * block, block)
                for y in range(0, rows * block, block)
            ]
        )
        image = cv2.sepFilter2D(image, -1, _HALVING, _HALVING, anchor=(3, 3), borderType=cv2.BORDER_REFLECT)[
            ::2, ::2
        ]
    return np.concatenate(scales, axis=1)


def _normalised(image: np.ndarray) -> np.ndarray:
    """Less the local mean, over the local deviation (Eq. 1-3): a 7x7 Gaussian of 7/6 px."""
    mean, mean_square = (
        cv2.GaussianBlur(values, (7, 7), 7 / 6, borderType=cv2.BORDER_REPLICATE)
        for values in (image, image**2)
    )
    return (image - mean) / (np.sqrt(np.abs(mean_square - mean**2)) + 1)


def _block_features(block: np.ndarray) -> list[float]:
    """18: the fit of the coefficients, and of their products with four neighbours (Eq. 7-9)."""
    shape, left, right = _fitted(block)
    features = [shape, (left + right) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shape, left, right = _fitted(block * np.roll(block, shift, axis=(0, 1)))
        features += [shape, (right - left) * math.gamma(2 / shape) / math.gamma(1 / shape), left, right]
    return features


def _fitted(values: np.ndarray) -> tuple[float, float, float]:
    """Asymmetric generalised Gaussian by moments (Eq. 4): shape, left scale, right scale; NaN if one-sided."""
    left, right = _root_mean_square(values[values < 0]), _root_mean_square(values[values > 0])
    skew = left / right
    ratio = np.mean(np.abs(values)) ** 2 / np.mean(values**2) if values.any() else math.nan
    ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = float(_SHAPES[np.argmin((_RATIOS - ratio) ** 2)])  # of NaN the first, as in the release
    scale = math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape))
    return shape, left * scale, right * scale


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else math.nan
