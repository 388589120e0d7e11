"""RMSE against the truth on folders of pairs (`*.npz` with lr, guide, gt), beside bicubic's.

    python benchmarks/cases.py DATA/cases/c192_*_x4_mis.npz --preset task1_x4 --seeds 3 --jobs 2 -o out.json
    python benchmarks/cases.py DATA/cases/c192_*_x4_mis.npz --preset robot --budget 20 --threads 2 -o out.json

Writes every run with its settings to the JSON file, and the same as a table to the Markdown file beside it.
"""

from __future__ import annotations

import json
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean, pstdev
from typing import Annotated, Any

import typer
from rich.progress import track

os.environ.setdefault("OMP_NUM_THREADS", "1")


def measure(
    case: Path, threads: int, overrides: dict[str, Any], road: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    """One run on one case."""
    import numpy as np
    import torch

    from robself import Budget, OnlineSuperResolver, Pair, RobSelfConfig
    from robself.metrics import common_pixels, errors_of
    from robself.schedule import SCHEDULES, Stage
    from robself.upsampling import bicubic

    torch.set_num_threads(threads)
    settings = dict(settings)
    budget = Budget(settings.pop("iterations"), settings.pop("budget"))
    config = RobSelfConfig.from_preset(**settings)
    config = config.model_copy(update={"model": config.model.model_copy(update=overrides)})
    changes = dict(road)
    if stages := changes.pop("cold", None):
        changes["meant_for"] = math.inf  # they are what is run
        changes["cold"] = tuple(
            Stage(resolution, int(iterations), patience=int(patience[0]) if patience else None)
            for resolution, iterations, *patience in stages
        )
    schedule = replace(SCHEDULES[config.schedule], **changes)
    with np.load(case) as data:
        source, guide, truth = data["lr"], data["guide"], data["gt"]
    pair = Pair.from_images(source, guide, modality=config.modality)
    begin = time.process_time()
    result = OnlineSuperResolver(config, schedule=schedule).keyframe(pair, budget)
    cpu_seconds = time.process_time() - begin
    judged = common_pixels(result.sr, truth)
    enlarged = bicubic(pair.source, pair.valid, pair.size)
    return {
        "case": case.stem,
        "rmse": errors_of(result.sr, truth, judged).rmse,
        "bicubic": errors_of(enlarged, truth, judged).rmse,
        "cpu_seconds": cpu_seconds,
        "settings": {
            **settings,
            **overrides,
            **road,
            "iterations": budget.iterations,
            "budget": budget.seconds,
        },
        **{
            name: result.info[name]
            for name in ("iterations", "seconds", "stopped_by", "fallback", "device", "dtype", "versions")
        },
    }


def measured(wanted: list[tuple[dict[str, Any], tuple]], jobs: int, output: Path) -> list[dict[str, Any]]:
    """All runs, `jobs` at a time, each with its facts; written to the file as they come.

    Args:
        wanted: for each run the facts, and the arguments of `measure`.
    """
    runs: list[dict[str, Any]] = []
    with ProcessPoolExecutor(jobs) as pool:
        tasks = {pool.submit(measure, *arguments): facts for facts, arguments in wanted}
        for task in track(as_completed(tasks), "measuring", total=len(tasks)):
            runs.append({**tasks[task], **task.result()})
            output.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    return runs


def show(text: str, output: Path) -> None:
    """A table, printed, and as the Markdown file beside the runs."""
    output.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(text)


def stages_of(text: str) -> list[tuple[float, ...]]:
    """Resolution, iterations and perhaps patience of each stage."""
    return [tuple(map(float, stage.split(":"))) for stage in text.split(",")]


def table(runs: list[dict[str, Any]]) -> str:
    """A row a case: mean and spread over the seeds; then the mean of the cases' ratios."""
    rows = ["| case | bicubic | RobSelf | ratio | iterations | seconds |", "|---|---|---|---|---|---|"]
    ratios = []
    for case in sorted({run["case"] for run in runs}):
        its = [run for run in runs if run["case"] == case]
        rmse = [run["rmse"] for run in its]
        ratios.append(mean(rmse) / its[0]["bicubic"])
        spread = f" ± {pstdev(rmse):.3g}" if len(rmse) > 1 else ""
        fallback = (
            f" ({sum(run['fallback'] for run in its)} fallback)" if any(r["fallback"] for r in its) else ""
        )
        rows.append(
            f"| {case} | {its[0]['bicubic']:.3f} | {mean(rmse):.3f}{spread}{fallback} | {ratios[-1]:.3f} "
            f"| {mean(run['iterations'] for run in its):.0f} | {mean(run['seconds'] for run in its):.0f} |"
        )
    rows.append(f"| **mean** | | | **{mean(ratios):.3f}** | | |")
    return "\n".join(rows)


def main(
    cases: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o")],
    preset: str = "robot",
    variant: str = "re",
    schedule: str = "coarse_to_fine",
    modality: str | None = None,
    seeds: int = 1,
    iterations: int | None = None,
    budget: float | None = None,
    jobs: int = 1,
    threads: int = 1,
    channels: int | None = None,
    residual: bool | None = None,
    cold: Annotated[
        str | None,
        typer.Option(
            help="stages instead of the schedule's: 0.5:300,1:100, or with patience: 0.5:300:20,1:100"
        ),
    ] = None,
    optimiser: str | None = None,
    back_projection: int | None = None,
    sharpening: int | None = None,
    bootstrapping: bool | None = None,
) -> None:
    """Measure cases, `jobs` at a time with `threads` each."""
    overrides = _given(channels=channels, residual=residual)
    stages = cold and stages_of(cold)
    road = _given(
        cold=stages,
        optimiser=optimiser,
        back_projection=back_projection,
        sharpening=sharpening,
        bootstrapping=bootstrapping,
    )
    settings = [
        {
            "name": preset,
            "variant": variant,
            "schedule": schedule,
            "modality": modality,
            "seed": seed,
            "iterations": iterations,
            "budget": budget,
        }
        for seed in range(seeds)
    ]
    wanted = [({}, (case, threads, overrides, road, one)) for one, case in product(settings, cases)]
    show(table(measured(wanted, jobs, output)), output)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


if __name__ == "__main__":
    typer.run(main)
