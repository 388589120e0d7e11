"""What goes into RobSelf (`Pair`) and what comes out (`Result`), with its provenance."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from robself.errors import InputError

Modality = Literal["depth", "nir"]


@dataclass(frozen=True)
class Pair:
    """A low-resolution source and the high-resolution guide that looks the same way.

    Attributes:
        source: (h, w) float32, in the source's own unit; the value of invalid pixels is ignored.
        guide: (H, W, 3) uint8, RGB; H >= h and W >= w.
        valid: (h, w) bool, True where the source measured something.
        guide_valid: (H, W) bool, True where the guide sees the scene; None: everywhere.
        stamp: header stamp of the source in nanoseconds; None for pairs without time.
    """

    source: np.ndarray
    guide: np.ndarray
    valid: np.ndarray
    guide_valid: np.ndarray | None = None
    stamp: int | None = None

    @classmethod
    def from_images(
        cls,
        source: np.ndarray,
        guide: np.ndarray,
        *,
        modality: Modality = "depth",
        guide_valid: np.ndarray | None = None,
        stamp: int | None = None,
    ) -> Pair:
        """Check two images and derive the source's validity.

        Args:
            source: (h, w) float or unsigned integer. Depth: NaN, +-inf and values <= 0 are invalid
                (REP 117 and REP 118); NIR: only non-finite values are.
            guide: (H, W, 3) or (H, W) uint8.

        Raises:
            InputError: wrong shape or type, an empty image, a guide smaller than the source,
                or a source without one valid pixel.
        """
        source, guide = checked_source(source), checked_guide(guide)
        if guide.shape[0] < source.shape[0] or guide.shape[1] < source.shape[1]:
            raise InputError(
                f"guide: {guide.shape[1]}x{guide.shape[0]} is smaller than the source's "
                f"{source.shape[1]}x{source.shape[0]}, expected at least its size"
            )
        if guide_valid is not None and guide_valid.shape != guide.shape[:2]:
            raise InputError(f"guide_valid: shape {guide_valid.shape}, expected {guide.shape[:2]}")
        source = source.astype(np.float32)
        valid = np.isfinite(source)
        if modality == "depth":
            valid &= source > 0
        if not valid.any():
            raise InputError(f"source: none of its {source.size} pixels is valid")
        return cls(source, np.ascontiguousarray(guide), valid, guide_valid, stamp)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the super-resolved image: the guide's."""
        return self.guide.shape[:2]

    @cached_property
    def filled(self) -> np.ndarray:
        """(h, w) float32: the source, its holes filled from their nearest neighbours."""
        # Not before: OpenCV is slow to load, and much of the command line needs none.
        from robself.upsampling import fill_holes

        return fill_holes(self.source, self.valid)

    @property
    def factor(self) -> float:
        """Of super-resolution, the smaller one of both axes."""
        return min(full / low for full, low in zip(self.size, self.source.shape, strict=True))


def checked_source(source: np.ndarray) -> np.ndarray:
    """(h, w) float or unsigned integer, as it came. Raises InputError."""
    source = np.asarray(source)
    if source.ndim != 2 or source.size == 0:
        raise InputError(f"source: shape {source.shape}, expected (h, w) with h, w >= 1")
    if source.dtype.kind not in "fu":
        raise InputError(f"source: type {source.dtype}, expected float or unsigned integer")
    return source


def checked_guide(guide: np.ndarray) -> np.ndarray:
    """(H, W, 3) or (H, W) uint8 -> (H, W, 3) uint8. Raises InputError."""
    guide = np.asarray(guide)
    if guide.ndim == 2:
        guide = np.repeat(guide[..., None], 3, axis=2)
    if guide.ndim != 3 or guide.shape[2] != 3 or guide.size == 0:
        raise InputError(f"guide: shape {guide.shape}, expected (H, W, 3)")
    if guide.dtype != np.uint8:
        raise InputError(f"guide: type {guide.dtype}, expected uint8")
    return guide


@dataclass(frozen=True)
class Result:
    """A super-resolved source and its by-products, all on the guide's grid.

    Attributes:
        sr: (H, W) float32, the source's unit; NaN where `valid` is False.
        translated: (H, W) float32, the guide translated into the source's modality (Sec. 3.2), same unit; None for
            a tracked pair for which nobody asked for it.
        displacement: (H, W, 2) float32, px on the guide's grid, (x, y): where each pixel was sampled,
            minus its own position (Eq. 2; RobSelf-De: the mean of its k*k positions, weighted by the
            kernel's magnitude).
        valid: (H, W) bool, False where the source measured nothing.
        pair: what it was made of.
        info: provenance: mode ("keyframe", "track"), start ("cold", "warm"), fallback (bool: `sr` is the
            upsampled source because nothing better was found), refined (bool: False if the budget left no
            time for it), tiles (in how many pieces the network saw the image), iterations, seconds,
            memory_peak_mb (MiB), memory_peak_of (what that is the memory of: on a CPU the whole process),
            loss_before, loss_after (Eq. 1; None without `translated`), consistency_before, consistency_after (mean
            |f_down(prediction) - source| over valid pixels, source's unit, before back-projection),
            consistency_bicubic (the same of bicubic enlargement), stopped_by ("schedule", "deadline" or
            "divergence"), taken_back (bool: the loss had risen, and the weights are again what they were), device,
            preset, variant, schedule, seed, versions. Of a mean of several networks: members, member_seeds
            (`robself.ensemble`).
    """

    sr: np.ndarray
    translated: np.ndarray | None
    displacement: np.ndarray
    valid: np.ndarray
    pair: Pair
    info: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def aligned_guide(self) -> np.ndarray:
        """(H, W, 3) uint8, the guide resampled by `displacement`; not before somebody asks for it."""
        from robself.resampling import resampled

        return resampled(self.pair.guide, self.displacement)

    @cached_property
    def confidence(self) -> np.ndarray:
        """(H, W) float32, 0 (holes) to 1: see `robself.confidence`; not before somebody asks for it."""
        from robself.confidence import confidence_of

        return confidence_of(self.sr, self.pair, self.info["fallback"])
