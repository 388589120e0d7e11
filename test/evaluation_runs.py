"""Small datasets, methods that misbehave, and an engine without processes, for tests of the evaluation."""

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
from small_pairs import scene

from robself.datasets.degradation import block_mean
from robself.evaluation.evaluation import Evaluation
from robself.evaluation.options import EvaluationOptions
from robself.evaluation.work import perform
from robself.methods import METHODS, Estimate, Method

CASES = ("Aloe", "Baby", "Cloth")
SIZE = (36, 48)


def write_pairs(folder, cases=CASES, size=SIZE):
    """Archives of pairs at x4, each of another scene, the first with a hole."""
    folder.mkdir(exist_ok=True)
    for index, name in enumerate(cases):
        depth, guide = scene(size, edge=0.35 + 0.1 * index)
        source = block_mean(depth, 4)
        if not index:
            source[:2, :2] = np.nan
        np.savez(folder / f"{name}.npz", lr=source, guide=guide, gt=depth)
    return folder


def bicubic(pair, settings):
    return METHODS["bicubic"].run(pair, settings)


def noisy(pair, settings):
    noise = np.random.default_rng(settings.seed).normal(size=pair.size).astype(np.float32)
    return Estimate(bicubic(pair, settings).sr + noise, {"iterations": 7, "noise": noise, "kind": "normal"})


def failing(pair, settings):
    if settings.case == "Baby":
        raise ZeroDivisionError("no such\nluck")
    return bicubic(pair, settings)


def deadly(folder, times, pair, settings):
    """Its process is killed the first `times` times that it runs on Baby; methods of other `times` do not count."""
    if settings.case == "Baby":
        for attempt in range(times):
            marker = Path(folder) / f"died_{attempt}_of_{times}"
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
    return bicubic(pair, settings)


def wrong_size(pair, settings):
    return Estimate(np.zeros((3, 3), np.float32), {})


def own_methods(folder):
    """By name, to be put among `METHODS`."""
    methods = [
        Method("noisy", noisy, "bicubic and noise", random=True),
        Method("failing", failing, "fails on Baby"),
        Method("killed_once", partial(deadly, str(folder), 1), "dies on Baby"),
        Method("killed_always", partial(deadly, str(folder), 99), "dies on Baby"),
        Method("wrong_size", wrong_size, "gives too little"),
    ]
    return {method.name: method for method in methods}


def inline(jobs, most):
    """An engine that does the jobs where it is asked for them."""
    return (perform(job) for job in jobs)


def evaluate(dataset, output, *, engine=inline, resume=False, said=None, keep_images=True, **options):
    """The metrics of an evaluation."""
    evaluation = Evaluation(
        EvaluationOptions(str(dataset), **options),
        output,
        resume=resume,
        keep_images=keep_images,
        say=(lambda line: None) if said is None else said.append,
    )
    return evaluation.run(engine, lambda done, failed, total: None)


def named(runs):
    return [(run["method"], run["case"], run["seed"]) for run in runs]


def repeatable(runs):
    """Runs without what differs from one time to the next."""
    vary = {"seconds", "peak_memory_bytes", "attempts", "memory_peak_mb"}
    return [
        {key: value for key, value in run.items() if key not in vary}
        | {"info": {key: value for key, value in run["info"].items() if key not in vary}}
        for run in runs
    ]
