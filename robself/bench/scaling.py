"""(e) How the time of a keyframe grows with the pixels of the guide, and with the factor of super-resolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from robself.bench.clock import seconds
from robself.bench.inputs import resized_pair
from robself.bench.measurement import Measurement, Setup, Tell
from robself.config import RobSelfConfig
from robself.online import OnlineSuperResolver
from robself.pair import Pair
from robself.schedule import SCHEDULES, Stage

FACTOR = 4


def measure(setup: Setup, run: int, tell: Tell) -> Measurement:
    """The exponent e of seconds ~ pixels^e at fixed iterations at full resolution."""
    workload = setup.workload
    _keyframe_seconds(_square(workload.sides[0], FACTOR), setup, run)  # what only a first call costs
    work = [side**2 for side in workload.sides]
    by_pixels = []
    for index, side in enumerate(workload.sides):
        by_pixels.append(_keyframe_seconds(_square(side, FACTOR), setup, run))
        tell(0.6 * sum(work[: index + 1]) / sum(work))
    middle = workload.sides[len(workload.sides) // 2]
    by_scale = []
    for index, scale in enumerate(workload.scales):
        by_scale.append(_keyframe_seconds(_square(middle, scale), setup, run))
        tell(0.6 + 0.4 * (index + 1) / len(workload.scales))
    return Measurement(
        exponent(work, by_pixels),
        {
            "iterations": workload.scaled_iterations,
            "pixels": work,
            "seconds": by_pixels,
            "scales": list(workload.scales),
            "scale_seconds": by_scale,
            "scale_exponent": exponent(workload.scales, by_scale),
        },
    )


def exponent(work: Sequence[float], spent: Sequence[float]) -> float:
    """The least-squares e of log seconds = e log work + c."""
    slope, _ = np.polyfit([math.log(amount) for amount in work], [math.log(each) for each in spent], 1)
    return float(slope)


def _square(side: int, factor: int) -> Pair:
    return resized_pair((side, side), factor)


def _keyframe_seconds(pair: Pair, setup: Setup, seed: int) -> float:
    """Of a whole cold keyframe, from the pair to its result."""
    config = RobSelfConfig.from_preset("robot", seed=seed)
    schedule = replace(SCHEDULES[config.schedule], cold=(Stage(1.0, setup.workload.scaled_iterations),))
    resolver = OnlineSuperResolver(config, setup.device, schedule)
    start = seconds(resolver.device, setup.threads)
    resolver.keyframe(pair)
    return seconds(resolver.device, setup.threads) - start
