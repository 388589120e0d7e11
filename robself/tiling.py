"""Images too large for the memory, in overlapping tiles: one prediction without seams, one tile at a time.

What a tile's forward pass leaves for its backward pass is forgotten and computed again when it is needed
(gradient checkpointing), so that memory is bounded by one tile's, at the price of a second forward pass. Losses
see the blended image, so that f_down of Eq. 1 never meets a border of a tile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch.utils.checkpoint import checkpoint

from robself.config import ModelConfig
from robself.errors import ConfigError
from robself.network import Prediction, RobSelf
from robself.network.reference_filter import ReferenceFilter, importance_map

MIB = 2**20
FEATHER = 32  # px over which one tile gives way to the next
REACH = 12  # px: displacements and the convolutions around the estimator
SHARE = 0.7  # of the free memory, where no limit is given
# Bytes a pixel of the whole image at all resolutions, its refinement and the images that a user gets.
WHOLE_IMAGE = 400


class Span(NamedTuple):
    """One tile along one axis, in px; its weights sum to one with the other tiles'. Shape: (stop - start,)."""

    start: int
    stop: int
    weight: torch.Tensor


@dataclass(frozen=True)
class Tiling:
    """How an image is cut. The tiles begin where the estimator's coarsest pixels do."""

    size: tuple[int, int]
    tile: tuple[int, int]
    levels: int
    context: int

    def __len__(self) -> int:
        return math.prod(len(self._spans(axis, torch.device("cpu"))) for axis in (0, 1))

    def windows(self, device: torch.device) -> Iterator[tuple[slice, slice, torch.Tensor]]:
        """Rows, columns and weights of every tile. Weights: (rows, columns), on the device."""
        for rows in self._spans(0, device):
            for columns in self._spans(1, device):
                yield (
                    slice(rows.start, rows.stop),
                    slice(columns.start, columns.stop),
                    rows.weight[:, None] * columns.weight,
                )

    def _spans(self, axis: int, device: torch.device) -> tuple[Span, ...]:
        return spans(self.size[axis], self.tile[axis], 2**self.levels, self.context, device)


