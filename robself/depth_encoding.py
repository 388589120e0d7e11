"""Source images between their ROS encoding and the unit the core computes in.

Depth follows REP 117 and REP 118: `32FC1` holds metres along the optical z axis, NaN = no measurement,
-Inf = too close, +Inf = no return; `16UC1` holds millimetres, 0 = no measurement. NIR is an intensity
without a unit, every value of which is a measurement.
"""

from __future__ import annotations

import cv2
import numpy as np

from robself.errors import InputError

MILLIMETRE = 1e-3
FARTHEST = np.float32(65.535)  # m, in 16 bits (REP 118)
DEPTH_ENCODINGS = {"16UC1": np.uint16, "mono16": np.uint16, "32FC1": np.float32}
INTENSITY_ENCODINGS = {"mono8": np.uint8, "8UC1": np.uint8, "mono16": np.uint16, "16UC1": np.uint16}


def to_metric(
    array: np.ndarray, encoding: str, *, minimum: float = 0.0, maximum: float = np.inf
) -> np.ndarray:
    """Depth in metres, NaN where nothing was measured.

    Args:
        array: (h, w) in the encoding's own type.
        encoding: `16UC1` or `mono16` (millimetres), or `32FC1` (metres).
        minimum, maximum: metres; depths outside [minimum, maximum] become NaN, as do all <= 0.

    Returns:
        (h, w) float32, metres.

    Raises:
        InputError: not a depth encoding, or an array that does not fit it.
    """
    _check(array, encoding, DEPTH_ENCODINGS, "depth")
    metres = array.astype(np.float32)
    if metres.dtype != array.dtype:
        metres *= np.float32(MILLIMETRE)
    # REP 117: written as min <= d <= max, which is false for NaN, and false for Inf of either sign.
    most = min(maximum, np.finfo(np.float32).max)
    measured = (metres > 0) & (metres >= minimum) & (metres <= most)
    np.copyto(metres, np.nan, where=~measured)
    return metres


def from_metric(metres: np.ndarray, encoding: str) -> np.ndarray:
    """Depth in its encoding: the inverse of `to_metric`, rounded to the nearest millimetre for `16UC1`.

    Args:
        metres: (h, w) float; non-finite and <= 0 mean no measurement.

    Returns:
        (h, w) uint16, 0 = no measurement (also beyond `FARTHEST`), or float32, NaN.

    Raises:
        InputError: not a depth encoding.
    """
    dtype = _dtype(encoding, DEPTH_ENCODINGS, "depth")
    metres = np.ascontiguousarray(metres, np.float32)
    if dtype == np.float32:
        return np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(np.nan))
    # OpenCV multiplies, rounds and saturates at once: what is negative or no number becomes 0, as it must.
    pixels = cv2.addWeighted(metres, 1 / MILLIMETRE, metres, 0, 0, dtype=cv2.CV_16U)
    if pixels.max() == np.iinfo(dtype).max:
        pixels[~(metres <= FARTHEST)] = 0
    return pixels


def to_intensity(array: np.ndarray, encoding: str) -> np.ndarray:
    """NIR intensity, (h, w) float32, in the encoding's own counts: `mono8`, `8UC1`, `mono16` or `16UC1`.

    Raises:
        InputError: not an intensity encoding, or an array that does not fit it.
    """
    _check(array, encoding, INTENSITY_ENCODINGS, "intensity")
    return array.astype(np.float32)


def from_intensity(intensity: np.ndarray, encoding: str) -> np.ndarray:
    """NIR intensity in its encoding: rounded to nearest, clipped to the type's range; NaN becomes 0.

    Raises:
        InputError: not an intensity encoding.
    """
    dtype = _dtype(encoding, INTENSITY_ENCODINGS, "intensity")
    highest = np.iinfo(dtype).max
    counts = np.nan_to_num(np.asarray(intensity, np.float64), nan=0.0, posinf=highest, neginf=0.0)
    return np.rint(np.clip(counts, 0, highest)).astype(dtype)


def _dtype(encoding: str, accepted: dict[str, type], kind: str) -> np.dtype:
    if encoding not in accepted:
        raise InputError(f"{kind} encoding {encoding!r} is not supported, expected {', '.join(accepted)}")
    return np.dtype(accepted[encoding])


def _check(array: np.ndarray, encoding: str, accepted: dict[str, type], kind: str) -> None:
    dtype = _dtype(encoding, accepted, kind)
    if array.ndim != 2 or array.dtype != dtype:
        raise InputError(
            f"{kind} image with encoding {encoding}: {array.dtype} of shape {array.shape}, "
            f"expected {dtype} of shape (h, w)"
        )
