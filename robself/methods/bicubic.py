"""Cubic convolution: R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981."""

from __future__ import annotations

from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair
from robself.upsampling import bicubic


def run(pair: Pair, settings: Settings) -> Estimate:
    return masked_estimate(bicubic(pair.source, pair.valid, pair.size), pair)


BICUBIC = Method("bicubic", run, "cubic convolution (Keys, 1981)")
