"""Images in rows, each above an enlarged part of it, with colour bars."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

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


def panel_figure(rows: list[list[Panel | None]], window: Window) -> Figure:
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


def densest_window(weights: np.ndarray) -> Window:
    """The window, `CROP_SHARE` of the image's height and width, that holds the most. (H, W), not negative."""
    # One tall step shall not outweigh many small ones.
    weights = np.minimum(weights, 10 * weights.mean())
    height, width = (max(1, round(CROP_SHARE * size)) for size in weights.shape)
    sums = cv2.integral(weights)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    row, column = np.unravel_index(np.argmax(inside), inside.shape)
    return slice(int(row), int(row) + height), slice(int(column), int(column) + width)


def bulk(values: np.ndarray) -> tuple[float, float]:
    """Where the bulk of the values lies, never empty."""
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
    return float(low), float(high if high > low else low + 1)


def size_text(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


def png(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def svg(figure: Figure) -> bytes:
    """A figure as an SVG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    return buffer.getvalue()


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
