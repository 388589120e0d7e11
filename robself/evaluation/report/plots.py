"""Results as charts: how far off, how long it takes, and what misalignment does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from robself.evaluation.report.results import BICUBIC, Results
from robself.evaluation.tasks import Setting
from robself.metrics import Spread, spread

FLOOR, PEER, OURS = "tab:orange", "0.6", "tab:blue"
PEER_LINES = ("tab:green", "tab:red", "tab:purple", "tab:brown", "tab:pink", "tab:olive")
OUR_LINES = ("deepskyblue", "tab:blue", "navy")
MARKERS = "osv^Dpx*"
RMSE = "RMSE, mean over the cases"
AXES = {
    "translation_px": "translation of the guide (px)",
    "rotation_degrees": "rotation of the guide (degrees)",
}


def rmse_bars(results: Results, setting: Setting) -> Figure | None:
    """The methods' mean RMSE, the best on top, with the deviation over seeds; None: no run has one."""
    means = sorted(_means(results, setting).items(), key=lambda item: -item[1].mean)
    if not means:
        return None
    names = [method for method, _ in means]
    figure = Figure(figsize=(8, 0.8 + 0.32 * len(means)), layout="constrained")
    axis = figure.subplots()
    axis.barh(
        names,
        [mean.mean for _, mean in means],
        xerr=[mean.std or np.nan for _, mean in means],
        color=[_colour(name) for name in names],
        ecolor="0.2",
        capsize=3,
    )
    # Not by bar_label, which in Ubuntu 22.04's matplotlib wants a deviation of every bar.
    for method, mean in means:
        end = (mean.mean + mean.std, method)
        axis.annotate(f"{mean.mean:.3g}", end, (5, 0), textcoords="offset points", va="center", fontsize=8)
    axis.margins(x=0.12)
    axis.set_xlabel(RMSE)
    _tidy(axis)
    axis.grid(visible=False, axis="y")
    return figure


def rmse_against_seconds(results: Results, setting: Setting) -> Figure | None:
    """One point a method: mean seconds a case, mean RMSE; None: no run has both."""
    points = []
    for method, mean in _means(results, setting).items():
        seconds = spread(run.seconds for run in results.of(method, setting)).mean
        if seconds > 0:  # not NaN
            points.append((method, seconds, mean.mean))
    if not points:
        return None
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axis = figure.subplots()
    for method, seconds, mean in points:
        axis.plot(seconds, mean, "o", color=_colour(method), markersize=7)
    axis.set_xscale("log")
    axis.margins(x=0.25, y=0.1)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("seconds a case, mean")
    axis.set_ylabel(RMSE)
    _tidy(axis)
    _label(axis, points)
    return figure


def robustness(results: Results) -> Figure | None:
    """RMSE against how far the guide was moved, and how far it was rotated; None: neither varies."""
    curves = {name: _curves(results, name) for name in AXES}
    curves = {name: of_method for name, of_method in curves.items() if of_method}
    if not curves:
        return None
    figure = Figure(figsize=(5.2 * len(curves) + 1.8, 4.2), layout="constrained")
    axes = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    styles, handles = _line_styles(results.methods), {}
    for axis, (name, of_method) in zip(axes, curves.items(), strict=True):
        for method, curve in of_method.items():
            values, means, deviations = (np.array(column) for column in zip(*curve, strict=True))
            (handles[method],) = axis.plot(values, means, **styles[method])
            band = (means - deviations, means + deviations)
            axis.fill_between(values, *band, color=styles[method]["color"], alpha=0.2, linewidth=0)
        axis.set_xlabel(AXES[name])
        axis.set_ylim(bottom=0)
        _tidy(axis)
    axes[0].set_ylabel(RMSE)
    # Not by "outside right upper", which is not in Ubuntu 24.04's matplotlib yet.
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    axes[-1].legend(handles.values(), handles, **beside, fontsize=9, frameon=False)
    return figure


def _means(results: Results, setting: Setting) -> dict[str, Spread]:
    """The mean RMSE of the methods that have every case: without the hard ones, it compares to nothing."""
    complete = [method for method in results.methods if results.competes(method, setting, "rmse")]
    means = {method: results.mean(method, setting, "rmse") for method in complete}
    return {method: mean for method, mean in means.items() if mean is not None}


def _curves(results: Results, name: str) -> dict[str, list[tuple[float, float, float]]]:
    """By method: value, mean RMSE and its deviation; empty where there are no two values."""
    settings = _settings_along(results, name)
    curves: dict[str, list[tuple[float, float, float]]] = {}
    for value, setting in settings.items() if len(settings) > 1 else ():
        for method, mean in _means(results, setting).items():
            curves.setdefault(method, []).append((value, mean.mean, mean.std))
    return curves


def _settings_along(results: Results, name: str) -> dict[float, Setting]:
    """The settings in which this alone was chosen, by its value; others may be chosen as 0."""
    found = {}
    for setting in results.settings:
        chosen = setting.facts()
        value = chosen.pop(name, None)
        if value is not None and not any(chosen.values()):
            found[value] = setting
    return dict(sorted(found.items()))


def _is_ours(method: str) -> bool:
    return method.lower().startswith("robself")


def _colour(method: str) -> str:
    return OURS if _is_ours(method) else FLOOR if method == BICUBIC else PEER


def _line_styles(methods: Sequence[str]) -> dict[str, dict[str, object]]:
    """A colour and a marker for each method, this project's in blues and thicker."""
    styles: dict[str, dict[str, object]] = {}
    ours, peers = cycle(OUR_LINES), cycle(PEER_LINES)
    for method, marker in zip(methods, cycle(MARKERS), strict=False):
        colour = next(ours) if _is_ours(method) else FLOOR if method == BICUBIC else next(peers)
        styles[method] = {"color": colour, "marker": marker, "linewidth": 2.2 if _is_ours(method) else 1.3}
    return styles


def _label(axis: Axes, points: list[tuple[str, float, float]]) -> None:
    """Names beside their points, each moved down until it covers none of those above it."""
    axis.figure.draw_without_rendering()
    placed: list[Bbox] = []
    for method, seconds, mean in sorted(points, key=lambda point: -point[2]):
        at, below = (seconds, mean), 0
        text = axis.annotate(method, at, (8, 0), textcoords="offset points", va="center", fontsize=9)
        while any(text.get_window_extent().overlaps(other) for other in placed):
            below += 1
            text.set_position((8, -below))
        placed.append(text.get_window_extent())
        if below > 4:
            line = {"arrowstyle": "-", "color": "0.7"}
            axis.annotate("", at, (8, -below), textcoords="offset points", arrowprops=line)


def _tidy(axis: Axes) -> None:
    axis.grid(alpha=0.3)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
