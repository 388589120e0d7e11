"""The descent along the edge prior on a GPU: two kernels a step, where PyTorch's operations are some seventy."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from robself import sharpening
from robself.preparation import Observation

PIXELS = 512  # of a block: four to each thread of four warps
SOURCE_PIXELS = 128  # each of which sums up many

_STEEP = tl.constexpr(sharpening.STEEP**2)
_ANCHOR_STEEP = tl.constexpr(sharpening.ANCHOR_STEEP**2)
_ANCHORING = tl.constexpr(sharpening.ANCHORING)
_NEW = tl.constexpr(1 - sharpening.MOMENTUM)
_NEW_SCALE = tl.constexpr(1 - sharpening.SCALE_MOMENTUM)


@triton.jit
def _pull(
    x, source, valid, pull, columns, count, fidelity,
    FACTOR: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The fidelity's gradient, which all pixels of a source pixel share. (H, W), two (h, w) -> (h, w)."""
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    known = pixel < count
    first = pixel // columns * (FACTOR[0] * columns * FACTOR[1]) + pixel % columns * FACTOR[1]
    total = tl.zeros((BLOCK,), tl.float32)
    for row in range(FACTOR[0]):  # in the order of PyTorch's pooling, and rounded alike:
        for column in range(FACTOR[1]):  # Adam makes whole steps of what rounding leaves where all is flat
            total += tl.load(x + first + (row * columns * FACTOR[1] + column), mask=known, other=0.0)
    mean = tl.div_rn(total, tl.full((BLOCK,), FACTOR[0] * FACTOR[1], tl.float32))
    missing = mean - tl.load(source + pixel, mask=known, other=0.0)
    missing *= fidelity * tl.load(valid + pixel, mask=known, other=0.0)
    tl.store(pull + pixel, missing / (FACTOR[0] * FACTOR[1]), mask=known)


@triton.jit
def _slope(difference):
    """Twice the derivative of (d^2 + STEEP^2)^(1/4), which is d / 2 (d^2 + STEEP^2)^(-3/4)."""
    root = tl.rsqrt(difference * difference + _STEEP)
    return difference * root * tl.sqrt(root)


@triton.jit
def _descend(
    before, image, pull, momentum, scale, after, height, width, rate,
    TERMS: tl.constexpr, FACTOR: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """A step of Adam, from one image to another since every pixel looks at its neighbours. All (H, W), but pull."""
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row, column = pixel // width, pixel % width
    known = row < height
    x = tl.load(before + pixel, mask=known, other=0.0)
    away = x - tl.load(image + pixel, mask=known, other=0.0)
    gradient = away * tl.rsqrt(away * away + _ANCHOR_STEEP) * _ANCHORING
    gradient += tl.load(
        pull + row // FACTOR[0] * (width // FACTOR[1]) + column // FACTOR[1], mask=known, other=0.0
    )
    for term in tl.static_range(len(TERMS)):
        # An offset's sum over the image holds every pixel twice: as the one there, and as the one here.
        down, right, weight = TERMS[term][0], TERMS[term][1], TERMS[term][2]
        offset = down * width + right
        here = known & (row >= down) & (column >= right) & (column < width + right)
        neighbour = tl.load(before + pixel - offset, mask=here, other=0.0)
        gradient += tl.where(here, _slope(x - neighbour) * weight, 0.0)
        there = known & (row + down < height) & (column + right >= 0) & (column + right < width)
        neighbour = tl.load(before + pixel + offset, mask=there, other=0.0)
        gradient -= tl.where(there, _slope(neighbour - x) * weight, 0.0)
    mean = tl.load(momentum + pixel, mask=known, other=0.0)
    mean += (gradient - mean) * _NEW
    square = tl.load(scale + pixel, mask=known, other=0.0)
    square += (gradient * gradient - square) * _NEW_SCALE
    tl.store(momentum + pixel, mean, mask=known)
    tl.store(scale + pixel, square, mask=known)
    tl.store(after + pixel, x - rate * mean * tl.rsqrt(square + 1e-16), mask=known)


def sharpened_by_kernels(image: torch.Tensor, observation: Observation, steps: int) -> torch.Tensor:
    """`robself.sharpening.sharpened` of an image on a GPU. Shape: (1, 1, H, W) float32 -> the same."""
    if not steps:
        return image
    pool, source, valid = observation.pool, observation.source.contiguous(), observation.valid.contiguous()
    image = image.contiguous()
    height, width = image.shape[-2:]
    fidelity = 2 * sharpening.FIDELITY * (image.numel() / source.numel())
    # The kernel's slope is twice the derivative.
    terms = [tuple((*offset, weight / 2) for *offset, weight in turn) for turn in sharpening.turns()]
    buffers = torch.empty_like(image), torch.empty_like(image)
    momentum, scale, pull = torch.zeros_like(image), torch.zeros_like(image), torch.empty_like(source)
    x = image
    for step in range(steps):
        if pool.factor:
            _pull[(triton.cdiv(source.numel(), SOURCE_PIXELS),)](
                x, source, valid, pull, source.shape[-1], source.numel(), fidelity, pool.factor, SOURCE_PIXELS
            )
        else:
            pull = pool.adjoint(fidelity * valid * (pool(x) - source)).contiguous()
        _descend[(triton.cdiv(image.numel(), PIXELS),)](
            x, image, pull, momentum, scale, buffers[step % 2], height, width,
            sharpening.rate(step, steps),
            terms[step % sharpening.TURNS], pool.factor or (1, 1), PIXELS,
        )  # fmt: skip
        x = buffers[step % 2]
    return x
