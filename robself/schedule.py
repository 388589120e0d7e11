"""When to work at which resolution, for how long, and at what learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from robself.errors import ConfigError
from robself.optimisers import OptimiserName

LEAST_POOLING = 2.0


@dataclass(frozen=True)
class Stage:
    """Iterations at one resolution.

    Attributes:
        resolution: share of the guide's height and width, 0 < resolution <= 1.
        iterations: how many, when no budget says otherwise.
        learning_rate: Adam's, before `decay`; Muon's is in proportion (`robself.optimisers`).
        decay: "paper": times 0.9998 every 5 iterations (Sec. 5.1); "linear": constant for the first half of
            the stage, then falling to zero.
        patience: iterations without progress of the loss after which the constant half ends (`robself.plateau`);
            None: it never ends before its time.
    """

    resolution: float
    iterations: int
    learning_rate: float = 0.002
    decay: str = "linear"
    patience: int | None = None

    @property
    def after_plateau(self) -> int:
        """The iteration at which a plateau of the loss lets the stage go on."""
        return self.iterations // 2 if self.decay == "linear" else self.iterations

    def rate(self, iteration: int, fraction: float) -> float:
        """Learning rate at an iteration, `fraction` (0..1) of the stage being over."""
        if self.decay == "paper":
            return self.learning_rate * 0.9998 ** (iteration // 5)
        return self.learning_rate * min(1.0, 2 * (1 - fraction))

    def resolving(self, factor: float) -> Stage:
        """The stage at a resolution that is twice the source's at least, with as much work.

        Where f_down of Eq. 1 does not pool, the upsampled source itself is the answer and nothing is learned.
        """
        least = min(1.0, LEAST_POOLING / factor)
        if self.resolution >= least:
            return self
        return replace(self.shortened((self.resolution / least) ** 2), resolution=least)

    def shortened(self, share: float) -> Stage:
        """The stage with that share of its iterations."""
        return replace(self, iterations=max(1, round(self.iterations * share)))


@dataclass(frozen=True)
class Schedule:
    """The way to a result.

    Attributes:
        cold, warm: stages of a cold keyframe and of a warm one.
        optimiser: what moves the weights (`robself.optimisers`).
        bootstrapping: whether each stage is given what the one before it has made of the source, refined;
            otherwise all have the upsampled source (Sec. 3.1).
        back_projection, sharpening: steps of refinement, which make a prediction consistent with the source and
            its edges steep.
        meant_for: the factor that the cold stages' iterations are for. Beyond it those after the first find more
            of their work done, and have fewer.
    """

    cold: tuple[Stage, ...]
    warm: tuple[Stage, ...]
    optimiser: OptimiserName = "muon"
    bootstrapping: bool = True
    back_projection: int = 3
    sharpening: int = 20
    meant_for: float = math.inf

    def coarser(self, factor: float) -> tuple[float, ...]:
        """Resolutions on the way to the full one, for that factor of super-resolution: those of cold stages."""
        return tuple(sorted({stage.resolving(factor).resolution for stage in self.cold} - {1.0}))

    def stages(
        self, warm: bool, iterations: int | None = None, factor: float = math.inf
    ) -> tuple[Stage, ...]:
        """The stages, stretched or shrunk to a total of `iterations` in their own proportions.

        Args:
            factor: of super-resolution, the smaller one of both axes.

        Raises:
            ConfigError: fewer than one iteration.
        """
        stages = tuple(stage.resolving(factor) for stage in (self.warm if warm else self.cold))
        if warm:
            stages = _merged(stages)
        elif self.meant_for < factor < math.inf:
            first, *later = stages
            stages = first, *(stage.shortened((self.meant_for / factor) ** 1.5) for stage in later)
        if iterations is None:
            return stages
        if iterations < 1:
            raise ConfigError(f"iterations: {iterations}, expected at least 1")
        total = sum(stage.iterations for stage in stages)
        shares, spent, before = [], 0, 0
        for stage in stages:
            before += stage.iterations
            upto = round(iterations * before / total)
            shares.append(upto - spent)
            spent = upto
        return tuple(
            replace(stage, iterations=share) for stage, share in zip(stages, shares, strict=True) if share
        )


def _merged(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Neighbours at one resolution as one: what a cold keyframe gains between them, a warm one has."""
    merged: list[Stage] = []
    for stage in stages:
        if merged and merged[-1].resolution == stage.resolution:
            stage = replace(stage, iterations=merged.pop().iterations + stage.iterations)
        merged.append(stage)
    return tuple(merged)


SCHEDULES: dict[str, Schedule] = {
    "coarse_to_fine": Schedule(
        cold=(Stage(0.25, 300), Stage(0.5, 300), Stage(1.0, 100)),
        # Up to x4 less than a 25th of that work; half its rate, so that what is cut short explains the source, too.
        warm=(Stage(0.25, 4, 0.001), Stage(0.5, 4, 0.001), Stage(1.0, 6, 0.001)),
        meant_for=4.0,
    ),
    # Sec. 5.1: 1000 iterations at full resolution, Adam 0.002, times 0.9998 every 5; every keyframe alike.
    "paper": Schedule(
        cold=(Stage(1.0, 1000, decay="paper"),),
        warm=(Stage(1.0, 1000, decay="paper"),),
        optimiser="adam",
        bootstrapping=False,
        back_projection=0,
        sharpening=0,
    ),
}
