"""A run over time."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robself.config import Modality
from robself.report.pictures import DISPLAYS

BEFORE, AFTER, BICUBIC = "0.6", "tab:blue", "tab:orange"


def history_svg(frames: list[dict[str, Any]], modality: Modality) -> bytes:
    """Latency, iterations, consistency and, with a truth, RMSE of every frame, as SVG.

    Args:
        frames: what `robself.report.measurement.measure` gave, one or more.
    """
    display = DISPLAYS[modality]
    seconds = np.array([frame["stamp_ns"] - frames[0]["stamp_ns"] for frame in frames]) / 1e9
    factor, unit = display.error_factor, display.error_unit

    def series(value: Callable[[dict[str, Any]], float | None], scale: float = 1.0) -> np.ndarray:
        return np.array([np.nan if value(f) is None else scale * value(f) for f in frames], float)

    figure = Figure(figsize=(11, 5.6), layout="constrained")
    (latency, consistency), (iterations, rmse) = figure.subplots(2, 2, sharex=True)
    _lines(
        latency,
        seconds,
        "seconds",
        ("latency", series(lambda f: f["latency_seconds"]), AFTER),
        ("processing", series(lambda f: f["processing_seconds"]), BEFORE),
    )
    _lines(
        consistency,
        seconds,
        f"consistency ({unit})",
        ("before", series(lambda f: f["consistency_before"], factor), BEFORE),
        ("after", series(lambda f: f["consistency_after"], factor), AFTER),
    )
    _lines(iterations, seconds, "iterations", ("iterations", series(lambda f: f["iterations"]), AFTER))
    if any(frame["judged_pixels"] for frame in frames):
        _lines(
            rmse,
            seconds,
            f"RMSE ({unit})",
            ("bicubic", series(lambda f: f["bicubic"] and f["bicubic"]["rmse"], factor), BICUBIC),
            ("RobSelf", series(lambda f: f["sr"] and f["sr"]["rmse"], factor), AFTER),
        )
    else:
        rmse.set_visible(False)
    for axis in (iterations, rmse):
        axis.set_xlabel("time since the first frame (s)")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    return buffer.getvalue()


def _lines(axis: Axes, seconds: np.ndarray, label: str, *lines: tuple[str, np.ndarray, str]) -> None:
    for name, values, colour in lines:
        axis.plot(seconds, values, marker=".", color=colour, label=name)
    axis.set_ylabel(label)
    highest = max((values[np.isfinite(values)].max(initial=0) for _, values, _ in lines), default=0)
    axis.set_ylim(0, 1.15 * highest or 1)
    axis.grid(alpha=0.3)
    if len(lines) > 1:
        axis.legend(fontsize=8)
