"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from robself.config import Modality
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
    # Topic names and settings come from recordings and users: everything is escaped.
    environment = Environment(
        loader=PackageLoader("robself"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["stamp"] = _stamp
    return environment.get_template("report.html").render(
        name=Path(run.input_bag).name,
        summary=metrics["summary"],
        frames=metrics["frames"],
        display=DISPLAYS[modality],
        history=history_svg and _uri("image/svg+xml", history_svg),
        pictures={index: _uri("image/png", picture) for index, picture in pictures.items()},
    )


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _stamp(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(nanoseconds // 10**9, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds % 10**9 // 10**6:03d} UTC"
