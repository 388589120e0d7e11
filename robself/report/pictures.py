"""A frame to look at: what went in, what came out, what was there, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.figure import Figure

from robself.config import Modality
from robself.metrics import errors_of
from robself.report.frames import Frame
from robself.report.panels import Panel, Scale, Window, bulk, densest_window, panel_figure, size_text
from robself.upsampling import fill_holes


@dataclass(frozen=True)
class Display:
    """How a modality's values are shown; its errors in `error_unit`, which is 1 / `error_factor` units."""

    colours: str
    values: str
    error_unit: str
    error_factor: float


DISPLAYS: dict[Modality, Display] = {
    "depth": Display("turbo", "depth (m)", "mm", 1000.0),
    "nir": Display("gray", "intensity (counts)", "counts", 1.0),
}


def inspection_figure(frame: Frame, modality: Modality) -> Figure:
    """All there is to see of a frame: images and, with a truth, errors of bicubic and SR on one scale."""
    source, guide, enlarged, sr, *truth = _panels(frame, modality)
    if frame.truth is None:
        return panel_figure([[source, guide, enlarged, sr]], _busiest(frame))
    errors = _error_panels(frame, modality)
    return panel_figure([[source, enlarged, sr, *truth], [guide, *errors, None]], _busiest(frame))


def comparison_figure(frame: Frame, modality: Modality) -> Figure:
    """Source, guide, bicubic, SR and, if there is one, the truth side by side, above their crop."""
    return panel_figure([_panels(frame, modality)], _busiest(frame))


def _panels(frame: Frame, modality: Modality) -> list[Panel | None]:
    display, size = DISPLAYS[modality], frame.sr.shape
    reference = frame.sr if frame.truth is None else frame.truth
    scale = Scale(*bulk(reference), display.colours, display.values)
    source = cv2.resize(frame.source, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    guide = frame.aligned_guide
    panels = [
        Panel(f"source, {size_text(frame.source)}", source, scale),
        None if guide is None else Panel("guide, aligned", guide),
        Panel(f"bicubic, {size_text(frame.sr)}", frame.bicubic, scale),
        Panel(f"RobSelf, {size_text(frame.sr)}", frame.sr, scale),
    ]
    return panels if frame.truth is None else [*panels, Panel("truth", frame.truth, scale)]


def _error_panels(frame: Frame, modality: Modality) -> list[Panel]:
    display = DISPLAYS[modality]
    estimates = {"bicubic": frame.bicubic, "RobSelf": frame.sr}
    errors = {
        name: display.error_factor * np.where(frame.judged, np.abs(estimate - frame.truth), np.nan)
        for name, estimate in estimates.items()
    }
    scale = Scale(0.0, bulk(errors["bicubic"])[1], "inferno", f"absolute error ({display.error_unit})")
    rmse = {
        name: display.error_factor * errors_of(estimate, frame.truth, frame.judged).rmse
        for name, estimate in estimates.items()
    }
    return [
        Panel(f"error of {name}: RMSE {rmse[name]:.3g} {display.error_unit}", image, scale)
        for name, image in errors.items()
    ]


def _busiest(frame: Frame) -> Window:
    """The window with the most edges: of the truth where there is one, else of the enlarged source."""
    image = frame.bicubic if frame.truth is None else frame.truth
    valid = np.isfinite(image)
    filled = fill_holes(image.astype(np.float32), valid) if valid.any() else np.zeros_like(image)
    edges = np.abs(cv2.Laplacian(filled, cv2.CV_32F, ksize=3)) * valid  # a slope is no edge
    return densest_window(edges)
