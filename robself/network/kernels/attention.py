"""Eq. 5 and 6 in place: keys are read from the image where they lie, so that neither tiles nor logits are stored.

A program answers the queries of one tile. Their windows lie within a square of `EXTENT` pixels a side, whose keys it
takes some at a time, with a running softmax (Dao, FlashAttention-2, 2023). Backward computes the weights anew from
each query's log-sum; a second kernel, turned round, collects what every key gets, so that nothing is added up in an
order that chance decides.
"""

import torch
import triton
import triton.language as tl

from robself.network.kernels.blocks import channels_last
from robself.network.reflection import reflect

LOWEST = tl.constexpr(
    -1e30
)  # below all logits, yet finite: a block outside a query's window must not give NaN
LOG2_E = tl.constexpr(1.4426950408889634)  # exp2() is what the hardware has


@triton.jit
def _tile(width, TILE: tl.constexpr):
    """This program's tile of an image `width` pixels wide: the row and the column of each of its pixels."""
    columns = tl.cdiv(width, TILE)
    place = tl.arange(0, TILE * TILE)
    row, column = tl.program_id(0) // columns, tl.program_id(0) % columns
    return row * TILE + place // TILE, column * TILE + place % TILE


@triton.jit
def _square(width, first, AT_ONCE: tl.constexpr, TILE: tl.constexpr, EXTENT: tl.constexpr):
    """Pixels `first`... of the square of EXTENT that begins at the tile's corner: their rows and columns.

    What is counted beyond the square lies in the row below it, which no window reaches.
    """
    columns = tl.cdiv(width, TILE)
    place = first + tl.arange(0, AT_ONCE)
    row, column = tl.program_id(0) // columns, tl.program_id(0) % columns
    return row * TILE + place // EXTENT, column * TILE + place % EXTENT


@triton.jit
def _located(y, x, height, width):
    """(N,) rows and columns -> (N,) positions in the batch, and which of them are in this program's image."""
    first = tl.program_id(1).to(tl.int64) * height * width  # with the channels, a batch may pass 2^31
    return first + y * width + x, (y >= 0) & (y < height) & (x >= 0) & (x < width)


@triton.jit
def _features(pointer, pixel, inside, CHANNELS: tl.constexpr, PADDED: tl.constexpr):
    """(N,) positions -> the pointers to (N, PADDED) features, and which of these exist."""
    channel = tl.arange(0, PADDED)
    exists = inside[:, None] & (channel < CHANNELS)[None, :]
    return pointer + pixel[:, None] * CHANNELS + channel[None, :], exists


@triton.jit
def _load(pointer, pixel, inside, CHANNELS: tl.constexpr, PADDED: tl.constexpr):
    at, exists = _features(pointer, pixel, inside, CHANNELS, PADDED)
    return tl.load(at, mask=exists, other=0.0)


@triton.jit
def _store(pointer, pixel, inside, features, CHANNELS: tl.constexpr, PADDED: tl.constexpr):
    at, exists = _features(pointer, pixel, inside, CHANNELS, PADDED)
    tl.store(at, features.to(pointer.dtype.element_ty), mask=exists)


