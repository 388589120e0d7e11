"""From what the network predicts to what is believed of the source: consistent with it, and sharp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from robself.back_projection import back_projected
from robself.cuda_graphs import Run, directly
from robself.deadline import Pace
from robself.learned import Learned
from robself.optimisation import predict
from robself.preparation import Observation, Observations
from robself.resizing import enlarged
from robself.schedule import Schedule
from robself.sharpening import sharpened

CALIBRATING = 1  # step of sharpening that tells how long all of them take


class Refinement:
    """The steps that a schedule gives it.

    Args:
        sharp: whether the source has few, steep edges, as depth has and NIR has not.
        pace: is told how long refinements take.

    Attributes:
        run: runs passes and refinements (`robself.cuda_graphs`).
    """

    def __init__(self, schedule: Schedule, sharp: bool, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.run: Run = directly
        self.bootstrapping = schedule.bootstrapping
        self.back_projection = schedule.back_projection
        self.sharpening = schedule.sharpening if sharp else 0
        # Of what is only looked at: more steps do not make results better.
        self._between = self.sharpening // 2

    def __call__(self, sr: torch.Tensor, full: Observation) -> torch.Tensor:
        """A prediction made consistent with the source, and sharp. Shape: (1, 1, H, W) normalised -> the same."""
        return self._refined(sr, full, self.sharpening)

    def _refined(self, sr: torch.Tensor, seen: Observation, steps: int) -> torch.Tensor:
        """With so many steps of sharpening; the pace counts in whole refinements."""
        with self.pace.timing("refinement", seen.upsampled, (1 + steps) / (1 + self.sharpening)):
            return self._sharp(sr, seen, self.back_projection, steps)

    def _sharp(
        self, image: torch.Tensor, seen: Observation, back_projection: int, steps: int
    ) -> torch.Tensor:
        if not (back_projection or steps):
            return image

        def work(image: torch.Tensor, source: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor]:
            same = replace(seen, source=source, valid=valid)
            return (sharpened(back_projected(image, same, back_projection), same, steps),)

        (refined,) = self.run(
            ("sharp", seen.kind, back_projection, steps), work, (image, seen.source, seen.valid)
        )
        return refined

    def calibrate(self, full: Observation) -> None:
        """Tell the pace how long a refinement takes, unless it knows."""
        few = min(self.sharpening, CALIBRATING)
        if few and not self.pace.expected("refinement", full.upsampled.numel()):
            for _ in range(2):  # the first pays for allocation, too
                with self.pace.timing("refinement", full.upsampled, few / self.sharpening):
                    sharpened(full.upsampled, full, few)

    def climb(
        self,
        learned: Learned,
        observations: Observations,
        resolutions: Sequence[float],
        dtype: torch.dtype,
        in_time: Callable[[float], bool] = lambda resolution: True,
    ) -> None:
        """Let networks that have learned from refined sources see one.

        That is the upsampled source, sharpened, and then what the network predicts at one resolution after the
        other, as long as `in_time` says so, refined where it was predicted, which costs a tracked pair less. Without
        coarser resolutions it has learned from the upsampled source.
        """
        if not (self.bootstrapping and resolutions):
            return
        affordable = [resolution for resolution in resolutions if in_time(resolution)]
        first = observations[affordable[0] if affordable else 1.0]
        observations.believe(self._sharp(first.upsampled, first, 0, self._between))
        for resolution in affordable:
            if in_time(resolution):
                self.improve(learned, observations, resolution, dtype, refined_at=resolution)

    def improve(
        self,
        learned: Learned,
        observations: Observations,
        resolution: float,
        dtype: torch.dtype,
        refined_at: float = 1.0,
    ) -> None:
        """Believe what the network predicts at a resolution, refined at that one or a finer one; if it is finite."""
        if not self.bootstrapping:
            return
        learned.turn_to(resolution)
        seen = observations[refined_at]
        size = seen.upsampled.shape[-2:]
        with torch.no_grad():
            estimate = predict(
                learned.network, observations[resolution], dtype, translate=False, run=self.run
            ).sr
            if estimate.shape[-2:] != size:
                estimate = enlarged(estimate, size)
            estimate = self._refined(estimate, seen, self._between)
        if torch.isfinite(estimate).all():
            observations.believe(estimate)
