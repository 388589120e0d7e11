"""Eq. 5 and 6 as attention over small windows, computed tile by tile.

Query: a reference pixel. Keys and values: the source pixels in the m x m window around it (n x n where the
pixel is not important), reflected at the border. The image is cut into square tiles of queries; a tile shares
the keys of its halo, so that one masked matrix product serves all its windows and a tensor of H W m^2 C
elements never exists.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F

from robself.network.reflection import reflect

TILE = 8


def neighbourhood_attention(
    reference: torch.Tensor,
    source: torch.Tensor,
    large: int,
    small: int,
    important: torch.Tensor | None,
) -> torch.Tensor:
    """Eq. 5-6 for every pixel.

    Args:
        reference: (B, C, H, W), F_guide^Aligned.
        source: (B, C, H, W), F_source.
        large, small: odd kernel sizes m >= n.
        important: (B, H, W) bool: where the large kernel is used; None: everywhere.

    Returns:
        (B, C, H, W): F'_source.
    """
    batch, channels, height, width = source.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    below, right = rows * TILE - height, columns * TILE - width
    halo = large // 2

    queries = _tiles(reflect(reference, 0, right, 0, below), TILE)
    padded = reflect(source, halo, halo + right, halo, halo + below)
    keys = _tiles(padded, TILE + 2 * halo)
    mask = _window_mask(large, large, source.device, queries.dtype)
    if important is not None:
        inside_small = _window_mask(large, small, source.device, queries.dtype)
        chosen = F.pad(important, (0, right, 0, below))
        chosen = chosen.unfold(1, TILE, TILE).unfold(2, TILE, TILE).reshape(-1, 1, TILE * TILE, 1)
        mask = torch.where(chosen, mask, inside_small)
    enhanced = F.scaled_dot_product_attention(queries, keys, keys, attn_mask=mask, scale=1.0)

    enhanced = enhanced.view(batch, rows, columns, TILE, TILE, channels)
    enhanced = enhanced.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, rows * TILE, columns * TILE)
    return enhanced[..., :height, :width]


class _OverlappingTiles(torch.autograd.Function):
    """Square patches of `extent` pixels every TILE pixels; backward adds the overlaps block by block."""

    @staticmethod
    def forward(ctx, image: torch.Tensor, extent: int) -> torch.Tensor:
        ctx.extent, ctx.shape = extent, image.shape
        patches = image.permute(0, 2, 3, 1).unfold(1, extent, TILE).unfold(2, extent, TILE)
        return patches.permute(0, 1, 2, 4, 5, 3).reshape(-1, 1, extent * extent, image.shape[1])

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        extent, (batch, channels, height, width) = ctx.extent, ctx.shape
        rows, columns = (height - extent) // TILE + 1, (width - extent) // TILE + 1
        patches = gradient.view(batch, rows, columns, extent, extent, channels)
        parts = range(0, extent, TILE)
        blocks = gradient.new_zeros(
            batch, rows + len(parts) - 1, TILE, columns + len(parts) - 1, TILE, channels
        )
        for down in parts:
            for right in parts:
                piece = patches[:, :, :, down : down + TILE, right : right + TILE]
                row, column = down // TILE, right // TILE
                target = blocks[
                    :, row : row + rows, : piece.shape[3], column : column + columns, : piece.shape[4]
                ]
                target += piece.transpose(2, 3)
        image = blocks.flatten(3, 4).flatten(1, 2)[:, :height, :width]
        return image.permute(0, 3, 1, 2), None


def _tiles(image: torch.Tensor, extent: int) -> torch.Tensor:
    """(B, C, H', W') -> (tiles, 1, extent^2, C)."""
    return _OverlappingTiles.apply(image, extent)


@lru_cache(maxsize=32)
def _window_mask(large: int, window: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """(1, 1, TILE^2, (TILE + large - 1)^2): 0 where a key lies in a query's window, -inf elsewhere."""
    halo = large // 2
    query = torch.arange(TILE, device=device) + halo
    key = torch.arange(TILE + 2 * halo, device=device)
    near = (query[:, None] - key).abs() <= window // 2
    inside = near[:, None, :, None] & near[None, :, None, :]
    inside = inside.reshape(TILE * TILE, -1)
    return torch.zeros(inside.shape, device=device, dtype=dtype).masked_fill(~inside, float("-inf"))[
        None, None
    ]
