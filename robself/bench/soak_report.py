"""What a soak showed, for a terminal and as a picture."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from rich.table import Table

MEGABYTE = 10**6
ROWS = {
    "rss": ("resident memory (MB)", MEGABYTE),
    "anonymous": ("of it heap and stacks (MB)", MEGABYTE),
    "threads": ("threads", 1),
    "descriptors": ("file descriptors", 1),
    "shared_memory": ("its DDS shared-memory files", 1),
}


def soak_table(report: dict[str, Any]) -> Table:
    """A row a number with its mean in each quarter, and a row a check.

    Args:
        report: what `robself.bench.soak.soak` gave.
    """
    table = Table(title=f"{report['results']} of {report['pairs']} pairs in {report['seconds']:.0f} s")
    table.add_column("mean of each quarter")
    for quarter in ("1st", "2nd", "3rd", "4th"):
        table.add_column(quarter, justify="right")
    for name, (said, unit) in ROWS.items():
        table.add_row(said, *(f"{value / unit:.1f}" for value in report["quarters"][name]))
    table.add_section()
    for check, holds in report["checks"].items():
        table.add_row(check, "", "", "", "[green]yes[/]" if holds else "[bold red]no[/]")
    return table


def soak_figure(report: dict[str, Any]) -> Figure:
    """Memory, threads, descriptors and shared memory over the pairs sent."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    memory, counts = figure.subplots(2, 1, sharex=True)
    sent = [sample["sent"] for sample in report["samples"]]
    for name, (said, unit) in ROWS.items():
        axis = memory if unit == MEGABYTE else counts
        axis.plot(sent, [sample[name] / unit for sample in report["samples"]], label=said)
    for axis in (memory, counts):
        axis.set_ylim(0)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    counts.set_xlabel("pairs sent")
    return figure
