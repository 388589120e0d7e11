"""Online optimisation of RobSelf on one pair after another (Sec. 3.1 and 5.1): cold once, then warm."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import get_args

import torch

from robself.acceleration import chosen, compile_network
from robself.config import Acceleration, ModelConfig, RobSelfConfig, one_of
from robself.cuda_graphs import Graphs, Run, directly
from robself.deadline import Deadline, Pace
from robself.device import choose_device, compute_type, on
from robself.errors import RobSelfError
from robself.learned import Learned
from robself.memory_shortage import with_second_chance
from robself.network import RobSelf
from robself.normalisation import Normalisation
from robself.optimisation import Outcome, Progress, loss_of, optimise, predict
from robself.optimisers import make_optimisers
from robself.pair import Pair, Result
from robself.peak_memory import CUDA, RESIDENT, PeakMemory
from robself.preparation import Observation, Observations
from robself.provenance import versions
from robself.refinement import Refinement
from robself.result import MOST_TRUSTED, assemble, trust_after
from robself.schedule import SCHEDULES, Schedule
from robself.seeding import seeded
from robself.tiling import MIB, Tiling, free_memory, smaller, tiling_for


@dataclass(frozen=True)
class Budget:
    """How long a keyframe may take. None: as long as the schedule says; the first limit reached ends it."""

    iterations: int | None = None
    seconds: float | None = None


@dataclass
class _Warmth:
    """What one keyframe leaves for the next."""

    learned: Learned
    normalisation: Normalisation
    trusted: float = MOST_TRUSTED


class OnlineSuperResolver:
    """Super-resolves a stream of pairs; not for use by several threads at once.

    Args:
        config: preset, variant, schedule, seed.
        device: "auto", "cpu", "cuda", "cuda:1"...
        schedule: instead of the one that `config` names.
        make_network: a network of this configuration, freshly initialised.
        memory_limit_mb: MiB that a pair may take; above it the network sees the image in tiles. None: most of
            what the device has free when the first image of a size comes. Where that proves to be too
            little, the pair is tried once more, in smaller tiles and the time that is left.
        acceleration: "auto", "none", "compile" or "cuda_graphs" (`robself.acceleration`).

    Raises:
        ConfigError: a device this machine has not, or an unknown acceleration.
    """

    def __init__(
        self,
        config: RobSelfConfig,
        device: str = "auto",
        schedule: Schedule | None = None,
        make_network: Callable[[ModelConfig], RobSelf] = RobSelf,
        memory_limit_mb: float | None = None,
        acceleration: Acceleration = "auto",
    ) -> None:
        one_of("acceleration", acceleration, get_args(Acceleration))
        self.config = config
        self.device = choose_device(device)
        self.dtype = compute_type(self.device)
        self.schedule = schedule or SCHEDULES[config.schedule]
        self._pace = Pace()
        self._refine = Refinement(self.schedule, sharp=config.modality == "depth", pace=self._pace)
        self.make_network = make_network
        self.memory_limit_mb = memory_limit_mb
        self.acceleration = chosen(acceleration, self.device)
        self._run: Run = directly
        self._tilings: dict[tuple[int, int], Tiling | None] = {}
        self._warmth: _Warmth | None = None

    @property
    def warm(self) -> bool:
        """Whether there are weights of an earlier keyframe."""
        return self._warmth is not None

    def reset(self) -> None:
        """Forget all earlier pairs: the next keyframe is cold."""
        self._warmth = None
        self._tilings = {}
        self._forget_graphs()

    def keyframe(
        self,
        pair: Pair,
        budget: Budget = Budget(),
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Optimise on this pair and super-resolve it.

        Args:
            should_stop: asked at every iteration.
            on_progress: called every few iterations.

        Raises:
            Interrupted: `should_stop` said so; the resolver keeps the weights it had before.
            ConfigError: a budget without one iteration, or a memory limit too small for this pair.
            MemoryExhausted: smaller tiles did not help; the resolver keeps the weights it had before.
        """
        deadline = Deadline(budget.seconds, self._pace, pair.guide[..., 0].size)
        return self._measured(
            lambda: self._keyframe(pair, budget.iterations, deadline, should_stop, on_progress)
        )

    def _keyframe(
        self,
        pair: Pair,
        iterations: int | None,
        deadline: Deadline,
        should_stop: Callable[[], bool],
        on_progress: Callable[[Progress], None] | None,
    ) -> Result:
        warm = self.warm
        stages = self.schedule.stages(warm, iterations, pair.factor)
        state = self._warmth or self._cold(pair)
        if warm:
            stages = deadline.reaching_the_last(stages)
        resolutions = {stage.resolution for stage in stages}
        begin = state.learned.checkpoint()
        observations = self._observations(pair, state, resolutions, warm, deadline)
        try:
            outcome = optimise(
                state.learned,
                stages,
                observations,
                improve=lambda resolution: self._refine.improve(
                    state.learned, observations, resolution, self.dtype
                ),
                dtype=self.dtype,
                deadline=deadline,
                should_stop=should_stop,
                on_progress=on_progress,
                begin=begin,
                run=self._run,
            )
        except BaseException:
            begin.back()
            raise
        refined = deadline.allows_refinement
        result = assemble(
            pair,
            observations.full,
            outcome.prediction,
            state.learned.network,
            state.normalisation,
            outcome.consistency_before * state.normalisation.source_deviation,
            self._refine if refined else lambda sr, observation: sr,
            state.trusted,
            self._info("keyframe", warm, refined, observations.full, outcome),
        )
        # What has diverged, has become worse than it was, or was no use here is given up: the next keyframe is cold.
        learned = outcome.loss_after < outcome.loss_before
        no_better = result.info["unexplained"] if outcome.taken_back else not learned
        worse = warm and result.info["fallback"] and no_better
        self._warmth = None if worse or outcome.stopped_by == "divergence" else state
        if not outcome.taken_back:  # else the weights are still those of the last keyframe
            state.trusted = trust_after(result.info)
        return result

    def track(self, pair: Pair, translate: bool = True) -> Result:
        """Super-resolve by a forward pass at each resolution, with the weights of the last keyframe.

        Args:
            translate: whether the result has a translated guide, too, and so a loss (Eq. 1); it takes a sixth of
                the time. Compiled, it has them always: what was compiled for the keyframe's end serves.

        Raises:
            RobSelfError: there was no keyframe yet. MemoryExhausted: smaller tiles did not help.
        """
        return self._measured(lambda: self._track(pair, translate or self.acceleration == "compile"))

    def _track(self, pair: Pair, translate: bool) -> Result:
        if self._warmth is None:
            raise RobSelfError("track: no keyframe since the start or the last reset, expected one first")
        state = self._warmth
        endless = Deadline(None, self._pace, pair.guide[..., 0].size)
        observation = self._observations(pair, state, set(), True, endless).full
        with torch.no_grad():
            state.learned.turn_to(1.0)
            prediction = predict(state.learned.network, observation, self.dtype, translate, self._run)
            loss = loss_of(prediction, observation).item() if translate else None
        outcome = Outcome(prediction, 0, loss, None, loss, "schedule")
        return assemble(
            pair,
            observation,
            prediction,
            state.learned.network,
            state.normalisation,
            outcome.consistency_before,
            self._refine,
            state.trusted,
            self._info("track", True, True, observation, outcome),
        )

    def _observations(
        self, pair: Pair, state: _Warmth, resolutions: set[float], warm: bool, deadline: Deadline
    ) -> Observations:
        """The pair as the network has learned to see it, as far as there is time for that."""
        coarser = self.schedule.coarser(pair.factor) if warm else ()
        observations = Observations(
            pair, state.normalisation, {*resolutions, *coarser}, self.device, self._tiling
        )
        if deadline.end < math.inf:
            self._refine.calibrate(observations.full)
        if warm and deadline.allows(deadline.refinement):
            self._refine.climb(
                state.learned,
                observations,
                coarser,
                self.dtype,
                in_time=lambda resolution: deadline.allows_stage(1.0, after=resolution),
            )
        return observations

    def _tiling(self, size: tuple[int, int]) -> Tiling | None:
        """Decided once for a size: how much memory is free must not change results along a stream."""
        if size not in self._tilings:
            given = self.memory_limit_mb is not None
            limit = self.memory_limit_mb * MIB if given else free_memory(self.device)
            self._tilings[size] = tiling_for(self.config.model, size, self.dtype, limit, strict=given)
        return self._tilings[size]

    def _forget_graphs(self) -> None:
        """What was recorded of another network, or takes memory that is short."""
        self._run = self._refine.run = Graphs() if self.acceleration == "cuda_graphs" else directly

    def _spare_memory(self) -> None:
        """Smaller tiles from now on, until a reset."""
        self._forget_graphs()
        for size, tiling in self._tilings.items():
            self._tilings[size] = smaller(self.config.model, size, self.dtype, tiling)

    def _measured(self, run: Callable[[], Result]) -> Result:
        """The result with what it took."""
        begin = time.monotonic()
        with on(self.device), PeakMemory(self.device if self.device.type == "cuda" else None) as memory:
            result = with_second_chance(run, self._spare_memory)
        peak, of = memory.resident, RESIDENT
        if self.device.type == "cuda":
            peak, of = memory.bytes + getattr(self._run, "bytes", 0), CUDA
        result.info["seconds"] = time.monotonic() - begin
        result.info["memory_peak_mb"] = peak and peak / MIB
        result.info["memory_peak_of"] = of
        return result

    def _cold(self, pair: Pair) -> _Warmth:
        """A fresh network and optimiser, and the normalisation that they will keep."""
        network = seeded(partial(self.make_network, self.config.model), self.config.seed, self.device)
        network = network.to(memory_format=torch.channels_last)
        if self.acceleration == "compile":
            compile_network(network)
        self._forget_graphs()
        normalisation = Normalisation.of(pair, by_percentiles=self.config.modality == "nir")
        return _Warmth(Learned(network, make_optimisers(network, self.schedule.optimiser)), normalisation)

    def _info(self, mode: str, warm: bool, refined: bool, full: Observation, outcome: Outcome) -> dict:
        return {
            "mode": mode,
            "start": "warm" if warm else "cold",
            "refined": refined,
            "tiles": len(full.tiling) if full.tiling else 1,
            "iterations": outcome.iterations,
            "loss_before": outcome.loss_before,
            "loss_after": outcome.loss_after,
            "stopped_by": outcome.stopped_by,
            "taken_back": outcome.taken_back,
            "device": str(self.device),
            "dtype": str(self.dtype).removeprefix("torch."),
            "preset": self.config.preset,
            "variant": self.config.variant,
            "schedule": self.config.schedule,
            "modality": self.config.modality,
            "seed": self.config.seed,
            "versions": versions(),
        }
