"""Sample a feature map at displaced positions, the operation inside both branches of Eq. 2."""

from functools import cache, lru_cache

import torch
import torch.nn.functional as F

from robself.network import kernels


@cache  # for good: a CUDA graph may read it
def pixel_grid(height: int, width: int, device: torch.device) -> torch.Tensor:
    """(H, W, 2) float32: the (x, y) position of every pixel, in px. Kept from call to call: not to be written to."""
    ys = torch.arange(height, device=device, dtype=torch.float32)
    xs = torch.arange(width, device=device, dtype=torch.float32)
    return torch.stack((xs.expand(height, width), ys[:, None].expand(height, width)), dim=-1)


@cache
def _last_pixel(height: int, width: int, device: torch.device) -> torch.Tensor:
    """(x, y) of the last pixel, at least (1, 1). Kept, because a GPU stops for every tensor made from numbers."""
    return torch.tensor((max(width - 1, 1), max(height - 1, 1)), dtype=torch.float32, device=device)


@lru_cache(maxsize=32)
def _every(step: int, count: int) -> torch.Tensor:
    """(count,) int32 on the CPU: 0, step, 2 step... Kept, too."""
    return torch.arange(count, dtype=torch.int32) * step


def sample(feature: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Bilinear sampling; positions outside the frame take the nearest pixel of its border.

    Args:
        feature: (B, C, H, W).
        positions: (B, H', W', 2) float32, (x, y) in px: 16-bit floats cannot hold a position of a large image.

    Returns:
        (B, C, H', W') in the feature's type; NaN where a position is not finite, on a CPU throughout.
    """
    if kernels.usable(feature):
        from robself.network.kernels.sampling import sampled

        return sampled(feature, positions)
    size = _last_pixel(*feature.shape[-2:], positions.device)
    # On a CPU the gradient at a NaN position is a segmentation fault; the NaN goes into the samples instead.
    grid = (positions * (2 / size) - 1).nan_to_num()
    if feature.device.type == "cpu":
        # Rounded as `grid_sample` does: that decides which of two gradients a whole pixel has.
        sampled = _mixed(feature.float(), (grid + 1) * (size / 2))
    else:
        sampled = F.grid_sample(feature.float(), grid, padding_mode="border", align_corners=True)
    return (sampled + (positions.detach() * 0).sum()).to(feature.dtype)


def _mixed(feature: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """The same, channels last, as sums of four weighted pixels: a CPU takes half the time of `grid_sample`."""
    batch, channels, height, width = feature.shape
    # Has no gradient at its ends either, as `grid_sample`.
    x, y = F.hardtanh(positions[..., 0], 0.0, width - 1.0), F.hardtanh(positions[..., 1], 0.0, height - 1.0)
    left, top = x.detach().floor(), y.detach().floor()
    across, down = x - left, y - top
    before, above = 1 - across, 1 - down
    shares = torch.stack((above * before, above * across, down * before, down * across), dim=-1)
    image = _every(height * width, batch)[:, None, None]
    left, right = left.int(), (left + 1).clamp_(max=width - 1).int()
    first, second = (row.int() * width + image for row in (top, (top + 1).clamp_(max=height - 1)))
    pixels = torch.stack((first + left, first + right, second + left, second + right), dim=-1)
    table = feature.permute(0, 2, 3, 1).reshape(-1, channels)
    begins = _every(4, x.numel())
    mixed = F.embedding_bag(pixels.view(-1), table, begins, mode="sum", per_sample_weights=shares.view(-1))
    return mixed.view(*positions.shape[:3], channels).permute(0, 3, 1, 2)
