"""The loop of Sec. 5.1: descend along Eq. 1, stage by stage, within a budget, never ending in NaN."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from robself.consistency import consistency, consistency_loss
from robself.cuda_graphs import Run, directly
from robself.deadline import Deadline, StageClock
from robself.errors import Interrupted
from robself.learned import Checkpoint, Learned
from robself.network import Prediction, RobSelf
from robself.optimisers import set_learning_rate
from robself.plateau import Plateau
from robself.preparation import Observation, Observations
from robself.schedule import Stage
from robself.tiling import predict_by_tiles

# Iterations between looks at the loss: each look makes a GPU wait, and costs a CPU nothing.
CHECKED_EVERY = {"cuda": 10, "cpu": 1}
MOST_SETBACKS = 3  # divergences after which a keyframe gives up and keeps its last good weights


@dataclass(frozen=True)
class Progress:
    """How far a keyframe has come: iterations done, share of the whole (0..1), loss of Eq. 1."""

    iteration: int
    fraction: float
    loss: float


@dataclass(frozen=True)
class Outcome:
    """What a keyframe's optimisation ended with, or a track's pass; losses are in deviations of the source.

    Attributes:
        loss_before, loss_after: None: nobody asked for what they need (`OnlineSuperResolver.track`).
    """

    prediction: Prediction
    iterations: int
    # Of the first iteration; of warm weights, the first at full resolution if there was one.
    loss_before: float | None
    consistency_before: float | None  # its first term of Eq. 1 alone; None: nothing was optimised
    loss_after: float | None
    stopped_by: str  # "schedule", "deadline" or "divergence"
    taken_back: bool = False  # warm weights are again what they were, for their loss had risen


def predict(
    network: RobSelf,
    observation: Observation,
    dtype: torch.dtype,
    translate: bool = True,
    run: Run = directly,
) -> Prediction:
    """One forward pass; displacements are px of the observation's own grid."""
    inputs, settings = (observation.upsampled, observation.guide), (observation.resolution, dtype, translate)
    if observation.tiling:
        return predict_by_tiles(network, observation.tiling, *inputs, *settings)
    key = "predict", observation.kind, translate
    return Prediction(*run(key, lambda source, guide: network(source, guide, *settings), inputs))


def loss_of(prediction: Prediction, observation: Observation) -> torch.Tensor:
    """Eq. 1 of a prediction, lambda = 1 (Sec. 5.1)."""
    pool = observation.pool
    return consistency_loss(
        pool(prediction.sr), pool(prediction.translated), observation.source, observation.valid
    )


class _Iteration:
    """Gradients of Eq. 1 at one resolution, and the step along them."""

    def __init__(
        self,
        network: RobSelf,
        optimisers: Sequence[torch.optim.Optimizer],
        observation: Observation,
        dtype: torch.dtype,
        run: Run,
    ) -> None:
        self._network, self._optimisers, self._dtype = network, optimisers, dtype
        self._observation = observation
        self._run = directly if observation.tiling else run

    def gradients(self) -> tuple[torch.Tensor, torch.Tensor]:
        """SR and loss, which the next call may overwrite."""
        seen = self._observation
        inputs = seen.source, seen.valid, seen.upsampled, seen.guide
        sr, loss, *gradients = self._run(("gradients", seen.kind), self._descend, inputs, lasting=False)
        for weight, gradient in zip(self._network.parameters(), gradients, strict=True):
            weight.grad = gradient  # a recording writes them where it did the first time
        return sr, loss

    def _descend(self, source, valid, upsampled, guide) -> tuple[torch.Tensor | None, ...]:
        seen = replace(self._observation, source=source, valid=valid, upsampled=upsampled, guide=guide)
        self._network.zero_grad(set_to_none=True)
        prediction = predict(self._network, seen, self._dtype)
        loss = loss_of(prediction, seen)
        loss.backward()
        return prediction.sr.detach(), loss.detach(), *(weight.grad for weight in self._network.parameters())

    def step(self) -> None:
        self._run(("step", self._observation.kind), self._step, again=False)

    def _step(self) -> tuple[()]:
        for optimiser in self._optimisers:
            optimiser.step()
        return ()


