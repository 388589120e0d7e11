"""A pair as the network wants it: filled, normalised, upsampled, at one resolution of the schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from robself.consistency import AveragePooling
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.tiling import Tiling
from robself.upsampling import bicubic_of_filled


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
            estimate = F.interpolate(estimate, size, mode="area")
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
        images = normalisation.source(pair.filled), normalisation.guide(pair.guide)
        for resolution in sorted({1.0, *resolutions}, reverse=True):
            seen = _observed(pair, *images, resolution, device)
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
    images = normalisation.source(pair.filled), normalisation.guide(pair.guide)
    return _observed(pair, *images, resolution, device)


def _observed(
    pair: Pair, source: np.ndarray, guide: np.ndarray, resolution: float, device: torch.device
) -> Observation:
    """Of both images normalised. Shape: (h, w) without holes, (3, H, W)."""
    height, width = (
        max(round(full * resolution), low) for full, low in zip(pair.size, pair.source.shape, strict=True)
    )
    if (height, width) != pair.size:
        guide = np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in guide])
    upsampled = cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR)
    return Observation(
        torch.from_numpy(source)[None, None].to(device),
        torch.from_numpy(pair.valid.astype(np.float32))[None, None].to(device),
        torch.from_numpy(upsampled)[None, None].to(device),
        torch.from_numpy(guide)[None].to(device),
        AveragePooling((height, width), pair.source.shape, device),
        height / pair.size[0],
    )


def enlarged(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Bicubically. Shape: (1, 1, h, w) float32 -> (1, 1, H, W)."""
    if image.device.type == "cpu":  # OpenCV takes a tenth of PyTorch's time
        return torch.from_numpy(bicubic_of_filled(image[0, 0].numpy(), size))[None, None]
    return F.interpolate(image, size, mode="bicubic", align_corners=False)
