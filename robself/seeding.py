"""First weights that a seed decides, whatever was drawn before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def seeded(make_network: Callable[[], Network], seed: int, device: torch.device) -> Network:
    """A network whose first weights are the seed's; the generators of the process stay as they are."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed seeds every GPU, too
        return make_network().to(device)
