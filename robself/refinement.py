"""From what the network predicts to what is believed of the source: consistent with it, and sharp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from robself.back_projection import back_projected, enlarged
from robself.cuda_graphs import Run, directly
from robself.deadline import Pace
from robself.network import RobSelf
from robself.optimisation import predict
from robself.preparation import Observation, Observations
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

    def _refined(self, sr: torch.Tensor, full: Observation, steps: int) -> torch.Tensor:
        """With so many steps of sharpening; the pace counts in whole refinements."""
        with self.pace.timing("refinement", full.upsampled, (1 + steps) / (1 + self.sharpening)):
            return self._sharp(sr, full, self.back_projection, steps)

    def _sharp(
        self, image: torch.Tensor, full: Observation, back_projection: int, steps: int
    ) -> torch.Tensor:
        if not (back_projection or steps):
            return image

        def work(image: torch.Tensor, source: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor]:
            seen = replace(full, source=source, valid=valid)
            return (sharpened(back_projected(image, seen, back_projection), seen, steps),)

        (refined,) = self.run(
            ("sharp", full.shape, back_projection, steps), work, (image, full.source, full.valid)
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
        network: RobSelf,
        observations: Observations,
        resolutions: Sequence[float],
        dtype: torch.dtype,
        in_time: Callable[[float], bool] = lambda resolution: True,
    ) -> None:
        """Let a network that has learned from refined sources see one.

        That is the upsampled source, sharpened, and then what the network predicts at one resolution after the
        other, as long as `in_time` says so. Without coarser resolutions it has learned from the upsampled source.
        """
        if not (self.bootstrapping and resolutions):
            return
        full = observations.full
        observations.believe(self._sharp(full.upsampled, full, 0, self._between))
        for resolution in resolutions:
            if in_time(resolution):
                self.improve(network, observations, resolution, dtype)

    def improve(
        self, network: RobSelf, observations: Observations, resolution: float, dtype: torch.dtype
    ) -> None:
        """Believe what the network predicts at that resolution, refined at the full one; if it is finite."""
        if not self.bootstrapping:
            return
        full = observations.full
        size = full.upsampled.shape[-2:]
        with torch.no_grad():
            estimate = predict(network, observations[resolution], dtype, translate=False, run=self.run).sr
            if estimate.shape[-2:] != size:
                estimate = enlarged(estimate, size)
            estimate = self._refined(estimate, full, self._between)
        if torch.isfinite(estimate).all():
            observations.believe(estimate)
