"""What each way through a stream gives and costs, frame by frame: cold, warm, tracked, and keyframes where due.

    python benchmarks/stream.py DATA/frames --output benchmarks/stream.json

Two moving sequences: frames of the built-in recording, and five of Redwood's, a real sensor's (`redwood_0` to
`redwood_4`: .png of depth in mm, .jpg of colours), whose depth is pooled to a quarter and has itself as truth. Writes
every frame to the JSON file and a plot to the PNG. One thread.
"""

from __future__ import annotations

import copy
from pathlib import Path
from statistics import mean
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import torch
import typer

from robself.bench.inputs import middle, rendered_case, rmse_of
from robself.bench.warm_work import CountedResolver
from robself.datasets.case import Case
from robself.datasets.degradation import block_mean
from robself.file_writing import write_file
from robself.json_text import json_text
from robself.keyframes import KeyframeConfig, KeyframePolicy
from robself.pipeline import Pipeline
from robself.progress import bar
from robself.provenance import versions
from robself.upsampling import bicubic_of_filled

FACTOR = 4
RATIO = 1.5
WAYS = {  # when a pair after the first is a keyframe
    "warm": KeyframeConfig(every_n=1),
    "track": KeyframeConfig(every_n=0),
    "consistency": KeyframeConfig(every_n=0, consistency_ratio=RATIO),
    "cold": KeyframeConfig(every_n=1),
}
LABELS = {
    "bicubic": "bicubic",
    "cold": "cold keyframe",
    "warm": "warm keyframe each frame",
    "track": "tracked after the first",
    "consistency": f"keyframe when consistency is {RATIO:g} times worse",
}


class Way:
    """A stream on one of these ways, its work counted; `copy.deepcopy` lets another go on from here."""

    def __init__(self, first: Case, seed: int) -> None:
        self.counted = CountedResolver(first, seed, "cpu")
        self.pipeline = Pipeline(self.counted.resolver, KeyframePolicy())

    def take(self, case: Case) -> dict[str, Any]:
        before = self.counted.work
        result = self.pipeline.process(case.pair())
        told = ("mode", "start", "fallback", "consistency_after", "consistency_bicubic")
        return {
            "rmse": rmse_of(result.sr, case),
            "pixel_iterations": self.counted.work - before,
            **{name: result.info[name] for name in told},
        }


class Job(NamedTuple):
    sequence: str
    seed: int
    ways: tuple[str, ...]


def redwood(folder: Path, index: int) -> Case:
    """One frame in cm: NaN where nothing was measured."""
    depth = cv2.imread(str(folder / f"redwood_{index}.png"), cv2.IMREAD_UNCHANGED)
    colours = cv2.imread(str(folder / f"redwood_{index}.jpg"))
    if depth is None or colours is None:
        raise typer.BadParameter(f"{folder}: no redwood_{index}.png and .jpg")
    truth = np.where(depth > 0, depth / np.float32(10), np.float32(np.nan))
    guide = np.ascontiguousarray(colours[..., ::-1])
    return Case(f"redwood_{index}", block_mean(truth, FACTOR), guide, truth, unit="cm")


def rows_of(job: Job, cases: list[Case], cold_every: int) -> list[dict[str, Any]]:
    """Each way over the whole sequence. The first frame is a cold keyframe on all, computed once."""
    first = Way(cases[0], job.seed)
    row = first.take(cases[0])
    rows = []
    for name in job.ways:
        way = copy.deepcopy(first)
        way.pipeline.policy.config = WAYS[name]
        step = cold_every if name == "cold" else 1
        for index in range(0, len(cases), step):
            if name == "cold":
                way.pipeline.reset()
            told = way.take(cases[index]) if index else row
            rows.append({"sequence": job.sequence, "way": name, "seed": job.seed, "frame": index, **told})
    return rows


