"""A report on a run, made after the fact from what went in and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from robself.errors import OutputError, RecordingError
from robself.file_writing import write_file
from robself.json_text import json_text
from robself.report.frames import MatchedRun
from robself.report.measurement import measure, summarise
from robself.report.page import render
from robself.report.panels import png
from robself.report.pictures import comparison_figure, inspection_figure
from robself.report.plots import history_svg
from robself.report.recorded_run import RecordedRun

__all__ = ["RecordedRun", "save_comparison", "write_report"]


def write_report(
    run: RecordedRun,
    directory: str | Path,
    *,
    dropped: Mapping[str, int] | None = None,
    settings: Mapping[str, Any] | None = None,
    pictures: int = 4,
) -> dict[str, Any]:
    """Writes `metrics.json` and `report.html` into a directory, which is made if need be.

    Args:
        dropped: pairs that were not used, by cause; None: what the last status message counted.
        settings: what to tell about the run beside its topics; values that JSON can hold.
        pictures: how many frames to show, spread over the run.

    Returns:
        The content of `metrics.json`: {"frames": [...], "summary": {...}}. Summary: "pairs" {"in", "used",
        "dropped" {cause: count}}, "latency_seconds" {"p50", "p95"}, "unit" ("m", "intensity"), "rmse"
        {"bicubic" {"mean", "std"}, "sr" {"mean", "std"}, "ratio"} or None without truth, "fallbacks", ...

    Raises:
        RecordingError: a recording or a topic that is missing or damaged.
        OutputError: a directory that cannot be written to.

    Example:
        >>> run = RecordedRun(bag, sr_bag, "/depth/image_raw", "/rgb/image_raw", "/truth/image_raw")
        >>> write_report(run, "out")["summary"]["rmse"]["ratio"] < 1
        True
    """
    matched = MatchedRun(run)
    shown = set(np.linspace(0, max(matched.outputs - 1, 0), pictures).round().astype(int))
    frames: list[dict[str, Any]] = []
    drawn: dict[int, bytes] = {}
    pairs = 0
    for step in matched:
        pairs += 1
        if step.frame is None:
            continue
        if len(frames) in shown:
            drawn[len(frames)] = png(inspection_figure(step.frame, matched.modality))
        frames.append(measure(step.frame))
    metrics = {"summary": summarise(frames, pairs, matched, dropped, settings), "frames": frames}
    history = history_svg(frames, matched.modality) if frames else None
    _make(directory := Path(directory))
    write_file(directory / "metrics.json", json_text(metrics, indent=1).encode())
    page = render(run, metrics, matched.modality, history, drawn)
    write_file(directory / "report.html", page.encode())
    return metrics


def save_comparison(path: str | Path, run: RecordedRun, *, frame: int | None = None) -> None:
    """Saves a picture of one frame as PNG: source, guide, bicubic, SR, truth if there is one, and a crop.

    Args:
        frame: which of the used pairs, from 0; None: the one in the middle.

    Raises:
        RecordingError: see `write_report`, or no such frame. OutputError: a file that cannot be written.
    """
    matched = MatchedRun(run)
    wanted = matched.outputs // 2 if frame is None else frame
    used = (step.frame for step in matched if step.frame is not None)
    found = next(islice(used, wanted, None), None)
    if found is None:
        raise RecordingError(f"{run.output_bag}: no frame {wanted} that belongs to {run.input_bag}")
    write_file(path, png(comparison_figure(found, matched.modality)))


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{directory}: cannot be made: {error.strerror}") from error
