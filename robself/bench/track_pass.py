"""(d) A track pass against one iteration of optimisation at full resolution."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import torch

from robself.bench.clock import seconds
from robself.bench.inputs import benched_case, robot_config
from robself.bench.measurement import Measurement, Setup, Tell
from robself.device import choose_device
from robself.online import OnlineSuperResolver
from robself.optimisation import CHECKED_EVERY, Progress
from robself.pair import Pair
from robself.schedule import SCHEDULES, Stage

PASSES = 3


class Lap:
    """Seconds an iteration takes in a keyframe, by what that tells of its progress."""

    def __init__(self, device: torch.device, threads: int) -> None:
        self._device, self._threads = device, threads
        self._before: tuple[int, float] | None = None
        self.laps: list[float] = []

    def __call__(self, progress: Progress) -> None:
        now = seconds(self._device, self._threads)
        if self._before:
            iteration, then = self._before
            self.laps.append((now - then) / (progress.iteration - iteration))
        self._before = progress.iteration, now


def measure(setup: Setup, run: int, tell: Tell) -> Measurement:
    """Seconds of an iteration of a keyframe over those of `track`, from the pair to its super-resolved image."""
    case = benched_case(setup.case, setup.workload.track_crop)
    pair, config = case.pair(), robot_config(case, run)
    device = choose_device(setup.device)
    # A keyframe tells of its progress only so often, and a lap is between two times.
    iterations = max(setup.workload.track_iterations, 2 * CHECKED_EVERY.get(device.type, 10) + 1)
    default = SCHEDULES[config.schedule]
    # A tracked pair climbs the cold stages' coarser resolutions.
    coarser = tuple(replace(stage, iterations=1) for stage in default.cold[:-1])
    only = (Stage(1.0, iterations),)
    schedule = replace(default, cold=(*coarser, *only), warm=only)
    resolver = OnlineSuperResolver(config, str(device), schedule)
    resolver.keyframe(pair)
    resolver.track(pair, translate=False)  # the first is not measured: it may prepare what later ones reuse
    tell(0.3)
    laps, passes = [], []
    for turn in range(PASSES):
        lap = Lap(resolver.device, setup.threads)
        resolver.keyframe(pair, on_progress=lap)
        laps += lap.laps
        passes.append(track_seconds(resolver, pair, setup.threads))
        tell(0.3 + 0.7 * (turn + 1) / PASSES)
    iteration, track = median(laps), median(passes)
    return Measurement(
        iteration / track,
        {"size": list(pair.size), "iteration_seconds": iteration, "track_seconds": track},
    )


def track_seconds(resolver: OnlineSuperResolver, pair: Pair, threads: int) -> float:
    start = seconds(resolver.device, threads)
    resolver.track(pair, translate=False)
    return seconds(resolver.device, threads) - start
