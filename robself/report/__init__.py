"""A report on a run, made after the fact from what went in and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robself.report.recorded_run import RecordedRun

__all__ = ["RecordedRun", "save_comparison", "write_report"]


def write_report(
    run: RecordedRun,
    directory: str | Path,
    *,
    dropped: Mapping[str, int] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Writes `metrics.json` and `report.html` into a directory, which is made if need be.

    Args:
        dropped: pairs that were not used, by cause; None: what the last status message counted.
        settings: what to tell about the run beside its topics; values that JSON can hold.

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
    raise NotImplementedError


def save_comparison(path: str | Path, run: RecordedRun, *, frame: int | None = None) -> None:
    """Saves a picture of one frame as PNG: source, guide, bicubic, SR, truth if there is one, and a crop.

    Args:
        frame: which of the used pairs, from 0; None: the one in the middle.

    Raises:
        RecordingError: see `write_report`, or no such frame. OutputError: a file that cannot be written.
    """
    raise NotImplementedError
