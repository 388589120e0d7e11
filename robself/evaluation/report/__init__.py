"""The evaluation's report, made from what the evaluation left in its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robself.evaluation.report import plots
from robself.evaluation.report.page import render
from robself.evaluation.report.pictures import case_picture
from robself.evaluation.report.results import Results
from robself.evaluation.report.text import table_md
from robself.file_writing import write_file
from robself.report.panels import png

__all__ = ["write_figures", "write_report"]


def write_report(folder: Path, *, pictures: int = 8) -> None:
    """Writes `table.md` and `report.html` into an evaluation's folder.

    Reads `metrics.json` and, for the pictures, `inputs/` and the predictions that were kept; what of them is
    missing is left out, and the page says so.

    Args:
        pictures: how many cases to show, spread over all.

    Raises:
        InputError: no `metrics.json`, or it holds something else. OutputError: a file that cannot be written.
    """
    results = Results.read(folder)
    write_file(folder / "table.md", table_md(results).encode())
    cases = results.cases
    shown = sorted(set(np.linspace(0, len(cases) - 1, min(pictures, len(cases))).round().astype(int)))
    drawn = (case_picture(results, cases[index], results.settings[0]) for index in shown)
    write_file(folder / "report.html", render(results, drawn).encode())


def write_figures(folder: Path) -> list[Path]:
    """Writes single charts as PNG into an evaluation's folder, for documentation: what there is data for.

    Returns:
        The files: `rmse.png`, `pareto.png` (RMSE against seconds), `robustness.png`.

    Raises:
        InputError, OutputError: see `write_report`.
    """
    results = Results.read(folder)
    first = results.settings[0]
    figures = {
        "rmse.png": plots.rmse_bars(results, first),
        "pareto.png": plots.rmse_against_seconds(results, first),
        "robustness.png": plots.robustness(results),
    }
    written = []
    for name, figure in figures.items():
        if figure is not None:
            write_file(folder / name, png(figure))
            written.append(folder / name)
    return written
