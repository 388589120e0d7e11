"""Bicubic, then back-projected: M. Irani and S. Peleg, "Improving resolution by image registration", 1991.

The floor without a guide: all that the source says under Eq. 1's f_down, and nothing else.
"""

from __future__ import annotations

from functools import partial

from robself.back_projection import back_projected
from robself.methods.bicubic import improved
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair

STEPS = 10  # what is then left of the inconsistency is a small share of the sensors' noise


def run(pair: Pair, settings: Settings) -> Estimate:
    return improved(pair, partial(back_projected, steps=STEPS))


BACK_PROJECTION = Method(
    "back_projection", run, f"bicubic and {STEPS} back-projections (Irani and Peleg, 1991)"
)
