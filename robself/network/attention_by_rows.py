"""Eq. 5 and 6 one row of tiles at a time: what a CPU does fastest, since a row's logits stay in its cache.

Twice as fast on one core, forward and backward, as `scaled_dot_product_attention` over all tiles at once.
"""

import torch

from robself.network.windows import TILE, chosen_masks, tiled


class _AttentionByRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, queries, keys, large: int, small: int, important):
        batch, channels = queries.shape[:2]
        extent, dtype = TILE + large - 1, queries.dtype
        exact = torch.promote_types(dtype, torch.float32)  # exp() of a 16-bit logit would be far off
        asked, seen = tiled(queries, TILE), tiled(keys, extent)
        rows, columns = asked.shape[1:3]
        enhanced = torch.empty_like(queries, memory_format=torch.channels_last)
        answered = tiled(enhanced, TILE)
        weights = [] if any(ctx.needs_input_grad) else None
        marks = None if important is None else tiled(important[:, None], TILE)[..., 0]
        for image, row in _all_rows(batch, rows):
            query = asked[image, row].reshape(columns, TILE**2, channels)
            key = seen[image, row].reshape(columns, extent**2, channels)
            logits = query.to(exact) @ key.to(exact).mT
            logits += chosen_masks(
                None if marks is None else marks[image, row], large, small, queries.device, exact
            )
            weight = logits.softmax(-1).to(dtype)
            answered[image, row] = (weight @ key).view(columns, TILE, TILE, channels)
            if weights is not None:
                weights.append(weight)
        if weights is not None:
            ctx.save_for_backward(queries, keys, *weights)
        ctx.extent = extent
        return enhanced

    @staticmethod
    def backward(ctx, gradient):
        queries, keys, *weights = ctx.saved_tensors
        extent, (batch, channels) = ctx.extent, queries.shape[:2]
        asked, seen, wanted = tiled(queries, TILE), tiled(keys, extent), tiled(gradient, TILE)
        rows, columns = asked.shape[1:3]
        of_queries = torch.empty_like(queries, memory_format=torch.channels_last)
        of_asked = tiled(of_queries, TILE)
        of_keys = _Overlaps(rows, columns, extent, keys)
        for (image, row), weight in zip(_all_rows(batch, rows), weights, strict=True):
            key = seen[image, row].reshape(columns, extent**2, channels)
            # Keys are values, too: the gradients of both meet in one product.
            inputs = torch.stack((asked[image, row], wanted[image, row]), dim=1)
            inputs = inputs.view(columns, 2 * TILE**2, channels)
            of_weight = inputs[:, TILE**2 :] @ key.mT
            of_logits = torch._softmax_backward_data(of_weight, weight, -1, weight.dtype)
            of_asked[image, row] = (of_logits @ key).view(columns, TILE, TILE, channels)
            of_key = torch.cat((of_logits, weight), dim=1).mT @ inputs
            of_keys.add(image, row, of_key.view(columns, extent, extent, channels))
        return of_queries, of_keys.image, None, None, None


class _Overlaps:
    """Adds up the patches that `tiled` has cut out of `keys`, row by row of tiles."""

    def __init__(self, rows: int, columns: int, extent: int, keys: torch.Tensor) -> None:
        batch, channels, self.height, self.width = keys.shape
        self.extent, self.columns = extent, columns
        wide = columns - 1 + -(-extent // TILE)
        self.sums = keys.new_zeros(batch, self.height, wide, TILE, channels)

    def add(self, image: int, row: int, patches: torch.Tensor) -> None:
        """Patches (columns, extent, extent, C) of one row; each part of them TILE wide lands side by side."""
        strip = self.sums[image, row * TILE : row * TILE + self.extent]
        for right in range(0, self.extent, TILE):
            part = patches[:, :, right : right + TILE].transpose(0, 1)
            column = right // TILE
            strip[:, column : column + self.columns, : part.shape[2]] += part

    @property
    def image(self) -> torch.Tensor:
        return self.sums.flatten(2, 3)[:, :, : self.width].permute(0, 3, 1, 2)


def _all_rows(batch: int, rows: int) -> list[tuple[int, int]]:
    return [(image, row) for image in range(batch) for row in range(rows)]


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
