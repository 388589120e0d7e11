"""A case to look at: what the methods were given, what they made of it, and where they are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib.figure import Figure

from robself.array_files import ARCHIVE_ERRORS, open_npz
from robself.evaluation.report.results import BICUBIC, Results, Run
from robself.evaluation.report.table import number_text
from robself.evaluation.tasks import Setting
from robself.report.panels import Panel, Scale, Window, bulk, densest_window, panel_figure, size_text
from robself.report.pictures import DISPLAYS

METHODS_SHOWN = 4  # beside bicubic: what fits a line
OURS = ("robself_de", "robself_re")


class Picture(NamedTuple):
    """`figure` None and `left_out`: what could not be shown, and why, one line each."""

    case: str
    figure: Figure | None
    left_out: list[str]


class _Shown(NamedTuple):
    """sr: (H, W) float32. aligned_guide: (H, W, 3) uint8, of methods that tell it."""

    method: str
    run: Run
    sr: np.ndarray
    aligned_guide: np.ndarray | None


def case_picture(results: Results, case: str, setting: Setting) -> Picture:
    """Source, guide, truth and each main method's image, with errors on one scale, above an enlarged part."""
    left_out: list[str] = []
    inputs = _arrays(results.folder / "inputs" / f"{case}{setting.suffix}.npz", ("source", "guide"), left_out)
    if inputs is None:
        return Picture(case, None, left_out)
    shown: list[_Shown] = []
    for method in main_methods(results, setting):
        runs = results.of(method, setting, case)
        run = next((run for run in runs if run.prediction), None)
        if run is None:
            left_out.append(f"{method}: {_why_not(runs)}")
        elif (found := _arrays(results.folder / run.prediction, ("sr",), left_out)) is not None:
            shown.append(_Shown(method, run, found["sr"].astype(np.float32), found.get("aligned_guide")))
    if not shown:
        return Picture(case, None, [*left_out, "no prediction to show"])
    return Picture(case, _draw(inputs, shown), left_out)


def main_methods(results: Results, setting: Setting) -> list[str]:
    """Bicubic, RobSelf, and the best of the others by RMSE, as many as fit."""
    ran = [method for method in results.methods if results.of(method, setting)]
    means = {method: results.mean(method, setting, "rmse") for method in ran}
    by_rmse = sorted(ran, key=lambda method: mean.mean if (mean := means[method]) else np.inf)
    ours = [method for method in OURS if method in ran]
    others = [method for method in by_rmse if method not in (BICUBIC, *ours)]
    first = [BICUBIC] if BICUBIC in ran else []
    return [*first, *reversed(others[: METHODS_SHOWN - len(ours)]), *reversed(ours)]


def _draw(inputs: dict[str, np.ndarray], shown: list[_Shown]) -> Figure:
    truth = inputs.get("truth")
    size = shown[0].sr.shape
    scale = Scale(*bulk(shown[-1].sr if truth is None else truth), *_display(inputs))
    source = cv2.resize(
        inputs["source"].astype(np.float32), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT
    )
    guide = Panel(f"guide, {size_text(inputs['guide'])}", inputs["guide"])
    first: list[Panel | None] = [Panel(f"source, {size_text(inputs['source'])}", source, scale)]
    first += [Panel(item.method, item.sr, scale) for item in shown]
    if truth is None:
        return panel_figure([[*first, guide]], _disagreement(shown, source))
    errors = [np.abs(item.sr - truth) for item in shown]
    highest = max(bulk(error)[1] for error in errors)
    error_scale = Scale(0.0, highest, "inferno", f"absolute error{_unit(inputs)}")
    second: list[Panel | None] = [guide]
    second += [
        Panel(f"error of {item.method}{_rmse(item.run)}", error, error_scale)
        for item, error in zip(shown, errors, strict=True)
    ]
    aligned = [item for item in shown if item.aligned_guide is not None]
    last = Panel(f"guide aligned by {aligned[-1].method}", aligned[-1].aligned_guide) if aligned else None
    return panel_figure(
        [[*first, Panel("truth", truth, scale)], [*second, last]], _disagreement(shown, truth)
    )


def _display(inputs: dict[str, np.ndarray]) -> tuple[str, str]:
    """Colours of a case's values, and what these are."""
    modality = str(inputs.get("modality", "depth"))
    return DISPLAYS[modality].colours, f"{modality}{_unit(inputs)}"


def _unit(inputs: dict[str, np.ndarray]) -> str:
    unit = str(inputs.get("unit", ""))
    return f" ({unit})" if unit else ""


def _disagreement(shown: list[_Shown], other: np.ndarray) -> Window:
    """Where the methods differ the most; one by itself, from the other image."""
    images = np.stack([item.sr for item in shown] if len(shown) > 1 else [shown[0].sr, other])
    differing = np.nan_to_num(images.max(axis=0) - images.min(axis=0))  # nothing where one has a hole
    return densest_window(differing)


def _why_not(runs: list[Run]) -> str:
    if not runs:
        return "not run"
    return next((f"failed: {run.error}" for run in runs if run.error), "no prediction was kept")


def _rmse(run: Run) -> str:
    value = run.scores.get("rmse")
    return "" if value is None else f": RMSE {number_text(value)}"


def _arrays(path: Path, needed: tuple[str, ...], left_out: list[str]) -> dict[str, np.ndarray] | None:
    """A file's arrays; None, and said in `left_out`, where there is no such file or it is damaged."""
    try:
        with open_npz(path) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        left_out.append(f"{path.name}: there is no such file")
        return None
    except ARCHIVE_ERRORS as error:
        left_out.append(f"{path.name}: cannot be read: {error}")
        return None
    missing = [name for name in needed if name not in arrays]
    if missing:
        left_out.append(f"{path.name}: lacks {', '.join(missing)}")
        return None
    return arrays
