"""From what is there to what the sensors say: noise, holes, and the coding of the pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robself.depth_encoding import from_intensity, from_metric
from robself.rendering.raycast import View
from robself.rendering.shapes import Shape

GRAZING = 0.17  # cosine below which the depth camera gets no answer: some 80 degrees
EXPOSURE = 1.05
ELECTRONS = 6000.0  # of a white pixel: its shot noise is 1.3 %
WHITE_COUNTS = {"mono8": 255, "mono16": 4000}  # of the NIR camera; 12 bits in 16, as most send them


def measured_depth(
    truth_m: np.ndarray, answered: np.ndarray, factor: int, draw: np.random.Generator
) -> np.ndarray:
    """What a low-resolution depth camera reads.

    Each of its pixels averages the truth over its area, as RobSelf's f_down does, plus noise whose deviation
    grows with the square of the distance (0.7 mm + 0.5 mm / m^2), in whole millimetres.

    Args:
        truth_m: (H, W) metres. answered: (H, W) bool, False where no light comes back.

    Returns:
        (H / factor, W / factor) uint16, millimetres, 0 = no measurement.
    """

    def blocks(image: np.ndarray) -> np.ndarray:
        return _blocks(image, factor)

    depth = blocks(truth_m.astype(np.float64)).mean(axis=2)
    noisy = depth + draw.normal(size=depth.shape) * (0.7e-3 + 0.5e-3 * depth**2)
    lost = blocks(answered).mean(axis=2) < 0.5
    # Pixels astride an edge mix two echoes: some sensors give up on a part of them.
    spread = np.ptp(blocks(truth_m), axis=2) > 0.1 * depth
    lost |= spread & (draw.random(depth.shape) < 0.06)
    lost |= draw.random(depth.shape) < 0.002
    return from_metric(np.where(lost, np.nan, noisy), "16UC1")


def answers(scene: Sequence[Shape], view: View) -> np.ndarray:
    """(H, W) bool: where infrared light comes back, which grazed and black surfaces do not send."""
    answered = view.cosine > GRAZING
    for number, places in view.pixels:
        if not scene[number].reflects_infrared:
            answered[places] = False
    return answered.reshape(view.depth.shape)


def measured_infrared(truth: np.ndarray, factor: int, draw: np.random.Generator, encoding: str) -> np.ndarray:
    """What a low-resolution NIR camera reads: the truth averaged, with shot and read noise.

    Args:
        truth: (H, W) counts, see `infrared_counts`. encoding: mono8 or mono16.

    Returns:
        (H / factor, W / factor) of the encoding's type.
    """
    white = WHITE_COUNTS[encoding]
    light = _blocks(truth.astype(np.float64), factor).mean(axis=2) / white
    noise = np.sqrt(np.maximum(light, 0) / ELECTRONS + 0.002**2) * draw.standard_normal(light.shape)
    return from_intensity(white * (light + noise), encoding)


def infrared_counts(light: np.ndarray, encoding: str) -> np.ndarray:
    """(H, W) linear light -> float32 counts of mono8 or mono16, without noise."""
    return (np.clip(light, 0, 1) * WHITE_COUNTS[encoding]).astype(np.float32)


def _blocks(image: np.ndarray, factor: int) -> np.ndarray:
    """(H, W) -> (H / factor, W / factor, factor^2)."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    return image.reshape(height, factor, width, factor).swapaxes(1, 2).reshape(height, width, -1)


def photographed(light: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """(H, W, 3) linear light -> (H, W, 3) uint8 sRGB with shot and read noise and a vignette."""
    height, width = light.shape[:2]
    y, x = np.linspace(-1, 1, height)[:, None] * height / width, np.linspace(-1, 1, width)
    exposed = light * np.float32(EXPOSURE) * (1 - 0.12 * (x * x + y * y))[..., None].astype(np.float32)
    deviation = np.sqrt(np.maximum(exposed, 0) / ELECTRONS + 0.0015**2).astype(np.float32)
    exposed = np.clip(exposed + deviation * draw.standard_normal(exposed.shape, np.float32), 0, 1)
    srgb = np.where(exposed <= 0.0031308, 12.92 * exposed, 1.055 * exposed ** (1 / 2.4) - 0.055)
    return np.rint(255 * srgb).astype(np.uint8)
