"""(c) A warm keyframe against a cold one, on frames of the moving built-in recording."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import torch

from robself.bench.inputs import middle, rendered_case, rmse_of, robot_config
from robself.bench.measurement import Measurement, Setup, Tell
from robself.config import ModelConfig
from robself.datasets.case import Case
from robself.network import Prediction, RobSelf
from robself.online import Budget, OnlineSuperResolver

AS_GOOD = 1.03  # times the cold result's RMSE
NEXT_BUDGET = 2  # how many times more iterations each attempt of a warm keyframe has


class CountingRobSelf(RobSelf):
    """Counts the pixels of the forward passes that are optimised along, whatever the schedule makes of them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.pixel_iterations = 0

    def forward(self, source: torch.Tensor, guide: torch.Tensor, *arguments, **settings) -> Prediction:
        if torch.is_grad_enabled():
            self.pixel_iterations += guide.shape[-2] * guide.shape[-1]
        return super().forward(source, guide, *arguments, **settings)


class Keyframe(NamedTuple):
    """One keyframe's RMSE and its work in pixel-iterations; `fallback`: it is the bicubic enlargement."""

    rmse: float
    work: int
    iterations: int
    fallback: bool


class CountedResolver:
    """The product's resolver, its work counted; `copy.deepcopy` keeps it warm."""

    def __init__(self, case: Case, seed: int, device: str) -> None:
        self._networks: list[CountingRobSelf] = []
        self.resolver = OnlineSuperResolver(
            robot_config(case, seed),
            device,
            make_network=self._made,
            acceleration="none",  # recorded work can be neither counted nor copied
        )

    def _made(self, config: ModelConfig) -> CountingRobSelf:
        self._networks.append(CountingRobSelf(config))
        return self._networks[-1]

    def keyframe(self, case: Case, iterations: int | None = None) -> Keyframe:
        before = self.work
        result = self.resolver.keyframe(case.pair(), Budget(iterations=iterations))
        info = result.info
        return Keyframe(rmse_of(result.sr, case), self.work - before, info["iterations"], info["fallback"])

    @property
    def work(self) -> int:
        """Pixel-iterations so far."""
        return sum(network.pixel_iterations for network in self._networks)


def measure(setup: Setup, run: int, tell: Tell) -> Measurement:
    """Pixel-iterations of cold keyframes over those that warm ones need to be as good to 3 %, over all frames.

    A frame on which no warm keyframe is as good costs the longest that was tried, and a cold one.
    """
    workload = setup.workload
    begin = run * (workload.moving_frames + 1)
    frames = [
        middle(rendered_case(begin + index), workload.moving_crop)
        for index in range(workload.moving_frames + 1)
    ]
    warm = CountedResolver(frames[0], run, setup.device)
    warm.keyframe(frames[0])
    cold_work, warm_work, rows = 0, 0, []
    for index, frame in enumerate(frames[1:], start=1):
        tell(index / len(frames))
        cold = CountedResolver(frame, run, setup.device).keyframe(frame)
        warm, attempt, reached = _as_good(warm, frame, AS_GOOD * cold.rmse, cold.work)
        cold_work += cold.work
        warm_work += attempt.work + (0 if reached else cold.work)  # it has to be done cold, after all
        rows.append(_row(frame, cold, attempt, reached))
    return Measurement(
        cold_work / warm_work, {"size": list(frames[0].guide.shape[:2]), "as_good": AS_GOOD, "frames": rows}
    )


def _as_good(
    before: CountedResolver, frame: Case, rmse: float, most_work: int
) -> tuple[CountedResolver, Keyframe, bool]:
    """The shortest warm keyframe that ends at that RMSE or below, or the longest tried, and whether it does.

    Every attempt begins as the keyframe before left the resolver; the next frame goes on from the one returned.
    """
    iterations = 1
    while True:
        resolver = copy.deepcopy(before)
        attempt = resolver.keyframe(frame, iterations)
        reached = attempt.rmse <= rmse and not attempt.fallback
        if reached or NEXT_BUDGET * attempt.work > most_work:
            return resolver, attempt, reached
        iterations *= NEXT_BUDGET


def _row(frame: Case, cold: Keyframe, warm: Keyframe, reached: bool) -> dict[str, Any]:
    return {
        "frame": frame.name,
        "cold": cold._asdict(),
        "warm": warm._asdict(),
        "work_ratio": cold.work / warm.work,
        "reached": reached,
    }
