"""Results as `report.html`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from matplotlib.figure import Figure

from robself.evaluation.report import plots
from robself.evaluation.report.pictures import METHODS_SHOWN, Picture
from robself.evaluation.report.results import Results, setting_text
from robself.evaluation.report.table import case_table, score_table
from robself.evaluation.report.text import (
    CASES_CAPTION,
    SCORES_CAPTION,
    failure_text,
    meanings_of,
    overview,
    title,
)
from robself.report.document import data_uri, html
from robself.report.panels import png, svg


def render(results: Results, pictures: Iterable[Picture]) -> str:
    """The page. The pictures are drawn one after the other, so that one at a time is held."""
    first = results.settings[0]
    return html(
        "evaluation.html",
        {},
        title=title(results),
        overview=overview(results),
        settings=[
            (setting_text(setting), score_table(results, setting), case_table(results, setting))
            for setting in results.settings
        ],
        scores_caption=SCORES_CAPTION,
        cases_caption=CASES_CAPTION,
        meanings=meanings_of(results),
        failures=[failure_text(run) for run in results.failures],
        bars=_chart(plots.rmse_bars, results, first),
        pareto=_chart(plots.rmse_against_seconds, results, first),
        robustness=_chart(plots.robustness, results),
        pictures=[
            (picture.case, picture.figure and data_uri("image/png", png(picture.figure)), picture.left_out)
            for picture in pictures
        ],
        cases=len(results.cases),
        shown=METHODS_SHOWN,
        facts=[
            (what, list(_flat(facts)))
            for what, facts in (
                ("Settings", results.config),
                *(("Dataset", facts) for facts in results.datasets),
                ("Versions", results.versions),
                ("Machine", results.machine),
            )
        ],
    )


def _chart(draw: Callable[..., Figure | None], *of: Any) -> str | None:
    figure = draw(*of)
    return figure and data_uri("image/svg+xml", svg(figure))


def _flat(facts: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Nested settings by dotted name, lists in one line."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield prefix + name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
