"""What the learning peers have in common: how they descend, how they end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from robself.cuda_graphs import Graphs, directly
from robself.device import on
from robself.errors import ConfigError, RobSelfError
from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Settings
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.upsampling import bicubic


def iterations_of(settings: Settings, own: int) -> int:
    """The iterations that were asked for, or the method's own.

    Raises:
        ConfigError: fewer than one.
    """
    iterations = own if settings.iterations is None else settings.iterations
    if iterations < 1:
        raise ConfigError(f"iterations: {iterations}, expected at least 1")
    return iterations


def descend(
    optimiser: torch.optim.Optimizer,
    loss_of: Callable[..., torch.Tensor],
    iterations: int,
    inputs_at: Callable[[int], Sequence[torch.Tensor]] = lambda iteration: (),
) -> dict[str, float]:
    """Take the optimiser's steps down the loss of each iteration's inputs; what the first and the last saw.

    On a GPU an iteration is recorded and replayed (`robself.cuda_graphs`), as RobSelf's own are.

    Args:
        loss_of: may depend on its inputs and on the optimiser's learning rates alone.

    Raises:
        RobSelfError: the last loss is not finite.
    """

    def iterate(*inputs: torch.Tensor) -> tuple[torch.Tensor]:
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(*inputs)
        loss.backward()
        optimiser.step()
        return (loss.detach(),)

    device = optimiser.param_groups[0]["params"][0].device
    run = Graphs() if device.type == "cuda" else directly
    with on(device):
        for iteration in range(iterations):
            inputs = inputs_at(iteration)
            (loss,) = run(tuple(value.shape for value in inputs), iterate, inputs, lasting=False, again=False)
            if iteration == 0:
                before = loss.item()
        after = loss.item()
    if not math.isfinite(after):
        raise RobSelfError(f"the loss is {after} after {iterations} iterations, expected a finite one")
    return {"iterations": iterations, "loss_before": before, "loss_after": after}


def estimate_of(
    pair: Pair, normalisation: Normalisation, sr: torch.Tensor, network: nn.Module, info: dict[str, float]
) -> Estimate:
    """In the source's unit; NaN where the source has holes, bicubic where the guide does not see.

    Shape: sr (H, W) in deviations.
    """
    image = normalisation.restore(sr.cpu().numpy())
    if pair.guide_valid is not None:
        image = np.where(pair.guide_valid, image, bicubic(pair.source, pair.valid, pair.size))
    parameters = sum(weight.numel() for weight in network.parameters())
    info = {**info, "parameters": parameters, "device": str(sr.device)}
    return masked_estimate(image, pair)._replace(info=info)
