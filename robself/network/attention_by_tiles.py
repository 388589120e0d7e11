"""Eq. 5 and 6 for all tiles at once, by PyTorch's own attention: a GPU without Triton wants few, large calls."""

import torch
import torch.nn.functional as F

from robself.network.windows import chosen_masks, in_whole_tiles, tiled

TILE = 8


class _OverlappingTiles(torch.autograd.Function):
    """Square patches of `extent` pixels every TILE pixels; backward adds the overlaps block by block."""

    @staticmethod
    def forward(ctx, image: torch.Tensor, extent: int) -> torch.Tensor:
        ctx.extent, ctx.shape = extent, image.shape
        return tiled(image, extent, TILE).reshape(-1, 1, extent * extent, image.shape[1])

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


def attention_by_tiles(
    reference: torch.Tensor, source: torch.Tensor, large: int, small: int, important: torch.Tensor | None
) -> torch.Tensor:
    """See `neighbourhood_attention`."""
    queries, keys, important = in_whole_tiles(reference, source, important, large, TILE)
    batch, channels, height, width = queries.shape
    asked = _OverlappingTiles.apply(queries, TILE)
    seen = _OverlappingTiles.apply(keys, TILE + large - 1)
    if important is not None:
        important = tiled(important[:, None], TILE, TILE).reshape(-1, 1, TILE, TILE)
    mask = chosen_masks(important, TILE, large, small, queries.device, queries.dtype)
    enhanced = F.scaled_dot_product_attention(asked, seen, seen, attn_mask=mask, scale=1.0)
    enhanced = enhanced.view(batch, height // TILE, width // TILE, TILE, TILE, channels)
    enhanced = enhanced.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, height, width)
    return enhanced[..., : source.shape[-2], : source.shape[-1]]
