"""Pixels of a source image to the values that the core computes in, and back, for either modality."""

from __future__ import annotations

import numpy as np

from robself.config import Modality
from robself.depth_encoding import from_intensity, from_metric, to_intensity, to_metric

UNITS: dict[Modality, str] = {"depth": "m", "nir": "intensity"}


def source_values(
    pixels: np.ndarray,
    encoding: str,
    modality: Modality,
    *,
    depth_min: float = 0.0,
    depth_max: float = np.inf,
) -> np.ndarray:
    """(h, w) in the encoding's own type -> (h, w) float32.

    Depth: metres, NaN outside [depth_min, depth_max]. NIR: the encoding's own counts.

    Raises:
        InputError: an encoding that is none of the modality's, or pixels that do not fit it.
    """
    if modality == "depth":
        return to_metric(pixels, encoding, minimum=depth_min, maximum=depth_max)
    return to_intensity(pixels, encoding)


def source_pixels(values: np.ndarray, encoding: str, modality: Modality) -> np.ndarray:
    """The inverse of `source_values`: (H, W) float32, NaN in holes -> (H, W) in the encoding's own type."""
    convert = from_metric if modality == "depth" else from_intensity
    return convert(values, encoding)
