"""What a figure is made of: measurements of one run after another, and the bar that they are held to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from robself.bench.workload import Workload

Tell = Callable[[float], None]  # the share (0..1) of a measurement that is done


@dataclass(frozen=True)
class Setup:
    """What all measurements share.

    Attributes:
        device: as `choose_device` takes it. threads: of torch, on the CPU.
        case: an .npz file of one's own, instead of the rendered scene; None: the latter.
    """

    workload: Workload
    device: str = "cpu"
    threads: int = 1
    case: Path | None = None


@dataclass(frozen=True)
class Measurement:
    """One run of one figure.

    Attributes:
        value: the figure's. details: what it was computed from; fits into JSON.
        fault: what makes the value void, such as outputs that are not equal; None: nothing.
    """

    value: float
    details: dict[str, Any] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True)
class Figure:
    """One figure of the benchmark.

    Attributes:
        name: in `bench.json`; its first letter is what `--only` takes.
        says: one line for people.
        bar: what is to be reached: at least, or `at_most`.
        measure: one run, with its number, from 0, as its seed.
        share: of the whole benchmark's time, roughly, for the time left.
    """

    name: str
    says: str
    bar: float
    measure: Callable[[Setup, int, Tell], Measurement]
    share: float = 1.0
    at_most: bool = False

    @property
    def letter(self) -> str:
        return self.name[0]

    def reached(self, value: float) -> bool:
        """Whether a value is on the right side of the bar; NaN never is."""
        return value <= self.bar if self.at_most else value >= self.bar


def summary(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """A figure over its runs, as `bench.json` holds it."""
    values = [measurement.value for measurement in measurements]
    # NumPy's: a run that has no value leaves the figure without one.
    return {
        "median": float(np.median(values)),
        "min": float(np.min(values)),
        "max": float(np.max(values)),
        "runs": values,
    }
