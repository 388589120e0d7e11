"""What a schedule costs and what it gives: RMSE against CPU seconds, and which schedules no other one beats in both.

    python benchmarks/schedules.py DATA/cases/c192_{Aloe,Reindeer}_x4_mis.npz -o benchmarks/schedules.json

Writes every run to the JSON file, a table and a plot beside it. One thread each; seconds are those of the CPU, since
other processes stretch those of the wall.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer
from cases import measured, show, stages_of

# Stages as resolution:iterations[:patience]; at x4 the default's quarter-resolution stage is 75 iterations at half.
DEFAULT = "0.5:75,0.5:300,1:100"
SCHEDULES = (
    "1:50",
    "1:100",
    "1:250",
    "0.5:50,1:15",
    "0.5:100,1:30",
    "0.5:150,1:50",
    "0.5:300,1:30",
    "0.5:300,1:100",
    "0.5:300,1:200",
    "0.5:600,1:50",
    "0.5:75,0.5:150,1:50",
    DEFAULT,
    "0.5:75,0.5:600,1:100",
    "0.5:75:20,0.5:300:20,1:100:20",
)


def summary(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a schedule, by cost: the means over its runs, and whether none is better in both.

    Schedules that ended at the same RMSE to the last bit after as many iterations have done the same work: what
    their seconds differ by is the machine's, so they share the mean.
    """
    rows = []
    for schedule in dict.fromkeys(run["schedule"] for run in runs):
        its = [run for run in runs if run["schedule"] == schedule]
        ratios = [run["rmse"] / run["bicubic"] for run in its]
        rows.append(
            {
                "schedule": schedule,
                "cpu_seconds": mean(run["cpu_seconds"] for run in its),
                "ratio": mean(ratios),
                "spread": max(ratios) - min(ratios),
                "iterations": mean(run["iterations"] for run in its),
            }
        )
    alike: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault((row["ratio"], row["iterations"]), []).append(row)
    for group in alike.values():
        seconds = mean(row["cpu_seconds"] for row in group)
        for row in group:
            row["cpu_seconds"] = seconds
    for row in rows:
        row["pareto"] = not any(
            other["ratio"] <= row["ratio"] and other["cpu_seconds"] < row["cpu_seconds"] for other in rows
        )
    return sorted(rows, key=lambda row: row["cpu_seconds"])


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| schedule | CPU s | RMSE / bicubic | iterations | no other is cheaper and better |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['schedule']}`{' (default)' if row['schedule'] == DEFAULT else ''} | {row['cpu_seconds']:.0f} "
        f"| {row['ratio']:.3f} | {row['iterations']:.0f} | {'yes' if row['pareto'] else ''} |"
        for row in rows
    ]
    return "\n".join(lines)


def plot(rows: list[dict[str, Any]], file: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for index, row in enumerate(rows):
        colour = "tab:red" if row["schedule"] == DEFAULT else "tab:blue" if row["pareto"] else "0.6"
        axes.plot(
            row["cpu_seconds"], row["ratio"], "o", color=colour, zorder=3 if row["schedule"] == DEFAULT else 2
        )
        if index and row["ratio"] == rows[index - 1]["ratio"]:
            continue  # the same work: their names would cover each other
        axes.annotate(
            row["schedule"],
            (row["cpu_seconds"], row["ratio"]),
            (5, 4) if index % 2 else (5, -10),  # neighbours must not cover each other
            textcoords="offset points",
            fontsize=7,
            color=colour,
        )
    axes.set(xscale="log", xlabel="CPU seconds a cold keyframe", ylabel="RMSE / bicubic's")
    axes.set_title("Schedules: red the default, blue those that none beats in both")
    axes.margins(x=0.2)
    figure.savefig(file, dpi=110)


def main(
    cases: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o")],
    preset: str = "robot",
    seeds: int = 1,
    jobs: int = 1,
) -> None:
    """Measure every schedule on every case."""
    wanted = [
        (
            {"schedule": schedule},
            (
                case,
                1,
                {},
                {"cold": stages_of(schedule)},
                {"name": preset, "seed": seed, "iterations": None, "budget": None},
            ),
        )
        for seed, case, schedule in product(range(seeds), cases, SCHEDULES)
    ]
    rows = summary(measured(wanted, jobs, output))
    show(table(rows), output)
    plot(rows, output.with_suffix(".png"))


if __name__ == "__main__":
    typer.run(main)
