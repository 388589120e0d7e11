"""What `robself_ros/msg/Status` tells about one result."""

from __future__ import annotations

from typing import Any

from robself.config import Modality
from robself.pair import Result
from robself.source_encoding import UNITS

MODES = {"keyframe": 0, "track": 1, "pass_through": 2}  # the message's constants


def outcome_fields(
    result: Result, modality: Modality, processing_seconds: float, latency_seconds: float
) -> dict[str, Any]:
    """The message's fields but its header and its counts."""
    info = result.info
    misalignment = info.get("misalignment")
    return {
        **(misalignment.fields() if misalignment else {}),
        "mode": MODES[info["mode"]],
        "warm": info["start"] == "warm",
        "fallback": bool(info["fallback"]),
        "iterations": info["iterations"],
        "consistency_before": info["consistency_before"],
        "consistency_after": info["consistency_after"],
        "consistency_unit": UNITS[modality],
        "processing_seconds": processing_seconds,
        "latency_seconds": latency_seconds,
        "device": info["device"],
    }
