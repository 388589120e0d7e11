"""Thousands of small pairs through the node over DDS: what it holds must not grow, and nothing may stay behind.

    python benchmarks/soak.py                              # 20,000 pairs
    python benchmarks/soak.py --pairs 500 -o soak.json     # a short one

Prints a table, and writes every sample to the JSON file and a plot to a PNG beside it. Exit codes: 0 passed, 1 not
passed, 2 wrong input or a process that failed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from robself.bench.soak import soak
from robself.bench.soak_report import soak_figure, soak_table
from robself.errors import RobSelfError
from robself.file_writing import check_place, write_file
from robself.json_text import json_text
from robself.progress import bar


def main(
    pairs: Annotated[int, typer.Option(help="How many to send.")] = 20_000,
    minutes: Annotated[
        float | None, typer.Option(help="End sooner, after so many (none: do not).", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The JSON file.")] = Path("soak.json"),
) -> None:
    """Soak the node."""
    try:
        check_place(output)
        with bar("soaking", pairs) as update:
            report = soak(pairs, minutes, lambda sent: update(sent, f"{sent}/{pairs} pairs"))
        write_file(output, json_text(report).encode())
        soak_figure(report).savefig(output.with_suffix(".png"), dpi=100)
    except RobSelfError as error:
        print(f"soak: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    Console().print(soak_table(report))
    raise typer.Exit(0 if report["passed"] else 1)


if __name__ == "__main__":
    typer.run(main)
