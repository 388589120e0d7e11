"""Cubic convolution: R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981."""

from __future__ import annotations

from collections.abc import Callable

import torch

from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.preparation import Observation, observe
from robself.upsampling import bicubic


def run(pair: Pair, settings: Settings) -> Estimate:
    return masked_estimate(bicubic(pair.source, pair.valid, pair.size), pair)


def improved(pair: Pair, improve: Callable[[torch.Tensor, Observation], torch.Tensor]) -> Estimate:
    """Bicubic after a step on (1, 1, H, W) normalised values, as RobSelf's refinement takes them."""
    normalisation = Normalisation.of(pair)
    start = torch.from_numpy(normalisation.source(bicubic(pair.source, pair.valid, pair.size)))[None, None]
    sr = improve(start, observe(pair, normalisation, 1.0, torch.device("cpu")))[0, 0]
    return masked_estimate(normalisation.restore(sr.numpy()), pair)


BICUBIC = Method("bicubic", run, "cubic convolution (Keys, 1981)")
