"""From what the network predicts to what is believed of the source: consistent with it, and sharp."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from robself.back_projection import back_projected
from robself.deadline import Pace
from robself.network import RobSelf
from robself.optimisation import predict
from robself.preparation import Observation, Observations
from robself.schedule import Schedule
from robself.sharpening import sharpened

CALIBRATING = 3  # steps of sharpening that tell how long all of them take


class Refinement:
    """The steps that a schedule gives it.

    Args:
        sharp: whether the source has few, steep edges, as depth has and NIR has not.
        pace: is told how long refinements take.
    """

    def __init__(self, schedule: Schedule, sharp: bool, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.bootstrapping = schedule.bootstrapping
        self.back_projection = schedule.back_projection
        self.sharpening = schedule.sharpening if sharp else 0

    def __call__(self, sr: torch.Tensor, full: Observation) -> torch.Tensor:
        """A prediction at any resolution, made consistent and sharp at full resolution.

        Shape: (1, 1, H', W') normalised -> (1, 1, H, W).
        """
        size = full.upsampled.shape[-2:]
        if sr.shape[-2:] != size:
            sr = F.interpolate(sr, size, mode="bicubic", align_corners=False)
        with self.pace.timing("refinement", full.upsampled):
            return sharpened(back_projected(sr, full, self.back_projection), full, self.sharpening)

    def calibrate(self, full: Observation) -> None:
        """Tell the pace how long a refinement takes, unless it knows."""
        few = min(self.sharpening, CALIBRATING)
        if few and not self.pace.expected("refinement", full.upsampled.numel()):
            for _ in range(2):  # the first pays for allocation, too
                with self.pace.timing("refinement", full.upsampled, few / self.sharpening):
                    sharpened(full.upsampled, full, few)

    def prepare(self, observations: Observations) -> None:
        """Let a network that has learned from refined sources see one: the upsampled source, sharpened."""
        if self.bootstrapping:
            full = observations.full
            observations.believe(sharpened(full.upsampled, full, self.sharpening))

    def improve(
        self, network: RobSelf, observations: Observations, resolution: float, dtype: torch.dtype
    ) -> None:
        """Believe what the network predicts at that resolution, refined; if it is finite."""
        if not self.bootstrapping:
            return
        with torch.no_grad():
            estimate = self(predict(network, observations[resolution], dtype).sr, observations.full)
        if torch.isfinite(estimate).all():
            observations.believe(estimate)
