"""(a) The same iterations with the same output: how much faster than the literal reference."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch

from robself.bench.clock import seconds
from robself.bench.inputs import benched_case, paper_config
from robself.bench.literal import optimise_literally
from robself.bench.measurement import Measurement, Setup, Tell
from robself.config import RobSelfConfig
from robself.device import choose_device, compute_type
from robself.network import Prediction, RobSelf
from robself.normalisation import Normalisation
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import predict
from robself.pair import Pair
from robself.preparation import observe
from robself.seeding import seeded

# What is left between two orders of the same float32 sums after a few iterations, and between float32 and bfloat16,
# which keeps 8 bits: root mean square, as a share of the literal output's own.
TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 0.15}


def measure(setup: Setup, run: int, tell: Tell) -> Measurement:
    """Seconds of the literal reference over those of the product, as it runs on this device.

    Both begin with the same weights. The product is run in float32, too, which is how its output must equal the
    reference's to 0.1 %; a value whose outputs are not equal is void.
    """
    device, workload = choose_device(setup.device), setup.workload
    case = benched_case(setup.case, workload.equal_crop)
    pair, config = case.pair(), paper_config(case, run)
    observation = observe(pair, Normalisation.of(pair), 1.0, device)
    network = seeded(partial(RobSelf, config.model), config.seed, device)
    iterations = workload.equal_iterations
    optimise_literally(copy.deepcopy(network), observation, 1)  # what only a first call costs is not measured
    tell(1 / (iterations + 1))

    start = seconds(device, setup.threads)
    literal = optimise_literally(
        copy.deepcopy(network), observation, iterations, lambda done: tell((done + 1) / (iterations + 2))
    )
    literal_seconds = seconds(device, setup.threads) - start
    details: dict[str, Any] = {
        "size": list(pair.size),
        "channels": config.model.channels,
        "iterations": iterations,
        "literal_seconds": literal_seconds,
    }
    own = compute_type(device)
    for dtype in dict.fromkeys((torch.float32, own)):
        _keyframe(copy.deepcopy(network), pair, config, 1, dtype, setup)
        spent, optimised = _keyframe(copy.deepcopy(network), pair, config, iterations, dtype, setup)
        with torch.no_grad():
            prediction = predict(optimised, observation, dtype)
        details[str(dtype).removeprefix("torch.")] = {
            "seconds": spent,
            "time_ratio": literal_seconds / spent,
            **difference(prediction, literal),
        }
    ours = details[str(own).removeprefix("torch.")]
    return Measurement(ours["time_ratio"], details, fault(details, TOLERANCES))


def _keyframe(
    network: RobSelf, pair: Pair, config: RobSelfConfig, iterations: int, dtype: torch.dtype, setup: Setup
) -> tuple[float, RobSelf]:
    """Seconds of a cold keyframe of the product, and the network that it has optimised."""
    resolver = OnlineSuperResolver(config, setup.device, make_network=lambda _: network)
    resolver.dtype = dtype
    start = seconds(resolver.device, setup.threads)
    resolver.keyframe(pair, Budget(iterations=iterations))
    return seconds(resolver.device, setup.threads) - start, network


def difference(ours: Prediction, literal: Prediction) -> dict[str, float]:
    """Between two outputs, SR and translation: the largest one, in deviations of the source, and the relative one."""
    pairs = [(mine.float(), theirs.float()) for mine, theirs in zip(ours[:2], literal[:2], strict=True)]
    return {
        "max_difference": max((mine - theirs).abs().max().item() for mine, theirs in pairs),
        "relative_difference": max(((mine - theirs).norm() / theirs.norm()).item() for mine, theirs in pairs),
    }


def fault(details: dict[str, Any], tolerances: dict[torch.dtype, float]) -> str | None:
    """Why the outputs are not equal, in one line; None: they are."""
    faults: Sequence[str] = [
        f"{name} differs from the literal reference by {found:.2g} of its output, expected at most {tolerance:g}"
        for dtype, tolerance in tolerances.items()
        if (name := str(dtype).removeprefix("torch.")) in details
        and not (found := details[name]["relative_difference"]) <= tolerance
    ]
    return "; ".join(faults) or None
