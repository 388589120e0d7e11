"""Eq. 1: the prediction, pooled to the source's size, must be the source."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F

CPU = torch.device("cpu")


class AveragePooling:
    """f_down of Eq. 1: the mean over each source pixel's area, for any real factor per axis.

    Shape: (B, C, H, W) -> (B, C, h, w). Integer factors are exact block means; otherwise a pixel on the border
    of two source pixels counts for both, by the share of its area.
    """

    def __init__(
        self,
        size: tuple[int, int],
        source_size: tuple[int, int],
        device: torch.device = CPU,
    ) -> None:
        (height, width), (rows, columns) = size, source_size
        self.factor = None
        if height % rows == 0 and width % columns == 0:
            self.factor = height // rows, width // columns
        else:
            self.rows = _area_shares_on(device, height, rows)
            self.columns = _area_shares_on(device, width, columns)

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        if self.factor:
            return F.avg_pool2d(image, self.factor)
        return self.rows @ image @ self.columns.T

    def adjoint(self, pooled: torch.Tensor) -> torch.Tensor:
        """The transpose of pooling, which a gradient with respect to the image needs: (B, C, h, w) -> (B, C, H, W)."""
        if self.factor:
            rows, columns = self.factor
            wide = (pooled / (rows * columns))[..., None].expand(*pooled.shape, columns).flatten(-2)
            # Half the time of `repeat_interleave`.
            return wide[..., None, :].expand(*pooled.shape[:-1], rows, wide.shape[-1]).flatten(-3, -2)
        return self.rows.T @ pooled @ self.columns


@lru_cache(maxsize=32)
def _area_shares_on(device: torch.device, size: int, source_size: int) -> torch.Tensor:
    """Pair after pair wants the same."""
    return area_shares(size, source_size).to(device)


def area_shares(size: int, source_size: int) -> torch.Tensor:
    """(source_size, size): how much of each source pixel's extent each pixel covers; rows sum to one."""
    factor = size / source_size
    start = torch.arange(source_size, dtype=torch.float64)[:, None] * factor
    pixel = torch.arange(size, dtype=torch.float64)
    covered = torch.minimum(pixel + 1, start + factor) - torch.maximum(pixel, start)
    return (covered.clamp(min=0) / factor).float()


def consistency(pooled: torch.Tensor, source: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The L1 norm of Eq. 1, as a mean over valid source pixels.

    Shape: three (B, 1, h, w), valid as 0.0 or 1.0 -> scalar.
    """
    return ((pooled - source).abs() * valid).sum() / valid.sum()


def consistency_loss(
    sr: torch.Tensor, translated: torch.Tensor, source: torch.Tensor, valid: torch.Tensor, weight: float = 1.0
) -> torch.Tensor:
    """Eq. 1: L = L_sr + lambda L_trans, both predictions already pooled by f_down."""
    return consistency(sr, source, valid) + weight * consistency(translated, source, valid)