@lru_cache(maxsize=32)
def spans(size: int, extent: int, multiple: int, context: int, device: torch.device) -> tuple[Span, ...]:
    """Tiles of `extent` px along an axis of `size` px, beginning at multiples of `multiple`.

    A tile has no weight over its outer `context` pixels, unless the image ends there.
    """
    last = -(-max(0, size - extent) // multiple) * multiple
    step = (extent - 2 * context - FEATHER) // multiple * multiple
    starts = [*range(0, last, step), last] if last else [0]
    weights = torch.zeros(len(starts), size, dtype=torch.float64)
    for weight, start in zip(weights, starts, strict=True):
        stop = min(start + extent, size)
        inside = torch.arange(start, stop) + 0.5
        left = inside - start if start else torch.full_like(inside, math.inf)
        right = stop - inside if stop < size else torch.full_like(inside, math.inf)
        weight[start:stop] = ((torch.minimum(left, right) - context) / FEATHER).clamp(0, 1)
    weights = (weights / weights.sum(0)).float().to(device)
    return tuple(
        Span(start, min(start + extent, size), weight[start : start + extent])
        for weight, start in zip(weights, starts, strict=True)
    )


def predict_by_tiles(
    network: RobSelf,
    tiling: Tiling,
    source: torch.Tensor,
    guide: torch.Tensor,
    displacement_scale: float,
    dtype: torch.dtype,
    translate: bool = True,
) -> Prediction:
    """What the network predicts of the whole image, up to what a tile cannot see of it. Shapes: see `RobSelf`."""
    windows = list(tiling.windows(source.device))
    mean = _mean_importance(network, windows, source, dtype)

    def run(source: torch.Tensor, guide: torch.Tensor) -> Prediction:
        if mean is None:
            return network(source, guide, displacement_scale, dtype, translate)
        network.filter.mean_importance = mean
        try:
            return network(source, guide, displacement_scale, dtype, translate)
        finally:
            network.filter.mean_importance = None

    blended: list[torch.Tensor | None] = []
    for rows, columns, weight in windows:
        inputs = source[..., rows, columns], guide[..., rows, columns]
        tile = checkpoint(run, *inputs, use_reentrant=False, preserve_rng_state=False)
        blended = blended or [
            image if image is None else image.new_zeros((*image.shape[:2], *tiling.size)) for image in tile
        ]
        for whole, image in zip(blended, tile, strict=True):
            if image is not None:
                whole[..., rows, columns] += image * weight
    return Prediction(*blended)


@torch.no_grad()
def _mean_importance(
    network: RobSelf,
    windows: list[tuple[slice, slice, torch.Tensor]],
    source: torch.Tensor,
    dtype: torch.dtype,
) -> torch.Tensor | None:
    """E[M_imp] of Eq. 4 over the whole image, (1,); None where the filter has no threshold."""
    if not isinstance(network.filter, ReferenceFilter) or not network.filter.thresholds:
        return None
    total = source.new_zeros(1)
    for rows, columns, weight in windows:
        importance = importance_map(network.extract_source(source[..., rows, columns].to(dtype)))
        total += (importance * weight).sum()
    return total / source[0, 0].numel()


def bytes_per_pixel(model: ModelConfig, dtype: torch.dtype) -> float:
    """What forward and backward pass of the network take at their highest.

    The features kept for the backward pass were counted: 38 maps of C channels, 9 more for RobSelf-De's taps,
    the filter's keys with their halos, and its logits and masks. Resident memory on a CPU then peaked at 1.35 to
    1.5 times their size, for C of 32 and 64, m of 7 and 13, float32 and bfloat16, the filter's tiles being of 8 px;
    its tiles of 4 px, which a CPU takes for m up to 7, leave it at 0.66 to 0.75 of the estimate. Not measured on a GPU.
    """
    window = 8 + model.large_kernel - 1
    features = 38 + (window / 8) ** 2 + (9 if model.variant == "de" else 0)
    kept = features * model.channels + window**2 + 64
    return 1.5 * kept * torch.finfo(dtype).bits / 8


def tiling_for(
    model: ModelConfig, size: tuple[int, int], dtype: torch.dtype, limit: float, strict: bool
) -> Tiling | None:
    """The fewest tiles with which one iteration stays below `limit` bytes; None: it does so without.

    Args:
        size: (H, W) of the image in px.
        strict: whether a limit that the smallest tile exceeds is an error; otherwise that tile is taken.

    Raises:
        ConfigError: such a limit.
    """
    height, width = size
    multiple = 2**model.levels
    cost, fixed = bytes_per_pixel(model, dtype), WHOLE_IMAGE * height * width
    if fixed + cost * height * width <= limit:
        return None
    # The estimator sees two pixels of its coarsest level to each side: farther ones change nothing that is seen.
    context = 2 * multiple + model.large_kernel // 2 + REACH
    least = -(-2 * (2 * context + FEATHER) // multiple) * multiple
    most = (limit - fixed) / cost  # pixels of a tile
    if most < min(least, height) * min(least, width):
        if strict:
            needed = math.ceil((fixed + cost * min(least, height) * min(least, width)) / MIB)
            raise ConfigError(
                f"memory_limit_mb: {limit / MIB:g} is too little for {width}x{height} px "
                f"with {model.channels} channels, expected at least {needed}"
            )
        most = least**2
    rows = min(height, max(least, int(most**0.5) // multiple * multiple))
    columns = min(width, max(least, int(most / rows) // multiple * multiple))
    rows = min(height, max(least, int(most / columns) // multiple * multiple))
    if (rows, columns) == size:
        return None
    return Tiling(size, (rows, columns), model.levels, context)


def smaller(
    model: ModelConfig, size: tuple[int, int], dtype: torch.dtype, tiling: Tiling | None
) -> Tiling | None:
    """What an iteration that did not fit may be cut into: tiles of half as many pixels, as far as they go."""
    pixels = math.prod(tiling.tile if tiling else size)
    limit = WHOLE_IMAGE * math.prod(size) + bytes_per_pixel(model, dtype) * pixels / 2
    return tiling_for(model, size, dtype, limit, strict=False)


def free_memory(device: torch.device) -> float:
    """Bytes that an iteration may take where nobody set a limit; inf where the system does not tell."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return SHARE * (free + unused)
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return math.inf
    available = next((line for line in lines if line.startswith("MemAvailable")), None)
    return SHARE * int(available.split()[1]) * 1024 if available else math.inf