def optimise(
    learned: Learned,
    stages: Sequence[Stage],
    observations: Observations,
    *,
    improve: Callable[[float], None],
    dtype: torch.dtype,
    deadline: Deadline,
    should_stop: Callable[[], bool],
    on_progress: Callable[[Progress], None] | None,
    begin: Checkpoint,
    run: Run = directly,
) -> Outcome:
    """Minimise Eq. 1 over the stages, each from what was learned at its resolution, then predict at the full one.

    A stage ends with its iterations or with its share of the time, whichever is first, and its learning rate
    falls by whichever is further on, or from a plateau of the loss on. There is one iteration at least: random
    weights are no result. A loss that is not finite takes weights and optimiser back to where they were last seen
    healthy, at half the learning rate. Warm weights that end with a larger loss than they began with, as one or two
    steps may make them, are taken back; so is their prediction, if there is time for another look.

    Args:
        improve: called between two stages with the resolution of the first; may change what `observations` believe.
        begin: what to go back to.
        run: runs the iterations' parts (`robself.cuda_graphs`).

    Raises:
        Interrupted: `should_stop` said so.
    """
    network, optimisers = learned.network, learned.optimisers
    costs = [stage.iterations * stage.resolution**2 for stage in stages]
    total = sum(costs)
    device = observations.full.source.device
    checked_every = CHECKED_EVERY.get(device.type, 10)
    healthy, own = begin.held, False  # what to go back to, and whether it may be written to
    done, setbacks, spent = 0, 0, 0.0
    loss_before = consistency_before = math.nan
    loss_of_warm = math.inf  # at full resolution
    stopped_by, taken_back = "schedule", False

    for index, (stage, cost) in enumerate(zip(stages, costs, strict=True)):
        spent += cost
        if index:
            last = stages[index - 1].resolution
            if not deadline.allows_stage(stage.resolution, after=last):
                stopped_by = "deadline"
                break
            improve(last)
        if kept := learned.turn_to(stage.resolution):
            healthy, own = kept, False
        observation = observations[stage.resolution]
        work = _Iteration(network, optimisers, observation, dtype, run)
        clock = StageClock(deadline, stages[index:], device)
        plateau = Plateau(stage.patience)
        iteration = -1
        while (iteration := iteration + 1) < stage.iterations:
            if should_stop():
                raise Interrupted("optimisation was stopped before it had a result")
            if done and not clock.allows_another:
                stopped_by = "deadline"
                break
            fraction = max(iteration / stage.iterations, clock.fraction)
            set_learning_rate(optimisers, stage.rate(iteration, fraction) * 0.5**setbacks)
            sr, loss = work.gradients()
            if done % checked_every == 0 or iteration == 0:  # before the step: these weights gave this loss
                loss_seen = loss.item()
                if not math.isfinite(loss_seen):
                    healthy.restore()
                    setbacks += 1
                    if setbacks > MOST_SETBACKS:
                        stopped_by = "divergence"
                        break
                    continue
                if own:
                    healthy.keep()
                else:
                    healthy, own = learned.snapshot(), True
                # Warm weights of the full resolution are judged there, as the result will be.
                if done == 0 or (iteration == 0 and kept and stage.resolution == 1.0):
                    loss_before = loss_seen
                    pooled = observation.pool(sr)
                    consistency_before = consistency(pooled, observation.source, observation.valid).item()
                    if stage.resolution == 1.0 and begin.knows(1.0):
                        loss_of_warm = loss_seen
                if plateau.reached(iteration, loss_seen):
                    iteration = max(iteration, stage.after_plateau)
                if on_progress:
                    on_progress(Progress(done, (spent - cost * (1 - fraction)) / total, loss_seen))
            work.step()
            done += 1
            clock.iterated()
        if stopped_by == "divergence":
            break
        if index + 1 < len(stages) and not learned.sound:  # nobody looked at what its last step led to
            healthy.restore()
            setbacks += 1
        learned.keep()

    learned.turn_to(1.0)
    prediction, loss_after = _conclude(network, observations.full, dtype, run)
    if not math.isfinite(loss_after):
        healthy.restore()
        stopped_by = "divergence"
        prediction, loss_after = _conclude(network, observations.full, dtype, run)
    elif stopped_by != "divergence" and loss_after > loss_of_warm:
        taken_back = True
        begin.back()
        learned.turn_to(1.0)
        if deadline.allows_another_look:
            prediction, loss_after = _conclude(network, observations.full, dtype, run)
    return Outcome(prediction, done, loss_before, consistency_before, loss_after, stopped_by, taken_back)


def _conclude(
    network: RobSelf, observation: Observation, dtype: torch.dtype, run: Run
) -> tuple[Prediction, float]:
    """The final forward pass and its loss."""
    with torch.no_grad():
        prediction = predict(network, observation, dtype, run=run)
        return prediction, loss_of(prediction, observation).item()
