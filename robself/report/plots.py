"""A run over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robself.config import Modality
from robself.report.panels import svg
from robself.report.pictures import DISPLAYS

BEFORE, AFTER, BICUBIC = "0.6", "tab:blue", "tab:orange"


class Line(NamedTuple):
    """One curve; NaN where a frame has no value."""

    name: str
    colour: str
    values: np.ndarray


def history_svg(frames: list[dict[str, Any]], modality: Modality) -> bytes:
    """Latency, iterations, consistency and, with a truth, RMSE of every frame, as SVG.

    Args:
        frames: what `robself.report.measurement.measure` gave, one or more.
    """
    display = DISPLAYS[modality]
    seconds = np.array([frame["stamp_ns"] - frames[0]["stamp_ns"] for frame in frames]) / 1e9
    factor, unit = display.error_factor, display.error_unit

    def line(
        name: str, colour: str, value: Callable[[dict[str, Any]], float | None], scale: float = 1.0
    ) -> Line:
        values = [np.nan if value(frame) is None else scale * value(frame) for frame in frames]
        return Line(name, colour, np.array(values, float))

    charts = {
        "seconds": [
            line("latency", AFTER, lambda f: f["latency_seconds"]),
            line("processing", BEFORE, lambda f: f["processing_seconds"]),
        ],
        f"consistency ({unit})": [
            line("before", BEFORE, lambda f: f["consistency_before"], factor),
            line("after", AFTER, lambda f: f["consistency_after"], factor),
        ],
        "iterations": [line("iterations", AFTER, lambda f: f["iterations"])],
    }
    if any(frame["judged_pixels"] for frame in frames):
        charts[f"RMSE ({unit})"] = [
            line("bicubic", BICUBIC, lambda f: f["bicubic"] and f["bicubic"]["rmse"], factor),
            line("RobSelf", AFTER, lambda f: f["sr"] and f["sr"]["rmse"], factor),
        ]
    rows, columns = (2, 2) if len(charts) == 4 else (1, len(charts))
    figure = Figure(figsize=(11, 2.8 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for axis, (label, lines) in zip(axes, charts.items(), strict=True):
        _draw(axis, seconds, label, lines)
    return svg(figure)


def _draw(axis: Axes, seconds: np.ndarray, label: str, lines: list[Line]) -> None:
    for line in lines:
        axis.plot(seconds, line.values, marker=".", color=line.colour, label=line.name)
    axis.set_xlabel("time since the first frame (s)")
    axis.set_ylabel(label)
    highest = max(line.values[np.isfinite(line.values)].max(initial=0) for line in lines)
    axis.set_ylim(0, 1.15 * highest or 1)
    axis.grid(alpha=0.3)
    if len(lines) > 1:
        axis.legend(fontsize=8)
