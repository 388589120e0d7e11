"""A pair as the network wants it: filled, normalised, upsampled, at one resolution of the schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from robself.consistency import AveragePooling
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.resizing import enlarged, shrunk
from robself.tiling import Tiling


@dataclass(frozen=True)
class Observation:
    """One pair at one resolution, on the device.

    Attributes:
        source: (1, 1, h, w) normalised, holes filled. valid: (1, 1, h, w) 0.0 or 1.0.
        upsampled: (1, 1, H', W'), the source at the guide's size. guide: (1, 3, H', W') normalised.
        pool: f_down from (H', W') to (h, w).
        resolution: H' / H.
        tiling: how the network sees it piece by piece; None: all at once.
    """

    source: torch.Tensor
    valid: torch.Tensor
    upsampled: torch.Tensor
    guide: torch.Tensor
    pool: AveragePooling
    resolution: float
    tiling: Tiling | None = None

    @property
    def kind(self) -> tuple[float, ...]:
        """What pairs have in common that the same recorded work serves (`robself.cuda_graphs`)."""
        return *self.upsampled.shape[-2:], *self.source.shape[-2:], self.resolution

    def believing(self, estimate: torch.Tensor) -> Observation:
        """The same with an estimate of the source, of any size, in place of its upsampling. Shape: (1, 1, H, W)."""
        size = self.upsampled.shape[-2:]
        if estimate.numel() < self.upsampled.numel():
            estimate = enlarged(estimate, size)
        elif estimate.shape[-2:] != size:
            estimate = shrunk(estimate, size)
        return replace(self, upsampled=estimate)


class Observations:
    """A pair at several resolutions, the full one among them, and what is believed of its source at all of them.

    Args:
        resolutions: as `observe` takes them.
        tiling_for: the tiling of a size (H', W').
    """

    def __init__(
        self,
        pair: Pair,
        normalisation: Normalisation,
        resolutions: Iterable[float],
        device: torch.device,
        tiling_for: Callable[[tuple[int, int]], Tiling | None] = lambda size: None,
    ) -> None:
        self._at = {}
        images = _images(pair, normalisation, device)
        for resolution in sorted({1.0, *resolutions}, reverse=True):
            seen = _observed(pair, *images, resolution)
            self._at[resolution] = replace(seen, tiling=tiling_for(tuple(seen.guide.shape[-2:])))

    def __getitem__(self, resolution: float) -> Observation:
        return self._at[resolution]

    @property
    def full(self) -> Observation:
        return self._at[1.0]

    def believe(self, estimate: torch.Tensor) -> None:
        """Put an estimate of the source in place of its upsampling. Shape: (1, 1, H', W') normalised, finite."""
        self._at = {resolution: seen.believing(estimate) for resolution, seen in self._at.items()}


def observe(pair: Pair, normalisation: Normalisation, resolution: float, device: torch.device) -> Observation:
    """The pair at a share of the guide's size, never below the source's."""
    return _observed(pair, *_images(pair, normalisation, device), resolution)


def _images(pair: Pair, normalisation: Normalisation, device: torch.device) -> tuple[torch.Tensor, ...]:
    """Of a pair on the device: source, its validity, and the guide. Shape: two (1, 1, h, w), (1, 3, H, W)."""
    source = torch.from_numpy(normalisation.source(pair.filled))[None, None]
    valid = torch.from_numpy(pair.valid.astype(np.float32))[None, None]
    return source.to(device), valid.to(device), normalisation.guide_on(device, pair.guide)[None]


def _observed(
    pair: Pair, source: torch.Tensor, valid: torch.Tensor, guide: torch.Tensor, resolution: float
) -> Observation:
    size = tuple(
        max(round(full * resolution), low) for full, low in zip(pair.size, pair.source.shape, strict=True)
    )
    return Observation(
        source,
        valid,
        enlarged(source, size, "bilinear"),
        guide if size == pair.size else shrunk(guide, size),
        AveragePooling(size, pair.source.shape, source.device),
        size[0] / pair.size[0],
    )
