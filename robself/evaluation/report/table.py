"""Results as tables, as papers print them: the best in bold, the second underlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from robself.evaluation.report.results import Results, Run
from robself.evaluation.tasks import Setting
from robself.methods import METHODS
from robself.metrics import Spread, spread

MEBI = 2**20
# The paper's other peers, whose code and weights are elsewhere: their predictions can be scored.
ELSEWHERE = ("CMSR", "SSGNet", "DCTNet", "SGNet", "C2PD", "DCNAS", "DORNet")
NOT_RUN, FAILED, NOTHING = "not run", "failed", "-"


class Heading(NamedTuple):
    """Of a score's column; `better`: -1 if less is better, 1 if more is."""

    text: str
    better: int


HEADINGS = {
    "rmse": Heading("RMSE", -1),
    "mae": Heading("MAE", -1),
    "edge_rmse": Heading("edge RMSE", -1),
    "delta1": Heading("δ < 1.25", 1),
    "consistency": Heading("consistency", -1),
    "niqe": Heading("NIQE", -1),
    "missing": Heading("missing", -1),
}
RATIO = Heading("RMSE / bicubic", -1)
COSTS = ("seconds", "iterations", "peak memory (MiB)", "runs")


class Cell(NamedTuple):
    """`place`: 1 the best of its kind, 2 the second, 0 neither."""

    text: str
    place: int = 0


class Table(NamedTuple):
    """Cells by row; the first of a row is its name."""

    columns: tuple[str, ...]
    rows: list[list[Cell]]


def score_table(results: Results, setting: Setting) -> Table:
    """Rows: methods, those that were not run last. Columns: scores that a run has, and what they cost."""
    methods = all_methods(results)
    scores = [
        (name, heading)
        for name, heading in HEADINGS.items()
        if any(results.mean(method, setting, name) for method in methods)
    ]
    columns: dict[str, list[Cell]] = {}
    for name, heading in scores:
        means = [results.mean(method, setting, name) for method in methods]
        competing = [results.competes(method, setting, name) for method in methods]
        seeds = [results.seeds(method, setting) for method in methods]
        columns[heading.text] = _cells(means, seeds, competing, heading.better)
        if name == "rmse":
            ratios = [results.ratio(method, setting) for method in methods]
            columns[RATIO.text] = _cells(ratios, seeds, competing, RATIO.better)
    rows = []
    for index, method in enumerate(methods):
        runs = results.of(method, setting)
        cells = [column[index] for column in columns.values()] + _costs(runs)
        if not any(run.error is None for run in runs):  # said in the first column
            cells = [Cell(FAILED if runs else NOT_RUN), *(Cell("") for _ in cells[1:-1]), cells[-1]]
        rows.append([Cell(method), *cells])
    return Table(("method", *columns, *COSTS), rows)


def case_table(results: Results, setting: Setting) -> Table:
    """RMSE. Rows: cases, then the groups if there are several. Columns: methods that were run."""
    methods = [method for method in results.methods if results.of(method, setting)]
    better = HEADINGS["rmse"].better
    rows = []
    for case in results.cases:
        of_case = [results.of(method, setting, case) for method in methods]
        means = [_over_seeds(runs) for runs in of_case]
        places = ranked([mean and mean.mean for mean in means], better)
        texts = [
            spread_text(mean, len(runs)) if mean else _absence(runs)
            for mean, runs in zip(means, of_case, strict=True)
        ]
        rows.append([Cell(case), *map(Cell, texts, places)])
    groups = sorted(set(results.groups.values()))
    seeds = [results.seeds(method, setting) for method in methods]
    competing = [results.competes(method, setting, "rmse") for method in methods]
    for group in groups if len(groups) > 1 else []:
        cases = [case for case, its_group in results.groups.items() if its_group == group]
        means = [results.mean(method, setting, "rmse", cases) for method in methods]
        rows.append([Cell(f"mean of {group or 'the others'}"), *_cells(means, seeds, competing, better)])
    return Table(("case", *methods), rows)


def all_methods(results: Results) -> list[str]:
    """Those that were asked for, then those that could have been: of this package, and of the paper."""
    known = {method.lower() for method in results.methods}
    others = [method for method in (*METHODS, *ELSEWHERE) if method.lower() not in known]
    ran = {run.method for run in results.runs}
    return sorted([*results.methods, *others], key=lambda method: method not in ran)


def ranked(values: Sequence[float | None], better: int) -> list[int]:
    """1 for the best of the values, 2 for the second, 0 for others and None; equals share a place."""
    order = sorted({value for value in values if value is not None}, reverse=better > 0)
    if len(order) < 2:  # nobody is better than another
        return [0] * len(values)
    best = {value: place for place, value in enumerate(order[:2], 1)}
    return [0 if value is None else best.get(value, 0) for value in values]


def spread_text(value: Spread, of: int) -> str:
    """Four digits, with the deviation where it is over several."""
    mean = number_text(value.mean)
    return f"{mean} ± {value.std:.2g}" if of > 1 else mean


def number_text(value: float) -> str:
    """Four digits, so that a column's numbers have one form; but 0 as it is."""
    return f"{value:#.4g}".rstrip(".") if value else "0"


def _cells(means: list[Spread | None], seeds: list[int], competing: list[bool], better: int) -> list[Cell]:
    """One score of every method."""
    places = ranked(
        [mean.mean if mean and competes else None for mean, competes in zip(means, competing, strict=True)],
        better,
    )
    texts = [spread_text(mean, of) if mean else NOTHING for mean, of in zip(means, seeds, strict=True)]
    return list(map(Cell, texts, places))


def _costs(runs: list[Run]) -> list[Cell]:
    seconds = spread(run.seconds for run in runs).mean
    iterations = spread(run.iterations for run in runs).mean
    memory = max((run.peak_memory_bytes for run in runs if run.peak_memory_bytes is not None), default=None)
    done = sum(run.error is None for run in runs)
    fallbacks = sum(run.fallback for run in runs)
    return [
        Cell(NOTHING if seconds != seconds else f"{seconds:.3g}"),
        Cell(NOTHING if iterations != iterations else f"{iterations:.0f}"),
        Cell(NOTHING if memory is None else f"{memory / MEBI:.0f}"),
        Cell(
            (str(done) if done == len(runs) else f"{done} of {len(runs)}")
            + (f" ({fallbacks} fallback)" if fallbacks else "")
        ),
    ]


def _over_seeds(runs: list[Run]) -> Spread | None:
    values = [run.scores["rmse"] for run in runs if run.scores.get("rmse") is not None]
    return spread(values) if values else None


def _absence(runs: list[Run]) -> str:
    if not runs:
        return NOT_RUN
    return FAILED if any(run.error is not None for run in runs) else NOTHING
