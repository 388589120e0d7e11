"""All figures, run after run, and what is kept of them: `bench.json`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from robself.bench.absolute import absolute_times
from robself.bench.clock import clock_name
from robself.bench.inputs import benched_case
from robself.bench.measurement import Figure, Measurement, Setup, Tell, summary
from robself.device import choose_device, compute_type
from robself.errors import ConfigError, EvaluationError, Interrupted, OutputError, RobSelfError
from robself.evaluation.machine import machine
from robself.file_writing import check_place, write_file
from robself.json_text import json_text
from robself.provenance import versions

FILE = "bench.json"


def chosen_figures(figures: Sequence[Figure], only: str | None) -> list[Figure]:
    """Those whose letters or names are asked for, comma between; None: all.

    Raises:
        ConfigError: one that there is not.
    """
    if only is None:
        return list(figures)
    wanted = [part.strip() for part in only.split(",") if part.strip()]
    known = {name for figure in figures for name in (figure.letter, figure.name)}
    if unknown := [part for part in wanted if part not in known]:
        raise ConfigError(f"only: {unknown[0]!r} is unknown, expected some of {', '.join(sorted(known))}")
    if not wanted:
        raise ConfigError(f"only: {only!r} names no figure, expected some of {', '.join(sorted(known))}")
    return [figure for figure in figures if {figure.letter, figure.name} & set(wanted)]


def run_benchmark(
    figures: Sequence[Figure],
    setup: Setup,
    runs: int,
    folder: Path,
    on_progress: Callable[[float, str], None] = lambda done, said: None,
) -> dict[str, Any]:
    """Measures every figure in each run, and writes `bench.json` into the folder, which is made if need be.

    It is written after each measurement: what ends a long benchmark loses no more than the one under way.

    Args:
        on_progress: called with how much of `total_share` is done, and what is being measured.

    Returns:
        What was written.

    Raises:
        ConfigError: a device this machine has not. InputError, DatasetError: a case that cannot be used.
        OutputError: a folder that cannot be written to. Interrupted: Ctrl-C; what was measured is kept.
    """
    device = choose_device(setup.device)
    benched_case(setup.case, setup.workload.crop)  # what is wrong with it is told before the long work
    output = _place(folder)
    threads_before = torch.get_num_threads()
    torch.set_num_threads(setup.threads)
    measured: dict[str, list[Measurement]] = {figure.name: [] for figure in figures}
    facts = _facts(setup, device)
    most, done, count = runs * len(figures), 0.0, 0

    def keep(absolute: dict[str, Any] | None) -> dict[str, Any]:
        report = {**_figures(figures, measured), "absolute": absolute, "measured": [count, most], **facts}
        write_file(output, json_text(report, indent=1).encode())
        return report

    try:
        for run in range(runs):
            for figure in figures:
                label = f"{figure.name}, run {run + 1} of {runs}"

                def tell(share: float, before: float = done, of: float = figure.share, said: str = label):
                    on_progress(before + of * share, said)

                tell(0)
                measured[figure.name].append(_measured(figure, setup, run, tell))
                count += 1
                done += figure.share
                keep(None)
        absolute = absolute_times(setup) if device.type == "cuda" else None
        on_progress(done, "done")
        return keep(absolute)
    except KeyboardInterrupt:
        kept = f"which {output} holds" if count else f"{output} was not written"
        raise Interrupted(f"interrupted after {count} of {most} measurements, {kept}") from None
    finally:
        torch.set_num_threads(threads_before)


def _figures(figures: Sequence[Figure], measured: dict[str, list[Measurement]]) -> dict[str, Any]:
    """Of the figures that have been measured at all."""
    begun = [figure for figure in figures if measured[figure.name]]
    return {
        "figures": {figure.name: summary(measured[figure.name]) for figure in begun},
        "details": {figure.name: _details(figure, measured[figure.name]) for figure in begun},
    }


def _facts(setup: Setup, device: torch.device) -> dict[str, Any]:
    return {
        "device": str(device),
        "dtype": str(compute_type(device)).removeprefix("torch."),
        "threads": setup.threads,
        "clock": clock_name(device, setup.threads),
        "case": setup.case,
        "workload": asdict(setup.workload),
        "machine": machine(),
        "versions": versions(),
    }


def total_share(figures: Sequence[Figure], runs: int) -> float:
    return runs * sum(figure.share for figure in figures)


def _measured(figure: Figure, setup: Setup, run: int, tell: Tell) -> Measurement:
    """A measurement that fails is void, and told at the end: hours of others are not lost with it."""
    try:
        return figure.measure(setup, run, tell)
    except Interrupted:
        raise
    except RobSelfError as error:
        return Measurement(math.nan, fault=str(error))


def _details(figure: Figure, measurements: Sequence[Measurement]) -> dict[str, Any]:
    faults = [measurement.fault for measurement in measurements if measurement.fault]
    return {
        "says": figure.says,
        "bar": figure.bar,
        "bar_is": "at most" if figure.at_most else "at least",
        "reached": not faults and figure.reached(summary(measurements)["median"]),
        "faults": faults,
        "runs": [measurement.details for measurement in measurements],
    }


def _place(folder: Path) -> Path:
    output = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"{folder}: is a file, expected a folder") from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
    check_place(output)
    return output


def complain_of_faults(report: dict[str, Any]) -> None:
    """Raises EvaluationError: figures that are void, in one line."""
    void = {name: details["faults"] for name, details in report["details"].items() if details["faults"]}
    if void:
        name, faults = next(iter(void.items()))
        raise EvaluationError(
            f"{len(void)} of {len(report['figures'])} figures are void, the first: {name}: {faults[0]}"
        )
