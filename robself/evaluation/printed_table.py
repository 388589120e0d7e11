"""The main columns of the score table, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table
from rich.text import Text

from robself.evaluation.report.results import Results, setting_text
from robself.evaluation.report.table import score_table

COLUMNS = ("method", "RMSE", "RMSE / bicubic", "NIQE", "seconds", "runs")
STYLES = {0: "", 1: "bold", 2: "underline"}


def printed_tables(folder: Path) -> Iterator[Table]:
    """One a setting, of the methods that were run.

    Raises:
        InputError: no `metrics.json` in the folder.
    """
    results = Results.read(folder)
    for setting in results.settings:
        scores = score_table(results, setting)
        shown = [index for index, column in enumerate(scores.columns) if column in COLUMNS]
        title = setting_text(setting) if len(results.settings) > 1 else None
        table = Table(title=title)
        for place, index in enumerate(shown):
            table.add_column(scores.columns[index], justify="right" if place else "left")
        for row in scores.rows:
            if results.of(row[0].text, setting):
                table.add_row(*(Text(row[index].text, style=STYLES[row[index].place]) for index in shown))
        yield table
