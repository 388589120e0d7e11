"""Which optimiser moves which weights of the network."""

from __future__ import annotations

from typing import Literal

import torch

from robself.muon import Muon
from robself.network import RobSelf

OptimiserName = Literal["adam", "muon"]
# Muon moves a matrix by its learning rate whatever the gradient's size. Five times Adam's (docs/method.md):
# twice that serves as well, much more diverges.
MUON_OVER_ADAM = 5.0


def make_optimisers(network: RobSelf, name: OptimiserName) -> tuple[torch.optim.Optimizer, ...]:
    """Adam for all weights (Sec. 5.1); or Muon for the filters between feature maps, and Adam for the rest.

    The schedule sets their learning rates: a group's own is the schedule's times its `relative_rate`.
    """
    parameters = list(network.parameters())
    if name == "adam":
        return (with_rate(_adam(parameters)),)
    channels = network.config.channels
    hidden = [weight for weight in parameters if weight.ndim == 4 and min(weight.shape[:2]) >= channels]
    chosen = set(map(id, hidden))
    rest = [weight for weight in parameters if id(weight) not in chosen]
    return with_rate(Muon(hidden), MUON_OVER_ADAM), with_rate(_adam(rest))


def _adam(weights: list[torch.nn.Parameter]) -> torch.optim.Adam:
    return torch.optim.Adam(weights, fused=True, capturable=weights[0].is_cuda)


def with_rate(optimiser: torch.optim.Optimizer, relative: float = 1.0) -> torch.optim.Optimizer:
    """The same, its learning rates to be set by `set_learning_rate`."""
    for group in optimiser.param_groups:
        group["relative_rate"] = relative
        if (device := group["params"][0].device).type == "cuda":  # a CUDA graph knows where it lies
            group["lr"] = torch.zeros((), device=device)
    return optimiser


def set_learning_rate(optimisers: tuple[torch.optim.Optimizer, ...], rate: float) -> None:
    """Every group's learning rate, from the schedule's."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            relative = rate * group["relative_rate"]
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(relative)
            else:
                group["lr"] = relative
