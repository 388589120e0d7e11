"""A keyframe's budget of wall time: how long its parts take on this machine, and which still end in time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from robself.schedule import Stage

FORWARD_SHARE = 0.4  # of an iteration's time, at most: what its forward pass takes
MEMORY = 0.7  # of the moving average
LEAST_ITERATIONS = 3  # of a warm keyframe's last stage: it comes before what precedes it
LAP = 10  # iterations between two looks at a GPU's progress, each of which makes it wait


class Pace:
    """Moving averages of what work has taken, per kind and size; worth keeping from keyframe to keyframe."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int], list[float]] = {}

    def took(self, kind: str, pixels: int, seconds: float) -> None:
        """Work took that long. The first of its size pays for allocation, too: it counts until the second."""
        known = self._times.get((kind, pixels))
        if known is None:
            self._times[kind, pixels] = [1, seconds]
        else:
            known[:] = 2, seconds if known[0] == 1 else MEMORY * known[1] + (1 - MEMORY) * seconds

    @contextmanager
    def timing(self, kind: str, image: torch.Tensor, share: float = 1.0) -> Iterator[None]:
        """Measures the block, which does that share of the work that is usual for the image. Shape: (..., H, W)."""
        _finish(image.device)
        begin = time.monotonic()
        yield
        _finish(image.device)
        self.took(kind, image[0, 0].numel(), (time.monotonic() - begin) / share)

    def expected(self, kind: str, pixels: int) -> float:
        """Seconds; of a size not seen yet: those of the nearest one, in proportion to the pixels, or 0."""
        sizes = [size for known, size in self._times if known == kind]
        if not sizes:
            return 0.0
        nearest = min(sizes, key=lambda size: abs(math.log(size / pixels)))
        return self._times[kind, nearest][1] * pixels / nearest


def _finish(device: torch.device) -> None:
    """Wait until the device has done what it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Deadline:
    """When a keyframe is to end, and what still fits before that.

    Args:
        seconds: from now on; None: no deadline.
        pixels: of the guide.
    """

    def __init__(self, seconds: float | None, pace: Pace, pixels: int) -> None:
        self.pace, self.pixels = pace, pixels
        self.end = math.inf if seconds is None else time.monotonic() + seconds

    def iteration(self, resolution: float) -> float:
        """Seconds that an iteration is expected to take."""
        return self.pace.expected("iteration", round(self.pixels * resolution**2))

    def forward(self, resolution: float) -> float:
        return FORWARD_SHARE * self.iteration(resolution)

    @property
    def refinement(self) -> float:
        return self.pace.expected("refinement", self.pixels)

    def improvement(self, resolution: float) -> float:
        """Of what is believed of the source, by a prediction at a resolution."""
        return self.forward(resolution) + self.refinement

    @property
    def conclusion(self) -> float:
        """What comes after the last iteration."""
        return self.improvement(1.0)

    def allows(self, seconds: float) -> bool:
        """Whether work of that length would end in time."""
        return time.monotonic() + seconds <= self.end

    def allows_stage(self, resolution: float, after: float) -> bool:
        """Whether there is time for an iteration of a stage, and for the improvement before it."""
        return self.allows(self.improvement(after) + self.iteration(resolution) + self.conclusion)

    def reaching_the_last(self, stages: Sequence[Stage]) -> Sequence[Stage]:
        """The stages, or the last alone where all of them would leave it less than LEAST_ITERATIONS."""
        *others, last = stages
        if not others or self.end == math.inf:
            return stages
        shared = self.end - time.monotonic() - self.conclusion
        shared -= sum(self.improvement(stage.resolution) for stage in others)
        unit = shared / sum(_work(stage) for stage in stages)
        enough = unit * _work(last) >= min(last.iterations, LEAST_ITERATIONS) * self.iteration(
            last.resolution
        )
        return stages if enough else stages[-1:]

    @property
    def allows_another_look(self) -> bool:
        """Whether a second forward pass after the last iteration leaves the result no later than it may be."""
        return self.allows(self.conclusion - self.iteration(1.0))

    @property
    def allows_refinement(self) -> bool:
        """Whether the result may be refined: also a late one must not be later by more than an iteration and a
        forward pass."""
        return self.allows(self.refinement - self.iteration(1.0) - self.forward(1.0))

    def end_of_first(self, stages: Sequence[Stage], begin: float) -> float:
        """When the first of the stages that are left, begun at `begin`, is to end.

        They share by their work what the improvements between them and the conclusion leave. A last stage that
        would not have time for one iteration leaves its share to the others.
        """
        while True:
            *others, last = stages
            reserved = self.conclusion + sum(self.improvement(stage.resolution) for stage in others)
            unit = (self.end - begin - reserved) / sum(_work(stage) for stage in stages)
            if not others or unit * _work(last) >= self.iteration(last.resolution):
                return begin + unit * _work(stages[0])
            stages = others


def _work(stage: Stage) -> float:
    return stage.iterations * stage.resolution**2


class StageClock:
    """Tells within a stage whether another iteration would end in time.

    A GPU works through a queue, so that its progress between two laps is what the pace says.
    """

    def __init__(self, deadline: Deadline, stages: Sequence[Stage], device: torch.device) -> None:
        self._deadline, self._stages, self._device = deadline, stages, device
        self._begin = self._lap = time.monotonic()
        self._queued, self._iterations = 0, 0
        self._plan()

    def _plan(self) -> None:
        self._end = self._deadline.end_of_first(self._stages, self._begin)

    @property
    def _expected(self) -> float:
        return self._deadline.iteration(self._stages[0].resolution)

    @property
    def fraction(self) -> float:
        """How much of the stage's time is over, 0..1."""
        elapsed = self._lap + self._queued * self._expected - self._begin
        return min(1.0, elapsed / max(self._end - self._begin, 1e-9))

    @property
    def allows_another(self) -> bool:
        reached = max(time.monotonic(), self._lap + self._queued * self._expected)
        return reached + self._expected <= self._end

    def iterated(self) -> None:
        """One more iteration was handed to the device."""
        self._queued += 1
        self._iterations += 1
        unasked = self._end == math.inf or (self._iterations > 2 and self._queued < LAP)
        if self._device.type == "cuda" and unasked:
            return
        _finish(self._device)
        now = time.monotonic()
        resolution = self._stages[0].resolution
        pixels = round(self._deadline.pixels * resolution**2)
        self._deadline.pace.took("iteration", pixels, (now - self._lap) / self._queued)
        self._lap, self._queued = now, 0
        if self._iterations <= 2:  # nobody knew how long one takes
            self._plan()