def bicubic_rows(sequence: str, cases: list[Case]) -> list[dict[str, Any]]:
    rows = []
    for index, case in enumerate(cases):
        pair = case.pair()
        rmse = rmse_of(bicubic_of_filled(pair.filled, pair.size), case)
        rows.append({"sequence": sequence, "way": "bicubic", "frame": index, "rmse": rmse})
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Per sequence and way, over the frames after the first: ratios of RMSE on the same frames, share of cold work."""
    later = [row for row in rows if row["frame"]]
    told: dict[str, Any] = {}
    for sequence, way in dict.fromkeys((row["sequence"], row["way"]) for row in later):
        if way == "bicubic":
            continue
        its, cold, bicubic = (
            [row for row in later if (row["sequence"], row["way"]) == (sequence, name)]
            for name in (way, "cold", "bicubic")
        )
        by_seed = [
            [row for row in its if row["seed"] == seed] for seed in dict.fromkeys(r["seed"] for r in its)
        ]
        work = mean(row["pixel_iterations"] for row in cold)
        told.setdefault(sequence, {})[way] = {
            "seeds": len(by_seed),
            "to_cold": _spread([_ratio(one, cold) for one in by_seed]),
            "to_bicubic": _spread([_ratio(one, bicubic) for one in by_seed]),
            "work": _spread([mean(row["pixel_iterations"] for row in one) / work for one in by_seed]),
            "keyframes": _spread([sum(row["mode"] == "keyframe" for row in one) for one in by_seed]),
            "fallbacks": sum(row["fallback"] for row in its),
        }
    return told


def _ratio(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> float:
    """Of the mean RMSE on the frames that both have, each as often as any other."""
    frames = {row["frame"] for row in rows} & {row["frame"] for row in others}
    ours, theirs = (mean(row["rmse"] for row in each if row["frame"] in frames) for each in (rows, others))
    return ours / theirs


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": mean(values), "min": min(values), "max": max(values)}


def plot(rows: list[dict[str, Any]], units: dict[str, str], file: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(units), figsize=(11, 7), layout="constrained", sharex="col")
    colours = dict(zip(LABELS, ("0.5", "black", "tab:blue", "tab:orange", "tab:green"), strict=True))
    for column, (sequence, unit) in enumerate(units.items()):
        above, below = axes[:, column]
        below.set_yscale("symlog", linthresh=1e4)
        for way, label in LABELS.items():
            its = [row for row in rows if (row["sequence"], row["way"]) == (sequence, way)]
            frames = sorted({row["frame"] for row in its})
            for axis, name in (above, "rmse"), (below, "pixel_iterations"):
                if name not in its[0]:
                    continue
                values = [[row[name] for row in its if row["frame"] == frame] for frame in frames]
                axis.plot(
                    frames, [mean(each) for each in values], "o-", ms=3, color=colours[way], label=label
                )
                axis.fill_between(
                    frames,
                    *zip(*((min(v), max(v)) for v in values), strict=True),
                    color=colours[way],
                    alpha=0.15,
                )
        above.set(title=sequence, ylabel=f"RMSE, {unit}", ylim=(0, None))
        below.set(xlabel="frame", ylabel="pixel-iterations", ylim=(0, None), xticks=frames)
        for axis in (above, below):
            axis.grid(alpha=0.3)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(file, dpi=100)


def main(
    frames: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="With redwood_0 to redwood_4.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o")] = Path("benchmarks/stream.json"),
    picture: Path = Path("docs/images/stream.png"),
    seeds: int = 3,
    cold_every: Annotated[int, typer.Option(min=1, max=4, help="Only every n-th frame cold, too.")] = 1,
    cold_seeds: Annotated[int, typer.Option(min=1, help="With so many seeds only.")] = 1,
    length: Annotated[int, typer.Option(help="Frames of the built-in recording.")] = 12,
    size: Annotated[tuple[int, int], typer.Option(help="Height and width, px.", metavar="H W")] = (96, 128),
) -> None:
    """Take every way through both sequences."""
    torch.set_num_threads(1)
    sequences = {
        "rendered": [middle(rendered_case(index), size) for index in range(length)],
        "redwood": [middle(redwood(frames, index), size) for index in range(5)],
    }
    jobs = [
        Job(sequence, seed, tuple(way for way in WAYS if way != "cold" or seed < cold_seeds))
        for seed in range(seeds)
        for sequence in sequences
    ]
    rows = [row for sequence, cases in sequences.items() for row in bicubic_rows(sequence, cases)]
    with bar("super-resolving", len(jobs)) as update:
        for done, job in enumerate(jobs):
            update(done, f"{job.sequence}, seed {job.seed}")
            rows += rows_of(job, sequences[job.sequence], cold_every)
            report = {
                "size": size,
                "ratio": RATIO,
                "versions": versions(),
                "summary": summary(rows),
                "frames": rows,
            }
            write_file(output, (json_text(report) + "\n").encode())
    plot(rows, {name: cases[0].unit for name, cases in sequences.items()}, picture)
    print(json_text(report["summary"]))


if __name__ == "__main__":
    typer.run(main)
