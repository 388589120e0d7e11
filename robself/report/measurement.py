"""A run in numbers: each frame, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from robself.metrics import errors_of, percentile, spread
from robself.provenance import versions
from robself.report.frames import Frame, MatchedRun
from robself.source_encoding import UNITS
from robself.status import MODES

METHODS = ("bicubic", "sr")
FROM_STATUS = (
    "warm",
    "fallback",
    "iterations",
    "consistency_before",
    "consistency_after",
    "processing_seconds",
    "latency_seconds",
    "device",
)


def measure(frame: Frame) -> dict[str, Any]:
    """One frame's numbers; None where there is no status, NaN where a status says so.

    "bicubic" and "sr" hold rmse and mae over the same `judged_pixels`, or are None without a truth.
    """
    status, size = frame.status, frame.sr.shape
    numbers: dict[str, Any] = {"stamp_ns": frame.stamp_ns, "mode": None}
    if status is not None:
        numbers["mode"] = {number: name for name, number in MODES.items()}.get(status.mode)
    numbers |= {name: getattr(status, name, None) for name in FROM_STATUS}
    numbers |= {"source_size": list(frame.source.shape[::-1]), "sr_size": list(size[::-1])}
    if frame.truth is None:
        return numbers | {"judged_pixels": 0, **dict.fromkeys(METHODS)}
    for method in METHODS:
        errors = errors_of(getattr(frame, method), frame.truth, frame.judged)
        numbers[method] = {"rmse": errors.rmse, "mae": errors.mae}
        numbers["judged_pixels"] = errors.pixels
    return numbers


def summarise(
    frames: list[dict[str, Any]],
    pairs: int,
    matched: MatchedRun,
    dropped: Mapping[str, int] | None,
    settings: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """All frames together.

    Args:
        frames: what `measure` gave. pairs: of the input. dropped, settings: see `write_report`.
    """
    pairing = matched.pairing
    return {
        "pairs": {
            "in": pairs,
            "used": len(frames),
            "dropped": _dropped(pairs - len(frames), matched, dropped),
        },
        "unpaired": {"sources": pairing.dropped_sources, "guides": pairing.dropped_guides},
        "outputs_without_a_pair": matched.outputs - len(frames),
        "keyframes": _count(frames, "mode", "keyframe"),
        "tracked": _count(frames, "mode", "track"),
        "fallbacks": _count(frames, "fallback", True),
        "iterations": sum(frame["iterations"] or 0 for frame in frames),
        **{
            f"{what}_seconds": {
                f"p{share}": percentile([frame[f"{what}_seconds"] for frame in frames], share)
                for share in (50, 95)
            }
            for what in ("latency", "processing")
        },
        "consistency": {
            when: spread(frame[f"consistency_{when}"] for frame in frames)._asdict()
            for when in ("before", "after")
        },
        "unit": UNITS[matched.modality],
        **{kind: _errors(frames, kind) for kind in ("rmse", "mae")},
        "truth_size": matched.truth_size,
        "device": next((frame["device"] for frame in frames if frame["device"]), None),
        "recording": str(Path(matched.run.input_bag).resolve()),
        "topics": {
            "source": matched.run.source_topic,
            "guide": matched.run.guide_topic,
            "truth": matched.run.truth_topic,
        },
        "settings": dict(settings or {}),
        "versions": versions(),
    }


def _dropped(missing: int, matched: MatchedRun, told: Mapping[str, int] | None) -> dict[str, int]:
    """The pairs that came to nothing, by cause; those that nobody told of as "unaccounted"."""
    if told is None and matched.statuses:
        last = matched.statuses[max(matched.statuses)]
        told = {cause: getattr(last, f"dropped_{cause}") for cause in ("replaced", "rejected", "stale")}
    causes = {cause: int(count) for cause, count in (told or {}).items() if count}
    unaccounted = missing - sum(causes.values())
    return causes | ({"unaccounted": unaccounted} if unaccounted > 0 else {})


def _errors(frames: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    """{"bicubic": mean and std over the frames with a truth, "sr": ..., "ratio": of the means, "frames"}."""
    judged = [frame for frame in frames if frame["judged_pixels"]]
    if not judged:
        return None
    over_frames = {method: spread(frame[method][kind] for frame in judged) for method in METHODS}
    floor = over_frames["bicubic"].mean
    return {
        **{method: value._asdict() for method, value in over_frames.items()},
        "ratio": over_frames["sr"].mean / floor if floor else np.nan,
        "frames": len(judged),
    }


def _count(frames: list[dict[str, Any]], key: str, value: Any) -> int:
    return sum(frame[key] == value for frame in frames)
