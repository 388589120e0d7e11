"""Bilinear upsampling by two on a GPU, channels last: `F.interpolate` and its gradient, each in one pass."""

import torch
import triton
import triton.language as tl
from torch.autograd.function import once_differentiable

from robself.network.kernels.blocks import block_of, channels_last, empty_feature, places


@triton.jit
def _row(feature, at, left, right, column, channel, there, channels: tl.constexpr):
    """Two pixels, between `left` and `column` and between `column` and `right`, of a row that begins `at`."""
    middle = tl.load(feature + places(at + column, channel, channels), mask=there, other=0.0).to(tl.float32)
    left = tl.load(feature + places(at + left, channel, channels), mask=there, other=0.0).to(tl.float32)
    right = tl.load(feature + places(at + right, channel, channels), mask=there, other=0.0).to(tl.float32)
    return 0.25 * left + 0.75 * middle, 0.75 * middle + 0.25 * right


@triton.jit
def _store(doubled, pixel, channel, value, there, channels: tl.constexpr):
    tl.store(doubled + places(pixel, channel, channels), value.to(doubled.dtype.element_ty), mask=there)


@triton.jit
def _forward(
    feature, doubled, count, height, width,
    channels: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Every pixel becomes four, each of which takes a quarter of the neighbour on its side, per axis."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.arange(0, CHANNELS)
    there = (pixel < count)[:, None] & (channel < channels)[None, :]
    column, row = pixel % width, pixel // width % height
    left, right = tl.maximum(column - 1, 0), tl.minimum(column + 1, width - 1)
    image = pixel // width - row
    here = (image + row) * width
    above = (image + tl.maximum(row - 1, 0)) * width
    below = (image + tl.minimum(row + 1, height - 1)) * width
    middle_left, middle_right = _row(feature, here, left, right, column, channel, there, channels)
    other_left, other_right = _row(feature, above, left, right, column, channel, there, channels)
    first = 4 * here + 2 * column
    _store(doubled, first, channel, 0.25 * other_left + 0.75 * middle_left, there, channels)
    _store(doubled, first + 1, channel, 0.25 * other_right + 0.75 * middle_right, there, channels)
    other_left, other_right = _row(feature, below, left, right, column, channel, there, channels)
    second = first + 2 * width
    _store(doubled, second, channel, 0.75 * middle_left + 0.25 * other_left, there, channels)
    _store(doubled, second + 1, channel, 0.75 * middle_right + 0.25 * other_right, there, channels)


@triton.jit
def _share(index, tap: tl.constexpr, size):
    """What pixel `index` of an axis gives to the doubled pixel 2 index + tap, -1 <= tap <= 2."""
    if tap == -1:
        return tl.where(index > 0, 0.25, 0.0)
    elif tap == 0:
        return tl.where(index > 0, 0.75, 1.0)
    elif tap == 1:
        return tl.where(index < size - 1, 0.75, 1.0)
    else:
        return tl.where(index < size - 1, 0.25, 0.0)


@triton.jit
def _backward(
    gradient, feature_gradient, count, height, width,
    channels: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.arange(0, CHANNELS)
    there = (pixel < count)[:, None] & (channel < channels)[None, :]
    column, row = pixel % width, pixel // width % height
    first = 4 * (pixel - column) + 2 * column
    total = tl.zeros((PIXELS, CHANNELS), tl.float32)
    for down in tl.static_range(-1, 3):
        for right in tl.static_range(-1, 3):
            share = _share(row, down, height) * _share(column, right, width)
            at = first + down * 2 * width + right
            value = tl.load(
                gradient + places(at, channel, channels), mask=there & (share > 0.0)[:, None], other=0.0
            )
            total += share[:, None] * value.to(tl.float32)
    _store(feature_gradient, pixel, channel, total, there, channels)


class _Doubling(torch.autograd.Function):
    @staticmethod
    def forward(ctx, feature: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = feature.shape
        doubled = empty_feature(batch, channels, 2 * height, 2 * width, like=feature)
        _launch(_forward, channels_last(feature), doubled, feature.shape)
        return doubled

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = gradient.shape
        feature_gradient = empty_feature(batch, channels, height // 2, width // 2, like=gradient)
        _launch(_backward, channels_last(gradient), feature_gradient, feature_gradient.shape)
        return feature_gradient


def _launch(kernel, origin: torch.Tensor, target: torch.Tensor, shape: torch.Size) -> None:
    """One program for each block of the small feature's pixels."""
    batch, channels, height, width = shape
    count, block = batch * height * width, block_of(channels)
    kernel[(triton.cdiv(count, block["PIXELS"]),)](origin, target, count, height, width, channels, **block)


def doubled(feature: torch.Tensor) -> torch.Tensor:
    """`F.interpolate(feature, scale_factor=2, mode="bilinear", align_corners=False)`.

    Shape: (B, C, H, W), channels last, bfloat16 or float32 -> (B, C, 2 H, 2 W), the same.
    """
    return _Doubling.apply(feature)
