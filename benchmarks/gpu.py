"""What iterations, keyframes and tracked pairs take on a GPU.

    python benchmarks/gpu.py -o benchmarks/gpu.json

An iteration of the paper's schedule is the difference of keyframes of 105 and of 5; the first keyframe of a size also
compiles its kernels and is not counted.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer

from robself.bench.absolute import device_name
from robself.bench.inputs import middle, rendered_case, resized_pair, robot_config
from robself.config import RobSelfConfig
from robself.device import choose_device
from robself.errors import RobSelfError
from robself.evaluation.machine import machine
from robself.file_writing import check_place, write_file
from robself.json_text import json_text
from robself.online import Budget, OnlineSuperResolver
from robself.provenance import versions

PAPER_SIZE = (576, 640)
SIZES = ((192, 256), (288, 384), (480, 640))
FEW, MANY = 5, 105
REPEATS = 5


def milliseconds(work) -> float:
    start = time.perf_counter()
    work()  # ends with an image on the CPU, so that the GPU has done all of it
    return 1000 * (time.perf_counter() - start)


def paper(variant: str, device: str) -> dict:
    resolver = OnlineSuperResolver(
        RobSelfConfig.from_preset("task1_x4", variant=variant, schedule="paper"), device
    )
    pair = resized_pair(PAPER_SIZE, 4)
    resolver.keyframe(pair, Budget(iterations=3))
    few, many = (
        milliseconds(lambda count=count: resolver.keyframe(pair, Budget(iterations=count)))
        for count in (FEW, MANY)
    )
    return {
        "size": PAPER_SIZE,
        "iteration_ms": (many - few) / (MANY - FEW),
        "memory_peak_mb": resolver.keyframe(pair, Budget(iterations=FEW)).info["memory_peak_mb"],
    }


def robot(size: tuple[int, int], device: str) -> dict:
    """A cold keyframe, then warm ones and tracked pairs of the moving built-in recording."""
    small = size[0] <= rendered_case(0).guide.shape[0]
    pairs = [
        middle(rendered_case(index), size).pair() if small else resized_pair(size, 4)
        for index in range(REPEATS + 1)
    ]
    resolver = OnlineSuperResolver(robot_config(rendered_case(0), 0), device)
    resolver.keyframe(pairs[0])
    resolver.reset()
    cold = milliseconds(lambda: resolver.keyframe(pairs[0]))
    resolver.track(pairs[0], translate=False)
    resolver.keyframe(pairs[0])
    tracked, warm = [], []
    for pair in pairs[1:]:
        tracked.append(milliseconds(lambda pair=pair: resolver.track(pair, translate=False)))
        warm.append(milliseconds(lambda pair=pair: resolver.keyframe(pair)))
    return {
        "size": size,
        "cold_ms": cold,
        "warm_iterations": sum(stage.iterations for stage in resolver.schedule.stages(True, None, 4)),
        "warm_ms": {"median": median(warm), "all": warm},
        "track_ms": {"median": median(tracked), "all": tracked},
    }


def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON file.")],
    device: Annotated[str, typer.Option(help="cuda or cuda:N.")] = "cuda",
    choose_convolutions: Annotated[
        bool, typer.Option(help="let cuDNN try each convolution's algorithms and keep the fastest")
    ] = False,
) -> None:
    torch.backends.cudnn.benchmark = choose_convolutions
    try:
        name = device_name(choose_device(device))
        check_place(output)
        report = {
            "paper": {variant: paper(variant, device) for variant in ("re", "de")},
            "robot": [robot(size, device) for size in SIZES],
            "choose_convolutions": choose_convolutions,
            "device": name,
            "machine": machine(),
            "versions": versions(),
        }
        write_file(output, (json_text(report) + "\n").encode())
    except RobSelfError as error:
        print(f"gpu: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    print(json_text(report))


if __name__ == "__main__":
    typer.run(main)
