"""What each budget of a cold keyframe buys: RMSE over bicubic's against the seconds of one core.

    python benchmarks/budgets.py DATA/cases/c192_{Aloe,Art,Reindeer}_x4_mis.npz -o benchmarks/budgets.json

A budget in iterations stretches or shrinks the schedule's stages as one in seconds does, and means the same on every
machine. Writes every run to the JSON file, a table and a plot beside it.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer
from cases import measured, show

BUDGETS = (12, 25, 50, 100, 200, None)  # iterations; None: the schedule's own


def summary(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a budget: the means over its runs."""
    rows = []
    for budget in BUDGETS:
        its = [run for run in runs if run["settings"]["iterations"] == budget]
        ratios = [run["rmse"] / run["bicubic"] for run in its]
        rows.append(
            {
                "iterations": round(mean(run["iterations"] for run in its)),
                "cpu_seconds": mean(run["cpu_seconds"] for run in its),
                "ratio": mean(ratios),
                "least": min(ratios),
                "greatest": max(ratios),
                "fallbacks": sum(run["fallback"] for run in its),
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| iterations | CPU s | RMSE / bicubic | least … greatest | fallbacks |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['iterations']} | {row['cpu_seconds']:.1f} | {row['ratio']:.3f} "
        f"| {row['least']:.3f} … {row['greatest']:.3f} | {row['fallbacks']} |"
        for row in rows
    ]
    return "\n".join(lines)


def plot(rows: list[dict[str, Any]], file: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    seconds = [row["cpu_seconds"] for row in rows]
    axes.fill_between(
        seconds,
        [row["least"] for row in rows],
        [row["greatest"] for row in rows],
        alpha=0.2,
        label="least to greatest",
    )
    axes.plot(seconds, [row["ratio"] for row in rows], "o-", label="mean of the cases")
    axes.axhline(1, color="0.5", linestyle=":", label="bicubic")
    axes.set(xscale="log", xlabel="CPU seconds of a cold keyframe", ylabel="RMSE / bicubic's", ylim=(0, 1.1))
    axes.legend(loc="lower left")
    figure.savefig(file, dpi=110)


def main(
    cases: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o")],
    preset: str = "robot",
    jobs: int = 1,
) -> None:
    """Measure every budget on every case, seed 0."""
    wanted = [
        ({}, (case, 1, {}, {}, {"name": preset, "seed": 0, "iterations": budget, "budget": None}))
        for budget, case in product(BUDGETS, cases)
    ]
    rows = summary(measured(wanted, jobs, output))
    show(table(rows), output)
    plot(rows, output.with_suffix(".png"))


if __name__ == "__main__":
    typer.run(main)
