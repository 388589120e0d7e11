"""A frame to look at: what went in, what came out, what was there, and where they differ."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from robself.config import Modality
from robself.metrics import errors_of
from robself.report.frames import Frame
from robself.upsampling import fill_holes

DPI = 120
PANEL_WIDTH = 3.2  # inches
CROP_SHARE = 0.3  # of height and width
HOLE = "0.25"  # grey
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Scale:
    """Values to colours."""

    low: float
    high: float
    colours: str
    label: str


@dataclass(frozen=True, eq=False)
class Panel:
    """One image and what it is; `scale` None for RGB."""

    title: str
    image: np.ndarray
    scale: Scale | None = None


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
        return _figure([[source, guide, enlarged, sr]], _busiest(frame))
    errors = _error_panels(frame, modality)
    return _figure([[source, enlarged, sr, *truth], [guide, *errors, None]], _busiest(frame))


def comparison_figure(frame: Frame, modality: Modality) -> Figure:
    """Source, guide, bicubic, SR and, if there is one, the truth side by side, above their crop."""
    return _figure([_panels(frame, modality)], _busiest(frame))


def png(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def _panels(frame: Frame, modality: Modality) -> list[Panel | None]:
    display, size = DISPLAYS[modality], frame.sr.shape
    reference = frame.sr if frame.truth is None else frame.truth
    scale = Scale(*_range(reference), display.colours, display.values)
    source = cv2.resize(frame.source, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    guide = frame.aligned_guide
    panels = [
        Panel(f"source, {_size(frame.source)}", source, scale),
        None if guide is None else Panel("guide, aligned", guide),
        Panel(f"bicubic, {_size(frame.sr)}", frame.bicubic, scale),
        Panel(f"RobSelf, {_size(frame.sr)}", frame.sr, scale),
    ]
    return panels if frame.truth is None else [*panels, Panel("truth", frame.truth, scale)]


def _error_panels(frame: Frame, modality: Modality) -> list[Panel]:
    display = DISPLAYS[modality]
    estimates = {"bicubic": frame.bicubic, "RobSelf": frame.sr}
    errors = {
        name: display.error_factor * np.where(frame.judged, np.abs(estimate - frame.truth), np.nan)
        for name, estimate in estimates.items()
    }
    scale = Scale(0.0, _range(errors["bicubic"])[1], "inferno", f"absolute error ({display.error_unit})")
    rmse = {
        name: display.error_factor * errors_of(estimate, frame.truth, frame.judged).rmse
        for name, estimate in estimates.items()
    }
    return [
        Panel(f"error of {name}: RMSE {rmse[name]:.3g} {display.error_unit}", image, scale)
        for name, image in errors.items()
    ]


def _figure(rows: list[list[Panel | None]], window: Window) -> Figure:
    """The rows of panels, then each row's window enlarged; a colour bar beside every row."""
    height, width = next(panel for panel in rows[0] if panel).image.shape[:2]
    columns, count = len(rows[0]), 2 * len(rows)
    row_height = PANEL_WIDTH * height / width + 0.25
    figure = Figure(figsize=(PANEL_WIDTH * columns + 0.8, row_height * count), layout="constrained")
    axes = figure.subplots(count, columns, squeeze=False)
    for index, panels in enumerate(rows):
        for axis, crop_axis, panel in zip(axes[index], axes[len(rows) + index], panels, strict=True):
            _draw(axis, panel, None)
            _draw(crop_axis, panel, window)
            if panel:
                axis.add_patch(_outline(window))
        for row in (axes[index], axes[len(rows) + index]):
            _colour_bar(figure, list(row), next(panel.scale for panel in panels if panel and panel.scale))
    return figure


def _draw(axis: Axes, panel: Panel | None, window: Window | None) -> None:
    axis.set_axis_off()
    if panel is None:
        return
    image, scale = panel.image[window] if window else panel.image, panel.scale
    if window is None:
        axis.set_title(panel.title, fontsize=10)
    if scale is None:
        axis.imshow(image, interpolation="nearest")
        return
    axis.set_facecolor(HOLE)
    axis.imshow(image, cmap=scale.colours, norm=Normalize(scale.low, scale.high), interpolation="nearest")
    axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, color=HOLE, zorder=-1))


def _colour_bar(figure: Figure, axes: list[Axes], scale: Scale) -> None:
    from matplotlib.cm import ScalarMappable

    mappable = ScalarMappable(Normalize(scale.low, scale.high), scale.colours)
    bar = figure.colorbar(mappable, ax=axes, pad=0.01, aspect=25, extend="both" if scale.low else "max")
    bar.set_label(scale.label, fontsize=9)
    bar.ax.tick_params(labelsize=8)


def _outline(window: Window) -> Rectangle:
    rows, columns = window
    return Rectangle(
        (columns.start - 0.5, rows.start - 0.5),
        columns.stop - columns.start,
        rows.stop - rows.start,
        fill=False,
        color="white",
        linewidth=1.2,
    )


def _busiest(frame: Frame) -> Window:
    """The window with the most edges: of the truth where there is one, else of the enlarged source."""
    image = frame.bicubic if frame.truth is None else frame.truth
    valid = np.isfinite(image)
    filled = fill_holes(image.astype(np.float32), valid) if valid.any() else np.zeros_like(image)
    edges = np.abs(cv2.Laplacian(filled, cv2.CV_32F, ksize=3)) * valid  # a slope is no edge
    # One tall step shall not outweigh many small ones.
    edges = np.minimum(edges, 10 * edges.mean())
    height, width = (max(1, round(CROP_SHARE * size)) for size in image.shape)
    sums = cv2.integral(edges)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    row, column = np.unravel_index(np.argmax(inside), inside.shape)
    return slice(int(row), int(row) + height), slice(int(column), int(column) + width)


def _range(values: np.ndarray) -> tuple[float, float]:
    """Where the bulk of the values lies, never empty."""
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
    return float(low), float(high if high > low else low + 1)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
