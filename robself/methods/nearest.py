"""Every pixel takes the source pixel that its centre lies in."""

from __future__ import annotations

from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair
from robself.upsampling import nearest


def run(pair: Pair, settings: Settings) -> Estimate:
    return masked_estimate(nearest(pair.source, pair.size), pair)


NEAREST = Method("nearest", run, "nearest neighbour")
