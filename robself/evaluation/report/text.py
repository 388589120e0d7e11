"""Results as `table.md`, and the sentences that both reports share."""

from __future__ import annotations

import html
import re
from pathlib import Path

from robself.evaluation.report.results import Results, Run, setting_text
from robself.evaluation.report.table import FAILED, HEADINGS, NOT_RUN, Table, case_table, score_table
from robself.evaluation.scores import SCORES

SCORES_CAPTION = (
    "Mean over the cases; ± is the standard deviation over the seeds of that mean, where there are several. "
    "Best in bold, second underlined, among the methods that have every case. RMSE / bicubic is the ratio of the "
    "means over the cases that both have. Seconds and iterations are a run's mean, peak memory is the highest. "
    "A fallback is a run whose method found nothing better than bicubic, which is then its estimate."
)
CASES_CAPTION = (
    f"Mean over the seeds, ± their standard deviation where there are several. “{FAILED}”: no run of it came to a "
    f"result; “{NOT_RUN}”: it was not tried."
)


def table_md(results: Results) -> str:
    """The whole of `table.md`."""
    parts = [f"# {plain_text(title(results))}", plain_text(overview(results))]
    for setting in results.settings:
        suffix = f": {setting_text(setting)}" if len(results.settings) > 1 else ""
        parts += [f"## Scores{suffix}", markdown(score_table(results, setting)), SCORES_CAPTION]
        parts += [f"## RMSE of each case{suffix}", markdown(case_table(results, setting)), CASES_CAPTION]
    if results.failures:
        lines = [f"- {plain_text(failure_text(run))}" for run in results.failures]
        parts += ["## Failed runs", "\n".join(lines)]
    meanings = [f"- {plain_text(name)}: {plain_text(meaning)}" for name, meaning in meanings_of(results)]
    parts += ["## What the scores mean", "\n".join(meanings)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def title(results: Results) -> str:
    dataset = results.config.get("dataset")
    return f"Evaluation on {Path(str(dataset)).name}" if dataset else "Evaluation"


def overview(results: Results) -> str:
    """How much was run, and how much of it failed."""
    ran = {run.method for run in results.runs}
    failed = len(results.failures)
    return (
        f"{_count(len(results.runs), 'run')}: {_count(len(ran), 'method')} on {_count(len(results.cases), 'case')}. "
        + (f"{failed} of the runs failed." if failed else "None failed.")
    )


def failure_text(run: Run) -> str:
    setting = f", {setting_text(run.setting)}" if run.setting.facts() else ""
    return f"{run.method} on {run.case}{setting}, seed {run.seed}: {run.error}"


def meanings_of(results: Results) -> list[tuple[str, str]]:
    """The name and the meaning of every score that a run has."""
    there = {name for run in results.runs for name, value in run.scores.items() if value is not None}
    return [(heading.text, SCORES[name]) for name, heading in HEADINGS.items() if name in there]


def markdown(table: Table) -> str:
    """The table in GitHub's Markdown; names cannot become markup."""
    marks = {0: "{}", 1: "**{}**", 2: "<u>{}</u>"}
    lines = [
        [plain_text(column) for column in table.columns],
        ["---", *("---:" for _ in table.columns[1:])],
        *([marks[cell.place].format(plain_text(cell.text)) for cell in row] for row in table.rows),
    ]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def plain_text(text: str) -> str:
    """Any text as one line of Markdown that shows it as it is."""
    line = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*\[\]|~#]|(?<!\w)_|_(?!\w))", r"\\\1", line)  # an underscore within a word is safe


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
