"""The figures for a terminal, beside what is to be reached."""

from __future__ import annotations

import math
from typing import Any

from rich.table import Table
from rich.text import Text

STYLES = {"yes": "green", "no": "red", "void": "bold red"}


def printed_table(report: dict[str, Any]) -> Table:
    """A row a figure: median, spread, bar, and whether it is reached."""
    runs = max(len(figure["runs"]) for figure in report["figures"].values())
    setting = (report["device"], report["dtype"], _many(report["threads"], "thread"), report["clock"])
    table = Table(title=f"{', '.join(setting)}, {_many(runs, 'run')}")
    table.add_column("figure", no_wrap=True)
    table.add_column("")
    for name in ("median", "min … max", "bar", "reached"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, figure in report["figures"].items():
        details = report["details"][name]
        reached = "void" if details["faults"] else "yes" if details["reached"] else "no"
        table.add_row(
            name,
            details["says"],
            _number(figure["median"]),
            f"{_number(figure['min'])} … {_number(figure['max'])}",
            f"{'≤' if details['bar_is'] == 'at most' else '≥'} {details['bar']:g}",
            Text(reached, style=STYLES[reached]),
        )
    return table


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"
