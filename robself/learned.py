"""What a network has learned at each resolution of a schedule, and ways back to it.

A resolution's weights serve it best: those of the finest stage, which learned last, have forgotten some of what they
knew of coarser images (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from robself.network import RobSelf


class Snapshot:
    """Weights and optimiser state as they were when they were last kept."""

    def __init__(self, network: RobSelf, optimisers: Sequence[torch.optim.Optimizer]) -> None:
        self._optimisers = optimisers
        # Not those of its `state_dict`, which a deep copy would not take for the same.
        self._weights = list(network.parameters())
        self._kept: list[torch.Tensor] = []
        self.keep()

    @torch.no_grad()
    def keep(self) -> None:
        now = [*self._weights, *self._moments()]
        if len(now) != len(self._kept):  # an optimiser begins to have moments with its first step
            self._kept = [torch.empty_like(value) for value in now]
        torch._foreach_copy_(self._kept, now)

    @torch.no_grad()
    def restore(self) -> None:
        weights, moments = self._kept[: len(self._weights)], self._kept[len(self._weights) :]
        torch._foreach_copy_(self._weights, weights)
        if moments:
            torch._foreach_copy_(self._moments(), moments)
        elif begun := self._moments():
            torch._foreach_zero_(begun)  # as they begin; in place, for a CUDA graph knows where they lie

    def _moments(self) -> list[torch.Tensor]:
        return [
            value
            for optimiser in self._optimisers
            for moments in optimiser.state.values()
            for value in moments.values()
        ]


class Learned:
    """A network and its optimisers, which hold what was learned at one resolution, and what was learned at others."""

    def __init__(self, network: RobSelf, optimisers: Sequence[torch.optim.Optimizer]) -> None:
        self.network, self.optimisers = network, optimisers
        self._resolution: float | None = None  # of what the network holds
        self._at: dict[float, Snapshot] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(self.network, self.optimisers)

    def turn_to(self, resolution: float) -> Snapshot | None:
        """Hold what was learned at that resolution; where nothing was, what the network holds is a beginning.

        Returns:
            What was learned there, not to be written to; None: nothing.
        """
        there = self._at.get(resolution)
        if there and resolution != self._resolution:
            there.restore()
        self._resolution = resolution
        return there

    @property
    def sound(self) -> bool:
        """Whether the weights are finite; makes a GPU wait."""
        return bool(torch.stack(torch._foreach_norm(list(self.network.parameters()))).sum().isfinite())

    def keep(self) -> None:
        """Remember what the network holds as what was learned at its resolution."""
        self._at[self._resolution] = self.snapshot()

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self, self.snapshot(), self._resolution, dict(self._at))


@dataclass(frozen=True)
class Checkpoint:
    """All that was learned until now."""

    learned: Learned
    held: Snapshot  # by the network
    resolution: float | None
    at: dict[float, Snapshot]

    def knows(self, resolution: float) -> bool:
        """Whether something was learned there."""
        return resolution in self.at

    def back(self) -> None:
        self.held.restore()
        self.learned._resolution, self.learned._at = self.resolution, dict(self.at)
