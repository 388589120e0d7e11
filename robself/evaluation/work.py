"""One task done, in whichever process or machine: the method run, its estimate scored."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from robself.datasets import Case
from robself.errors import InputError, RobSelfError
from robself.evaluation.scores import score
from robself.evaluation.tasks import Task
from robself.kept_memory import give_back
from robself.methods import Estimate, Method, Settings
from robself.peak_memory import PeakMemory

DRAWN = {"displacement": np.float16, "aligned_guide": np.uint8}  # of a method's info, for pictures


@dataclass(frozen=True)
class Job:
    """A task with all that it takes; travels between processes and machines."""

    task: Task
    case: Case
    method: Method
    settings: Settings


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        record: a line of the results, JSON's types only (`robself.evaluation.evaluation`).
        images: "sr" (H, W) float32, and those of `DRAWN` that the method gave; empty where it failed.
    """

    record: dict[str, Any]
    images: dict[str, np.ndarray] = field(default_factory=dict)


def perform(job: Job) -> Outcome:
    """Runs a method and scores what it estimates. An exception becomes the record's "error"."""
    try:
        pair = job.case.pair()
        give_back()  # or this task would seem to need only what the one before did not
        begin = time.perf_counter()
        with PeakMemory() as memory:
            estimate = job.method.run(pair, job.settings)
        seconds = time.perf_counter() - begin
        _check(estimate, pair.size)
        scores = score(estimate.sr, job.case)
    except Exception as error:  # the others go on: whatever a method raises is its result
        return failure(job.task, _reason(error), job.case.group, trace=_trace(error))
    record = {
        **_identity(job.task, job.case.group),
        "scores": {name: float(value) for name, value in scores.items() if value is not None},
        "seconds": seconds,
        "iterations": estimate.info.get("iterations"),
        "peak_memory_bytes": memory.bytes,
        "peak_memory_of": memory.kind,
        "info": small_facts(estimate.info),
        "error": None,
    }
    images = {"sr": estimate.sr.astype(np.float32, copy=False)}
    for name, dtype in DRAWN.items():
        if isinstance(estimate.info.get(name), np.ndarray):
            images[name] = estimate.info[name].astype(dtype, copy=False)
    return Outcome(record, images)


def failure(task: Task, error: str, group: str = "", trace: str | None = None) -> Outcome:
    """The outcome of a task that has no result."""
    record = {
        **_identity(task, group),
        "scores": {},
        "seconds": None,
        "iterations": None,
        "peak_memory_bytes": None,
        "peak_memory_of": None,
        "info": {},
        "error": error,
    }
    return Outcome(record | ({"traceback": trace} if trace else {}))


def small_facts(info: Mapping[str, Any]) -> dict[str, Any]:
    """What of a method's info goes into a table: numbers, texts and truth values."""
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in info.items()}
    return {name: value for name, value in plain.items() if isinstance(value, bool | int | float | str)}


def _identity(task: Task, group: str) -> dict[str, Any]:
    return {
        "case": task.case,
        "group": group,
        "method": task.method,
        "seed": task.seed,
        "setting": task.setting.facts(),
    }


def _check(estimate: Estimate, size: tuple[int, int]) -> None:
    if estimate.sr.shape != size:
        raise InputError(f"estimate: shape {estimate.sr.shape}, expected the guide's {size}")


def _reason(error: Exception) -> str:
    """One line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, RobSelfError) else f"{type(error).__name__}: {text}"


def _trace(error: Exception) -> str | None:
    """Where it was raised, unless that was on purpose."""
    return None if isinstance(error, RobSelfError) else "".join(traceback.format_exception(error))
