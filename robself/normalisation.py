"""Middle and spread of a keyframe, kept for those that follow: warm weights fit no other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from robself.pair import Pair

# Percent of the values left out at either end: more than hot pixels, less than a small thing worth seeing.
TAIL = 0.5
BULK_DEVIATIONS = 2 * 2.576  # how many deviations wide the rest is, of a normal distribution


@dataclass(frozen=True)
class Normalisation:
    """source: (middle, spread) over valid pixels; guide: per channel, over the pixels the guide sees."""

    source_mean: float
    source_deviation: float
    guide_mean: np.ndarray
    guide_deviation: np.ndarray

    @classmethod
    def of(cls, pair: Pair, by_percentiles: bool = False) -> Normalisation:
        """What a pair's own pixels say.

        Args:
            by_percentiles: take the source's middle and spread from percentiles and not from all values: raw
                counts of NIR and thermal cameras have hot pixels, glints and lamps far off the rest.
        """
        values = pair.source[pair.valid].astype(np.float64)
        mean, deviation = _of_bulk(values) if by_percentiles else (values.mean(), values.std())
        seen = pair.guide.reshape(-1, 3) if pair.guide_valid is None else pair.guide[pair.guide_valid]
        if not len(seen):
            seen = pair.guide.reshape(-1, 3)
        return cls(
            float(mean),
            # A constant image has no deviation; any scale then serves, so long as it fits its rounding.
            float(deviation) or max(abs(float(mean)), 1.0) * 1e-3,
            seen.mean(0, dtype=np.float64).astype(np.float32),
            np.maximum(seen.std(0, dtype=np.float64), 1.0).astype(np.float32),
        )

    def source(self, source: np.ndarray) -> np.ndarray:
        """Source's unit -> deviations."""
        return ((source - self.source_mean) / self.source_deviation).astype(np.float32)

    def guide(self, guide: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> (3, H, W) float32 deviations."""
        values = np.arange(256, dtype=np.float32)[:, None]
        tables = ((values - self.guide_mean) / self.guide_deviation).T
        normalised = np.empty((3, *guide.shape[:2]), np.float32)
        # Looked up, and channel by channel: three that take turns take OpenCV half as long again.
        for channel, table, looked_up in zip(cv2.split(guide), tables, normalised, strict=True):
            cv2.LUT(channel, np.ascontiguousarray(table), dst=looked_up)
        return normalised

    def guide_on(self, device: torch.device, guide: np.ndarray) -> torch.Tensor:
        """The same on a device; a GPU is given bytes. (H, W, 3) uint8 -> (3, H, W) float32."""
        if device.type == "cpu":
            return torch.from_numpy(self.guide(guide))
        return self.guide_by_torch(torch.tensor(guide, device=device))

    def guide_by_torch(self, guide: torch.Tensor) -> torch.Tensor:
        both = np.stack((self.guide_mean, self.guide_deviation))[..., None, None]
        mean, deviation = torch.from_numpy(both).to(guide.device)
        return ((guide.permute(2, 0, 1) - mean) / deviation).contiguous()

    def restore(self, normalised: np.ndarray) -> np.ndarray:
        """Deviations -> source's unit, float32."""
        mean = torch.tensor(self.source_mean, dtype=torch.float32)
        return torch.add(mean, torch.from_numpy(normalised), alpha=self.source_deviation).numpy()


def _of_bulk(values: np.ndarray) -> tuple[float, float]:
    """Middle of the bulk, and its spread as a normal distribution's deviation; of all, if most are alike."""
    low, high = np.percentile(values, (TAIL, 100 - TAIL))
    return ((low + high) / 2, (high - low) / BULK_DEVIATIONS) if high > low else (values.mean(), values.std())
