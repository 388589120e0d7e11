"""Bicubic, then back-projected: M. Irani and S. Peleg, "Improving resolution by image registration", 1991.

The floor without a guide: all that the source says under Eq. 1's f_down, and nothing else.
"""

from __future__ import annotations

import torch

from robself.back_projection import back_projected
from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.preparation import observe
from robself.upsampling import bicubic

STEPS = 10  # what is then left of the inconsistency is a small share of the sensors' noise


def run(pair: Pair, settings: Settings) -> Estimate:
    normalisation = Normalisation.of(pair)
    start = torch.from_numpy(normalisation.source(bicubic(pair.source, pair.valid, pair.size)))[None, None]
    observation = observe(pair, normalisation, 1.0, torch.device("cpu"))
    sr = back_projected(start, observation, STEPS)[0, 0]
    return masked_estimate(normalisation.restore(sr.numpy()), pair)


BACK_PROJECTION = Method(
    "back_projection", run, f"bicubic and {STEPS} back-projections (Irani and Peleg, 1991)"
)
