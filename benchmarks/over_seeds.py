"""What the images of several seeds give together: their mean, and their median, pixel by pixel.

And the means of fewer of them, over all choices: what so many members give (`robself.ensemble`).

    robself eval --dataset DATA/cases --only 'c192_*' --scale 4 --preset task1_x4 --seeds 3 \\
        --methods bicubic,robself_re -o out
    python benchmarks/over_seeds.py out --output benchmarks/over_seeds.json

Reads the predictions that the evaluation left; nothing is optimised.
"""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Annotated

import numpy as np
import typer

from robself.metrics import common_pixels, errors_of

WAYS = {"each": None, "mean": np.mean, "median": np.median}


def images(folder: Path, method: str, case: str) -> list[np.ndarray]:
    """One a seed."""
    place = folder / "predictions" / method
    paths = sorted(place.glob(f"{case}__seed*.npz"))
    if not paths:
        raise typer.BadParameter(f"{place}: nothing of {case}, expected what robself eval wrote of {method}")
    return [np.load(path)["sr"] for path in paths]


def rmse(image: np.ndarray, truth: np.ndarray) -> float:
    return errors_of(image, truth, common_pixels(image, truth)).rmse


def main(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o")],
    method: str = "robself_re",
) -> None:
    """RMSE of each seed, and of all together, on every case."""
    rows, chosen = [], defaultdict(list)
    cases = sorted((folder / "inputs").glob("*.npz"))
    if not cases:
        raise typer.BadParameter(f"{folder}: has no inputs, expected the folder of robself eval")
    for path in cases:
        truth = np.load(path)["truth"]
        bicubic, *_ = images(folder, "bicubic", path.stem)
        seeds = images(folder, method, path.stem)
        row = {"case": path.stem, "seeds": len(seeds), "bicubic": rmse(bicubic, truth)}
        for way, together in WAYS.items():
            row[way] = (
                rmse(together(seeds, axis=0), truth)
                if together
                else mean(rmse(image, truth) for image in seeds)
            )
        rows.append(row)
        for count in range(1, len(seeds) + 1):
            for choice in combinations(range(len(seeds)), count):
                chosen[choice].append(rmse(np.mean([seeds[index] for index in choice], axis=0), truth))
    summary = {
        way: {
            "rmse": mean(row[way] for row in rows),
            "ratio_of_means": mean(row[way] for row in rows) / mean(row["bicubic"] for row in rows),
            "mean_of_ratios": mean(row[way] / row["bicubic"] for row in rows),
        }
        for way in WAYS
    }
    members = defaultdict(list)
    for choice, values in chosen.items():
        members[len(choice)].append(mean(values) / mean(row["bicubic"] for row in rows))
    by_members = {
        count: {"choices": len(ratios), "mean": mean(ratios), "min": min(ratios), "max": max(ratios)}
        for count, ratios in members.items()
    }
    found = {"method": method, "summary": summary, "ratio_of_means_by_members": by_members, "cases": rows}
    output.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({"summary": summary, "ratio_of_means_by_members": by_members}, indent=1))


if __name__ == "__main__":
    typer.run(main)
