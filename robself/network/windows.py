"""How the windows of Eq. 5-6 are laid out for masked matrix products.

The image is cut into square tiles of queries; a tile shares the keys of its halo, so that one masked product
serves all its windows and a tensor of H W m^2 C elements never exists.
"""

from functools import lru_cache

import torch

TILE = 8


def tiled(image: torch.Tensor, extent: int) -> torch.Tensor:
    """A view of square patches of `extent` pixels every TILE pixels.

    Shape: (B, C, H', W') -> (B, rows, columns, extent, extent, C).
    """
    patches = image.permute(0, 2, 3, 1).unfold(1, extent, TILE).unfold(2, extent, TILE)
    return patches.permute(0, 1, 2, 4, 5, 3)


@lru_cache(maxsize=32)
def window_mask(large: int, window: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """(TILE^2, (TILE + large - 1)^2): 0 where a key lies in a query's window, -inf elsewhere."""
    halo = large // 2
    query = torch.arange(TILE, device=device) + halo
    key = torch.arange(TILE + 2 * halo, device=device)
    near = (query[:, None] - key).abs() <= window // 2
    inside = near[:, None, :, None] & near[None, :, None, :]
    inside = inside.reshape(TILE * TILE, -1)
    return torch.zeros(inside.shape, device=device, dtype=dtype).masked_fill(~inside, float("-inf"))


def chosen_masks(
    important: torch.Tensor | None, large: int, small: int, device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    """What is added to the logits of every tile: the large window's mask or the small one's.

    Args:
        important: (..., TILE, TILE) bool, or None: all are.

    Returns:
        (..., TILE^2, (TILE + large - 1)^2), or without the leading dimensions if all are important.
    """
    if important is None:
        return window_mask(large, large, device, dtype)
    # Whole rows of both masks are copied: several times faster than a choice element by element.
    masks, first = _both_masks(large, small, device, dtype)
    row = first + TILE**2 * ~important.flatten(-2)
    return masks.index_select(0, row.flatten()).view(*row.shape, -1)


@lru_cache(maxsize=32)
def _both_masks(
    large: int, small: int, device: torch.device, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """(2 TILE^2, (TILE + large - 1)^2): the large window's mask, then the small one's; and the former's rows."""
    masks = torch.cat([window_mask(large, window, device, dtype) for window in (large, small)])
    return masks, torch.arange(TILE**2, device=device)
