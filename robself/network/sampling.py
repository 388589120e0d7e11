"""Sample a feature map at displaced positions, the operation inside both branches of Eq. 2."""

from functools import lru_cache

import torch
import torch.nn.functional as F


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int, device: torch.device) -> torch.Tensor:
    """(H, W, 2) float32: the (x, y) position of every pixel, in px. Kept from call to call: not to be written to."""
    ys = torch.arange(height, device=device, dtype=torch.float32)
    xs = torch.arange(width, device=device, dtype=torch.float32)
    return torch.stack((xs.expand(height, width), ys[:, None].expand(height, width)), dim=-1)


@lru_cache(maxsize=32)
def _last_pixel(height: int, width: int, device: torch.device) -> torch.Tensor:
    """(x, y) of the last pixel, at least (1, 1). Kept, because a GPU stops for every tensor made from numbers."""
    return torch.tensor((max(width - 1, 1), max(height - 1, 1)), dtype=torch.float32, device=device)


def sample(feature: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Bilinear sampling; positions outside the frame take the nearest pixel of its border.

    Args:
        feature: (B, C, H, W).
        positions: (B, H', W', 2) float32, (x, y) in px: 16-bit floats cannot hold a position of a large image.

    Returns:
        (B, C, H', W') in the feature's type; NaN throughout if any position is not finite.
    """
    size = _last_pixel(*feature.shape[-2:], positions.device)
    # On a CPU the gradient at a NaN position is a segmentation fault; the NaN goes into the samples instead.
    grid = (positions * (2 / size) - 1).nan_to_num()
    sampled = F.grid_sample(feature.float(), grid, padding_mode="border", align_corners=True)
    sampled += (positions.detach() * 0).sum()
    return sampled.to(feature.dtype)
