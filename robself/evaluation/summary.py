"""What the runs say together, method by method."""

from __future__ import annotations

from typing import Any

from robself.evaluation.report.results import Results
from robself.evaluation.tasks import Setting


def summarise(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Of every method, an entry a setting.

    Each has "setting", "scores" {name: {"mean", "std"}}: mean over the cases, then mean and deviation over the
    seeds; "ratio_to_bicubic" {"mean", "std"} or None: of the mean RMSE to bicubic's on the same cases;
    "seeds", "runs", "failed".
    """
    return {
        method: [_entry(results, method, setting) for setting in results.settings]
        for method in results.methods
    }


def _entry(results: Results, method: str, setting: Setting) -> dict[str, Any]:
    runs = results.of(method, setting)
    names = dict.fromkeys(name for run in runs for name in run.scores)
    means = {name: results.mean(method, setting, name) for name in names}
    ratio = results.ratio(method, setting)
    return {
        "setting": setting.facts(),
        "scores": {name: mean._asdict() for name, mean in means.items() if mean},
        "ratio_to_bicubic": ratio and ratio._asdict(),
        "seeds": results.seeds(method, setting),
        "runs": len(runs),
        "failed": sum(run.error is not None for run in runs),
    }
