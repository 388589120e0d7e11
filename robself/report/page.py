"""The report as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from robself.config import Modality
from robself.report.document import data_uri, html
from robself.report.pictures import DISPLAYS
from robself.report.recorded_run import RecordedRun


def render(
    run: RecordedRun,
    metrics: Mapping[str, Any],
    modality: Modality,
    history_svg: bytes | None,
    pictures: Mapping[int, bytes],
) -> str:
    """The page.

    Args:
        metrics: see `robself.report.write_report`. pictures: PNG by the number of the frame.
    """
    return html(
        "report.html",
        {"stamp": _stamp},
        name=Path(run.input_bag).name,
        summary=metrics["summary"],
        frames=metrics["frames"],
        display=DISPLAYS[modality],
        history=history_svg and data_uri("image/svg+xml", history_svg),
        pictures={index: data_uri("image/png", picture) for index, picture in pictures.items()},
    )


def _stamp(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(nanoseconds // 10**9, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds % 10**9 // 10**6:03d} UTC"
