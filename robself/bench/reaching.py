"""(b, f) How long a cold keyframe takes to be as good as something else, and how long that takes."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from robself.bench.clock import seconds
from robself.bench.inputs import benched_case, paper_config, rmse_of, robot_config
from robself.bench.literal import optimise_literally
from robself.bench.measurement import Measurement, Setup, Tell
from robself.datasets.case import Case
from robself.device import choose_device
from robself.methods import METHODS, Settings
from robself.network import RobSelf
from robself.normalisation import Normalisation
from robself.online import Budget, OnlineSuperResolver
from robself.preparation import observe
from robself.seeding import seeded

FIRST_BUDGET, NEXT_BUDGET = 8, 1.4  # iterations, and how many times more every further attempt may take


class Peer(NamedTuple):
    """What is to be matched: RMSE at its end, and the seconds it needs."""

    rmse: float
    seconds: float


class Reached(NamedTuple):
    """The first keyframe that was as good; the best one with infinitely many seconds, if none was."""

    rmse: float
    seconds: float
    iterations: int


def against_literal(setup: Setup, run: int, tell: Tell) -> Measurement:
    """(b) Seconds of the literal reference's iterations over those of the shortest cold keyframe as good."""
    case, workload = benched_case(setup.case, setup.workload.crop), setup.workload
    literal, facts = _literal(setup, case, run, tell)
    reached = first_as_good(case, literal.rmse, setup, run)
    return Measurement(
        literal.seconds / reached.seconds,
        _details(case, "literal", literal, reached) | facts | {"iterations_all": workload.paper_iterations},
    )


def _literal(setup: Setup, case: Case, run: int, tell: Tell) -> tuple[Peer, dict[str, Any]]:
    device, workload = choose_device(setup.device), setup.workload
    iterations = min(workload.timed or workload.paper_iterations, workload.paper_iterations)
    pair, config = case.pair(), paper_config(case, run)
    normalisation = Normalisation.of(pair)
    observation = observe(pair, normalisation, 1.0, device)
    network = seeded(lambda: RobSelf(config.model), config.seed, device)
    start = seconds(device, setup.threads)
    prediction = optimise_literally(
        network, observation, iterations, lambda done: tell(0.6 * done / iterations)
    )
    spent = seconds(device, setup.threads) - start
    if iterations == workload.paper_iterations:
        sr = normalisation.restore(prediction.sr[0, 0].cpu().numpy())
        rmse = rmse_of(sr, case)
    else:
        rmse = _rmse_of_paper_schedule(setup)
    facts = {"literal_iterations_timed": iterations}
    return Peer(rmse, spent * workload.paper_iterations / iterations), facts


@lru_cache(maxsize=2)
def _rmse_of_paper_schedule(setup: Setup) -> float:
    """Where the reference would end: the same iterations by the product in float32, equal by (a); once for all runs."""
    case = benched_case(setup.case, setup.workload.crop)
    resolver = OnlineSuperResolver(paper_config(case, 0), setup.device)
    resolver.dtype = torch.float32
    result = resolver.keyframe(case.pair(), Budget(iterations=setup.workload.paper_iterations))
    return rmse_of(result.sr, case)


def against_mmsr(setup: Setup, run: int, tell: Tell) -> Measurement:
    """(f) Seconds of MMSR over those of the shortest cold keyframe as good; P2P and bicubic beside them."""
    case, workload = benched_case(setup.case, setup.workload.peers_crop), setup.workload
    iterations = min(workload.timed or workload.mmsr_iterations, workload.mmsr_iterations)
    mmsr = _method("mmsr", setup, case, run, iterations)
    rmse = mmsr.rmse
    if iterations < workload.mmsr_iterations:
        rmse = _rmse_of_mmsr(setup)
    mmsr = Peer(rmse, mmsr.seconds * workload.mmsr_iterations / iterations)
    tell(0.6)
    reached = first_as_good(case, mmsr.rmse, setup, run)
    return Measurement(
        mmsr.seconds / reached.seconds,
        _details(case, "mmsr", mmsr, reached)
        | {"mmsr_iterations_timed": iterations, "iterations_all": workload.mmsr_iterations}
        | {"p2p": _p2p(setup), "p2p_iterations": workload.p2p_iterations}
        | {"bicubic": _method("bicubic", setup, case, run)._asdict()},
    )


def _method(name: str, setup: Setup, case: Case, seed: int, iterations: int | None = None) -> Peer:
    device, pair = choose_device(setup.device), case.pair()
    settings = Settings(
        modality=case.modality, iterations=iterations, seed=seed, device=setup.device, case=case.name
    )
    start = seconds(device, setup.threads)
    estimate = METHODS[name].run(pair, settings)
    return Peer(rmse_of(estimate.sr, case), seconds(device, setup.threads) - start)


@lru_cache(maxsize=2)
def _rmse_of_mmsr(setup: Setup) -> float:
    """Where MMSR ends; once for all runs."""
    case = benched_case(setup.case, setup.workload.peers_crop)
    return _method("mmsr", setup, case, 0, setup.workload.mmsr_iterations).rmse


@lru_cache(maxsize=2)
def _p2p(setup: Setup) -> dict[str, float]:
    """Once for all runs: no ratio is taken of it."""
    case = benched_case(setup.case, setup.workload.peers_crop)
    return _method("p2p", setup, case, 0, setup.workload.p2p_iterations)._asdict()


def first_as_good(case: Case, rmse: float, setup: Setup, seed: int) -> Reached:
    """The shortest cold keyframe of the default schedule, `robot` preset, that ends at that RMSE or below.

    Each attempt starts anew with more iterations, so that its learning rates are those of a keyframe that has no
    more time. Bicubic enlargement, which a keyframe falls back to, does not count.
    """
    config, pair = robot_config(case, seed), case.pair()
    best = Reached(math.inf, math.inf, 0)
    whole = _iterations(OnlineSuperResolver(config, setup.device), pair.factor)
    budget = float(FIRST_BUDGET)
    while True:
        iterations = min(round(budget), whole)
        resolver = OnlineSuperResolver(config, setup.device)
        start = seconds(resolver.device, setup.threads)
        result = resolver.keyframe(pair, Budget(iterations=iterations))
        spent = seconds(resolver.device, setup.threads) - start
        found = rmse_of(result.sr, case)
        if not result.info["fallback"]:
            if found <= rmse:
                return Reached(found, spent, result.info["iterations"])
            best = min(best, Reached(found, math.inf, result.info["iterations"]))
        if iterations == whole:
            return best
        budget *= NEXT_BUDGET


def _iterations(resolver: OnlineSuperResolver, factor: float) -> int:
    """Of a cold keyframe without a budget."""
    return sum(stage.iterations for stage in resolver.schedule.stages(False, None, factor))


def _details(case: Case, name: str, peer: Peer, reached: Reached) -> dict[str, Any]:
    return {
        "case": case.name,
        "size": list(case.guide.shape[:2]),
        name: peer._asdict(),
        "keyframe": reached._asdict(),
    }
