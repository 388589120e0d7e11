"""Seconds on a GPU, as they are: rows for a table of devices."""

from __future__ import annotations

from statistics import median

import torch

from robself.bench.clock import seconds
from robself.bench.inputs import middle, rendered_case, resized_pair, robot_config
from robself.bench.measurement import Setup
from robself.bench.track_pass import track_seconds
from robself.config import RobSelfConfig
from robself.online import Budget, OnlineSuperResolver
from robself.pair import Pair

REPEATS = 5
HEADING = "| device | type | paper | warm keyframe | track |\n|---|---|---|---|---|"


def absolute_times(setup: Setup) -> dict[str, object]:
    """The paper's schedule at its size, and a warm keyframe and a track pass of the defaults, medians of five."""
    workload = setup.workload
    paper = OnlineSuperResolver(RobSelfConfig.from_preset("task1_x4", schedule="paper"), setup.device)
    pair = resized_pair(workload.absolute_size, 4)
    _keyframe_seconds(paper, pair, setup.threads, 1)
    paper.reset()
    paper_seconds = _keyframe_seconds(paper, pair, setup.threads, workload.paper_iterations)

    frames = [middle(rendered_case(index), workload.track_crop).pair() for index in range(REPEATS + 1)]
    robot = OnlineSuperResolver(robot_config(rendered_case(0), 0), setup.device)
    robot.keyframe(frames[0])
    robot.track(frames[0], translate=False)
    keyframes, tracks = [], []
    for frame in frames[1:]:
        tracks.append(track_seconds(robot, frame, setup.threads))
        keyframes.append(_keyframe_seconds(robot, frame, setup.threads, None))
    return {
        "device": device_name(robot.device),
        "dtype": str(robot.dtype).removeprefix("torch."),
        "paper": {
            "size": list(pair.size),
            "iterations": workload.paper_iterations,
            "seconds": paper_seconds,
        },
        "warm_keyframe": {"size": list(frames[0].size), "seconds": median(keyframes)},
        "track": {"size": list(frames[0].size), "seconds": median(tracks)},
    }


def _keyframe_seconds(
    resolver: OnlineSuperResolver, pair: Pair, threads: int, iterations: int | None
) -> float:
    start = seconds(resolver.device, threads)
    resolver.keyframe(pair, Budget(iterations=iterations))
    return seconds(resolver.device, threads) - start


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def markdown_row(times: dict) -> str:
    """One row below `HEADING`."""
    paper, keyframe, track = times["paper"], times["warm_keyframe"], times["track"]
    cells = (
        times["device"],
        times["dtype"],
        f"{_size(paper)}, {paper['iterations']} iterations: {paper['seconds']:.3g} s",
        f"{_size(keyframe)}: {1000 * keyframe['seconds']:.3g} ms",
        f"{_size(track)}: {1000 * track['seconds']:.3g} ms",
    )
    return f"| {' | '.join(cells)} |"


def _size(part: dict) -> str:
    return "x".join(map(str, part["size"]))
