"""Eq. 5 and 6 some rows of tiles at a time: what a CPU does fastest, since their logits stay in its cache.

Twice as fast on one core, forward and backward, as `scaled_dot_product_attention` over all tiles at once.
"""

from collections.abc import Iterator

import torch

from robself.network.windows import TILE, chosen_masks, tiled

TILES_AT_ONCE = 32


class _AttentionByRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, queries, keys, large: int, small: int, important):
        channels, extent, dtype = queries.shape[1], TILE + large - 1, queries.dtype
        exact = torch.promote_types(dtype, torch.float32)  # exp() of a 16-bit logit would be far off
        asked, seen = tiled(queries, TILE), tiled(keys, extent)
        marks = None if important is None else tiled(important[:, None], TILE)[..., 0]
        enhanced = torch.empty_like(queries, memory_format=torch.channels_last)
        answered = tiled(enhanced, TILE)
        weights = [] if any(ctx.needs_input_grad) else None
        for rows in _rows_at_once(asked):
            query = asked[rows].reshape(-1, TILE**2, channels)
            key = seen[rows].reshape(-1, extent**2, channels)
            chosen = None if marks is None else marks[rows].flatten(0, 1)
            logits = query.to(exact) @ key.to(exact).mT
            logits += chosen_masks(chosen, large, small, queries.device, exact)
            weight = logits.softmax(-1).to(dtype)
            answered[rows] = (weight @ key).view(answered[rows].shape)
            if weights is not None:
                weights.append(weight)
        if weights is not None:
            ctx.save_for_backward(queries, keys, *weights)
        ctx.extent = extent
        return enhanced

    @staticmethod
    def backward(ctx, gradient):
        queries, keys, *weights = ctx.saved_tensors
        channels, extent = queries.shape[1], ctx.extent
        asked, seen, wanted = tiled(queries, TILE), tiled(keys, extent), tiled(gradient, TILE)
        of_queries = torch.empty_like(queries, memory_format=torch.channels_last)
        of_asked = tiled(of_queries, TILE)
        of_keys = _Overlaps(keys, extent)
        for rows, weight in zip(_rows_at_once(asked), weights, strict=True):
            key = seen[rows].reshape(-1, extent**2, channels)
            # Keys are values, too: the gradients of both meet in one product.
            inputs = torch.stack((asked[rows], wanted[rows]), dim=2).view(-1, 2 * TILE**2, channels)
            of_weight = inputs[:, TILE**2 :] @ key.mT
            of_logits = torch._softmax_backward_data(of_weight, weight, -1, weight.dtype)
            of_asked[rows] = (of_logits @ key).view(of_asked[rows].shape)
            of_key = torch.cat((of_logits, weight), dim=1).mT @ inputs
            of_keys.add(rows, of_key.view(seen[rows].shape))
        return of_queries, of_keys.image, None, None, None


class _Overlaps:
    """Adds up the patches that `tiled` has cut out of `keys`."""

    def __init__(self, keys: torch.Tensor, extent: int) -> None:
        batch, channels, height, self.width = keys.shape
        self.extent = extent
        wide = -(-self.width // TILE)
        self.sums = keys.new_zeros(batch, height, wide, TILE, channels)

    def add(self, rows: tuple[int, slice], patches: torch.Tensor) -> None:
        """Patches (rows, columns, extent, extent, C). What is TILE wide in each of a row lands side by side."""
        image, which = rows
        columns = patches.shape[1]
        for row, line in enumerate(patches, start=which.start):
            strip = self.sums[image, row * TILE : row * TILE + self.extent]
            for right in range(0, self.extent, TILE):
                part = line[:, :, right : right + TILE].transpose(0, 1)
                column = right // TILE
                strip[:, column : column + columns, : part.shape[2]] += part

    @property
    def image(self) -> torch.Tensor:
        return self.sums.flatten(2, 3)[:, :, : self.width].permute(0, 3, 1, 2)


def _rows_at_once(tiles: torch.Tensor) -> Iterator[tuple[int, slice]]:
    """Which image of a batch and which rows of its tiles. Shape: (B, rows, columns, ...)."""
    batch, rows, columns = tiles.shape[:3]
    step = max(1, TILES_AT_ONCE // columns)
    for image in range(batch):
        for row in range(0, rows, step):
            yield image, slice(row, row + step)


@torch.compiler.disable  # a compiler would unroll its loop
def attention_by_rows(
    queries: torch.Tensor, keys: torch.Tensor, large: int, small: int, important: torch.Tensor | None
) -> torch.Tensor:
    """As `robself.network.neighbourhood_attention` calls it: whole tiles, and keys with their halo.

    Args:
        queries: (B, C, H, W), H and W multiples of TILE.
        keys: (B, C, H + large - 1, W + large - 1).
        important: (B, H, W) bool, or None.

    Returns:
        (B, C, H, W).
    """
    return _AttentionByRows.apply(queries, keys, large, small, important)