@triton.jit
def _reach(important, pixel, inside, LARGE: tl.constexpr, SMALL: tl.constexpr):
    """(N,) positions -> half of each query's window."""
    reach = tl.full(inside.shape, LARGE // 2, tl.int32)
    if important is not None:
        reach = tl.where(tl.load(important + pixel, mask=inside, other=0) != 0, reach, SMALL // 2)
    return reach


@triton.jit
def _near(y, x, other_y, other_x, reach):
    """Which pixels lie in each other's window."""
    return tl.maximum(tl.abs(y - other_y), tl.abs(x - other_x)) <= reach


@triton.jit
def _forward(
    queries, keys, important, enhanced, log_sums, height, width,
    LARGE: tl.constexpr, SMALL: tl.constexpr, TILE: tl.constexpr, AT_ONCE: tl.constexpr,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Enhanced (B, H, W, C), and the log2 of each softmax's denominator, (B, H, W) float32."""
    HALO: tl.constexpr = LARGE // 2
    EXTENT: tl.constexpr = TILE + 2 * HALO
    y, x = _tile(width, TILE)
    pixel, inside = _located(y, x, height, width)
    query = _load(queries, pixel, inside, CHANNELS, PADDED)
    reach = _reach(important, pixel, inside, LARGE, SMALL)
    peak = tl.full((TILE * TILE,), LOWEST, tl.float32)
    total = tl.zeros((TILE * TILE,), tl.float32)
    mean = tl.zeros((TILE * TILE, PADDED), tl.float32)
    for first in range(0, EXTENT * EXTENT, AT_ONCE):
        key_y, key_x = _square(width, first, AT_ONCE, TILE, EXTENT)
        key_pixel, key_inside = _located(key_y, key_x, height + 2 * HALO, width + 2 * HALO)
        key = _load(keys, key_pixel, key_inside, CHANNELS, PADDED)
        near = _near(y[:, None] + HALO, x[:, None] + HALO, key_y[None, :], key_x[None, :], reach[:, None])
        logits = tl.where(near, tl.dot(query, tl.trans(key), input_precision=PRECISION), float("-inf"))
        higher = tl.maximum(peak, tl.max(logits, 1))
        weight = tl.exp2(logits * LOG2_E - (higher * LOG2_E)[:, None])
        shrunk = tl.exp2((peak - higher) * LOG2_E)
        total = total * shrunk + tl.sum(weight, 1)
        mean = tl.dot(weight.to(key.dtype), key, mean * shrunk[:, None], input_precision=PRECISION)
        peak = higher
    _store(enhanced, pixel, inside, mean / total[:, None], CHANNELS, PADDED)
    tl.store(log_sums + pixel, peak * LOG2_E + tl.log2(total), mask=inside)


@triton.jit
def _backward_of_queries(
    queries, keys, important, enhanced, log_sums, gradient, of_queries, shifts, height, width,
    LARGE: tl.constexpr, SMALL: tl.constexpr, TILE: tl.constexpr, AT_ONCE: tl.constexpr,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The queries' gradient (B, H, W, C), and gradient . enhanced, which the softmax subtracts: (B, H, W) float32."""
    HALO: tl.constexpr = LARGE // 2
    EXTENT: tl.constexpr = TILE + 2 * HALO
    y, x = _tile(width, TILE)
    pixel, inside = _located(y, x, height, width)
    query = _load(queries, pixel, inside, CHANNELS, PADDED)
    wanted = _load(gradient, pixel, inside, CHANNELS, PADDED)
    answer = _load(enhanced, pixel, inside, CHANNELS, PADDED)
    shift = tl.sum(wanted.to(tl.float32) * answer.to(tl.float32), 1)
    tl.store(shifts + pixel, shift, mask=inside)
    log_sum = tl.load(log_sums + pixel, mask=inside, other=0.0)
    reach = _reach(important, pixel, inside, LARGE, SMALL)
    of_query = tl.zeros((TILE * TILE, PADDED), tl.float32)
    for first in range(0, EXTENT * EXTENT, AT_ONCE):
        key_y, key_x = _square(width, first, AT_ONCE, TILE, EXTENT)
        key_pixel, key_inside = _located(key_y, key_x, height + 2 * HALO, width + 2 * HALO)
        key = _load(keys, key_pixel, key_inside, CHANNELS, PADDED)
        near = _near(y[:, None] + HALO, x[:, None] + HALO, key_y[None, :], key_x[None, :], reach[:, None])
        logits = tl.dot(query, tl.trans(key), input_precision=PRECISION)
        weight = tl.where(near, tl.exp2(logits * LOG2_E - log_sum[:, None]), 0.0)
        of_weight = tl.dot(wanted, tl.trans(key), input_precision=PRECISION)
        of_logits = weight * (of_weight - shift[:, None])
        of_query = tl.dot(of_logits.to(key.dtype), key, of_query, input_precision=PRECISION)
    _store(of_queries, pixel, inside, of_query, CHANNELS, PADDED)


@triton.jit
def _backward_of_keys(
    queries, keys, important, log_sums, gradient, of_keys, shifts, height, width,
    LARGE: tl.constexpr, SMALL: tl.constexpr, TILE: tl.constexpr, AT_ONCE: tl.constexpr,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The gradient of the padded keys, which are values, too: (B, H + LARGE - 1, W + LARGE - 1, C)."""
    HALO: tl.constexpr = LARGE // 2
    EXTENT: tl.constexpr = TILE + 2 * HALO
    key_y, key_x = _tile(width + 2 * HALO, TILE)
    key_pixel, key_inside = _located(key_y, key_x, height + 2 * HALO, width + 2 * HALO)
    key = _load(keys, key_pixel, key_inside, CHANNELS, PADDED)
    of_key = tl.zeros((TILE * TILE, PADDED), tl.float32)
    for first in range(0, EXTENT * EXTENT, AT_ONCE):
        # Of the queries, `y` and `x` are where their windows' centres lie in the padded image.
        y, x = _square(width + 2 * HALO, first, AT_ONCE, TILE, EXTENT)
        y, x = y - HALO, x - HALO
        pixel, inside = _located(y - HALO, x - HALO, height, width)
        query = _load(queries, pixel, inside, CHANNELS, PADDED)  # zeros outside the image, which add nothing
        wanted = _load(gradient, pixel, inside, CHANNELS, PADDED)
        log_sum = tl.load(log_sums + pixel, mask=inside, other=0.0)
        shift = tl.load(shifts + pixel, mask=inside, other=0.0)
        reach = _reach(important, pixel, inside, LARGE, SMALL)
        # With the keys as columns, what is known of a query is needed by few threads: half the instructions.
        near = _near(y[:, None], x[:, None], key_y[None, :], key_x[None, :], reach[:, None])
        logits = tl.dot(query, tl.trans(key), input_precision=PRECISION)
        weight = tl.where(near, tl.exp2(logits * LOG2_E - log_sum[:, None]), 0.0)
        of_weight = tl.dot(wanted, tl.trans(key), input_precision=PRECISION)
        of_logits = weight * (of_weight - shift[:, None])
        of_key = tl.dot(tl.trans(weight.to(key.dtype)), wanted, of_key, input_precision=PRECISION)
        of_key = tl.dot(tl.trans(of_logits.to(key.dtype)), query, of_key, input_precision=PRECISION)
    _store(of_keys, key_pixel, key_inside, of_key, CHANNELS, PADDED)


def _blocks(channels: int, dtype: torch.dtype) -> dict:
    """How much one program takes, as the kernels' arguments: what fits the registers of its threads."""
    padded = max(16, triton.next_power_of_2(channels))  # what a block may measure, a product's side at least
    exact = dtype.itemsize > 2
    features = {"CHANNELS": channels, "PADDED": padded, "PRECISION": "tf32x3" if exact else "tf32"}
    pixel = padded * dtype.itemsize
    if pixel > 256:  # bytes
        return features | {"TILE": 4, "AT_ONCE": 16, "num_warps": 4, "num_stages": 1}
    # Hopper multiplies 64 rows at once: those of a tile of 8 x 8, and of a block that is turned round.
    few = pixel <= 128
    return features | {"TILE": 8, "AT_ONCE": 64, "num_warps": 4 if few else 8, "num_stages": 3 if few else 1}


def _run(kernel, tiled: torch.Tensor, tensors, large: int, small: int) -> None:
    """A program for every tile of `tiled` (B, C, ., .); the first of `tensors` are the queries (B, C, H, W)."""
    channels, height, width = tensors[0].shape[1:]
    blocks = _blocks(channels, tiled.dtype)
    rows, columns = (triton.cdiv(size, blocks["TILE"]) for size in tiled.shape[2:])
    with torch.cuda.device_of(tiled):
        kernel[rows * columns, len(tiled)](*tensors, height, width, LARGE=large, SMALL=small, **blocks)


class _AttentionInPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, queries, keys, important, large: int, small: int):
        enhanced = torch.empty_like(queries)
        log_sums = queries.new_empty(len(queries), *queries.shape[2:], dtype=torch.float32)
        _run(_forward, queries, (queries, keys, important, enhanced, log_sums), large, small)
        ctx.save_for_backward(queries, keys, important, enhanced, log_sums)
        ctx.kernels = large, small
        return enhanced

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        queries, keys, important, enhanced, log_sums = ctx.saved_tensors
        gradient = channels_last(gradient)
        of_queries, of_keys, shifts = map(torch.empty_like, (queries, keys, log_sums))
        asked = queries, keys, important
        of_asked = (*asked, enhanced, log_sums, gradient, of_queries, shifts)
        _run(_backward_of_queries, queries, of_asked, *ctx.kernels)  # computes the shifts for the other
        _run(_backward_of_keys, keys, (*asked, log_sums, gradient, of_keys, shifts), *ctx.kernels)
        return of_queries, of_keys, None, None, None


def attention_in_place(
    reference: torch.Tensor, source: torch.Tensor, large: int, small: int, important: torch.Tensor | None
) -> torch.Tensor:
    """See `neighbourhood_attention`. Up to 256 channels of 16 or 32 bits; channels last is what costs no copy."""
    halo = large // 2
    keys = channels_last(reflect(source, padding=(halo, halo, halo, halo)))
    important = None if important is None else important.contiguous()
    return _AttentionInPlace.apply(channels_last(reference), keys, important, large, small)
