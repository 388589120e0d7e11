"""How the windows of Eq. 5-6 are laid out for masked matrix products.

The image is cut into square tiles of queries, `tile` pixels a side; a tile shares the keys of its halo, so that one
masked product serves all its windows and a tensor of H W m^2 C elements never exists.
"""

from collections.abc import Iterator
from functools import cache

import torch
import torch.nn.functional as F

from robself.network.reflection import reflect


def in_whole_tiles(
    reference: torch.Tensor, source: torch.Tensor, important: torch.Tensor | None, large: int, tile: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Queries and keys, reflected, with a halo of large // 2 around the latter, and which queries are important.

    Shape: two (B, C, H, W), (B, H, W) -> (B, C, H', W'), (B, C, H' + large - 1, W' + large - 1), (B, H', W'),
    H' and W' multiples of `tile`.
    """
    below, right = (-size % tile for size in source.shape[-2:])
    halo = large // 2
    queries = reflect(reference, padding=(0, right, 0, below))
    keys = reflect(source, padding=(halo, halo + right, halo, halo + below))
    return queries, keys, None if important is None else F.pad(important, (0, right, 0, below))


def tiled(image: torch.Tensor, extent: int, tile: int) -> torch.Tensor:
    """A view of square patches of `extent` pixels every `tile` pixels.

    Shape: (B, C, H', W') -> (B, rows, columns, extent, extent, C).
    """
    return patches(image, (extent, extent), (tile, tile))


def patches(image: torch.Tensor, size: tuple[int, int], step: tuple[int, int]) -> torch.Tensor:
    """A view of patches of a size every `step` pixels. Shape: (B, C, H', W') -> (B, rows, columns, *size, C)."""
    cut = image.permute(0, 2, 3, 1).unfold(1, size[0], step[0]).unfold(2, size[1], step[1])
    return cut.permute(0, 1, 2, 4, 5, 3)


def rows_at_once(images: torch.Tensor, step: int) -> Iterator[tuple[int, slice]]:
    """Which image of a batch and which of its rows, so many at a time. Shape: (B, rows, ...)."""
    for image in range(images.shape[0]):
        for row in range(0, images.shape[1], step):
            yield image, slice(row, row + step)


@cache  # for good: a CUDA graph may read it
def window_mask(tile: int, large: int, window: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """(tile^2, (tile + large - 1)^2): 0 where a key lies in a query's window, -inf elsewhere."""
    halo = large // 2
    query = torch.arange(tile, device=device) + halo
    key = torch.arange(tile + 2 * halo, device=device)
    near = (query[:, None] - key).abs() <= window // 2
    inside = near[:, None, :, None] & near[None, :, None, :]
    inside = inside.reshape(tile * tile, -1)
    return torch.zeros(inside.shape, device=device, dtype=dtype).masked_fill(~inside, float("-inf"))


def chosen_masks(
    important: torch.Tensor | None,
    tile: int,
    large: int,
    small: int,
    device: torch.device,
    dtype: torch.dtype,
) -> torch.Tensor:
    """What is added to the logits of every tile: the large window's mask or the small one's.

    Args:
        important: (..., tile, tile) bool, or None: all are.

    Returns:
        (..., tile^2, (tile + large - 1)^2), or without the leading dimensions if all are important.
    """
    if important is None:
        return window_mask(tile, large, large, device, dtype)
    # Whole rows of both masks are copied: several times faster than a choice element by element.
    masks, first = _both_masks(tile, large, small, device, dtype)
    row = first + tile**2 * ~important.flatten(-2)
    return masks.index_select(0, row.flatten()).view(*row.shape, -1)


@cache
def _both_masks(
    tile: int, large: int, small: int, device: torch.device, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """(2 tile^2, (tile + large - 1)^2): the large window's mask, then the small one's; and the former's rows."""
    masks = torch.cat([window_mask(tile, large, window, device, dtype) for window in (large, small)])
    return masks, torch.arange(tile**2, device=device)
