"""The figures for a terminal, beside what is to be reached."""

from __future__ import annotations

import math
from typing import Any

from rich.table import Table
from rich.text import Text

STYLES = {"yes": "green", "no": "red", "void": "bold red"}


def printed_table(report: dict[str, Any]) -> Table:
    """A row a figure: median, spread, bar, and whether it is reached."""
    threads = "1 thread" if report["threads"] == 1 else f"{report['threads']} threads"
    table = Table(title=f"{report['device']}, {report['dtype']}, {threads}, {report['clock']}")
    for name in ("figure", "", "median", "min … max", "runs", "bar", "reached"):
        table.add_column(name, justify="left" if name in ("figure", "") else "right")
    for name, figure in report["figures"].items():
        details = report["details"][name]
        reached = "void" if details["faults"] else "yes" if details["reached"] else "no"
        table.add_row(
            name,
            details["says"],
            _number(figure["median"]),
            f"{_number(figure['min'])} … {_number(figure['max'])}",
            str(len(figure["runs"])),
            f"{details['bar_is']} {details['bar']:g}",
            Text(reached, style=STYLES[reached]),
        )
    return table


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"
