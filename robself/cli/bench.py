"""`robself bench`: what this implementation costs, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from robself.cli import options


def bench(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for bench.json.")] = Path("bench"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Small inputs: minutes instead of hours on a CPU.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option(
            help="Letters or names of figures, comma between (none: all).",
            metavar="a,b,...",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Of every figure, each with a seed of its own.")] = 3,
    case: Annotated[
        Path | None,
        typer.Option(
            help="An .npz of lr, guide and gt for a, b, d and f (none: the rendered scene).",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of torch, on the CPU.")] = 1,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Measure speed and memory against the paper's equations written out.

    Every figure is a ratio of two sides that are measured side by side in
    one process, or an exponent fitted to such times: docs/speed.md. On a
    GPU, seconds are told, too. The code is 2 if a figure is void, as when
    the two outputs that must be equal are not.

    Examples:

      robself bench --quick

      robself bench --quick --only a,d --runs 5

      robself bench --case pair.npz --threads 2 -o bench_pair
    """
    from robself.bench.benchmark import chosen_figures, complain_of_faults, run_benchmark, total_share
    from robself.bench.figures import FIGURES
    from robself.bench.measurement import Setup
    from robself.bench.workload import FULL, QUICK
    from robself.progress import bar

    figures = chosen_figures(FIGURES, only)
    setup = Setup(QUICK if quick else FULL, device, threads, case)
    with bar("measuring", total_share(figures, runs)) as update:
        report = run_benchmark(figures, setup, runs, output, update)
    _tell(json, output, report)
    complain_of_faults(report)


def _tell(json: bool, output: Path, report: dict[str, Any]) -> None:
    from robself.bench.absolute import HEADING, markdown_row
    from robself.bench.benchmark import FILE
    from robself.json_text import json_text

    file = (output / FILE).resolve()
    if json:
        print(json_text({"file": file, "figures": report["figures"], "absolute": report["absolute"]}))
        return
    from rich.console import Console

    from robself.bench.printed import printed_table

    Console().print(printed_table(report))
    if report["absolute"]:
        print(f"{HEADING}\n{markdown_row(report['absolute'])}")
    print(f"figures and details: {file}")
