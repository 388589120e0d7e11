"""Sampling at displaced positions on a GPU: one kernel forward and one backward, in the feature's own type."""

import torch
import triton
import triton.language as tl
from torch.autograd.function import once_differentiable

from robself.network.kernels.blocks import block_of, channels_last, empty_feature, places


@triton.jit
def _coordinate(position, last, scale):
    """Where to look along one axis, 0..last, and whether that changes with the position."""
    # Rounded as `robself.network.sampling` does: that decides which of two gradients a whole pixel has.
    rounded = (position * scale - 1.0 + 1.0) * (tl.maximum(last, 1).to(tl.float32) * 0.5)
    return tl.minimum(tl.maximum(rounded, 0.0), last.to(tl.float32)), (rounded > 0.0) & (rounded < last)


@triton.jit
def _four_pixels(positions, pixel, known, area, height, width, x_scale, y_scale):
    """Of each sample: indices of the pixels around it, how far right of and below the first it lies, in px,
    whether it is a number and whether its value changes with x and y. All (PIXELS,)."""
    x = tl.load(positions + 2 * pixel, mask=known, other=0.0)
    y = tl.load(positions + 2 * pixel + 1, mask=known, other=0.0)
    number = (tl.abs(x) < float("inf")) & (tl.abs(y) < float("inf"))
    x, moves_x = _coordinate(tl.where(number, x, 0.0), width - 1, x_scale)
    y, moves_y = _coordinate(tl.where(number, y, 0.0), height - 1, y_scale)
    left, top = tl.floor(x), tl.floor(y)
    across, down = x - left, y - top
    left, top = left.to(tl.int32), top.to(tl.int32)
    right = tl.minimum(left + 1, width - 1)
    image = (pixel // area) * height
    first, second = (image + top) * width, (image + tl.minimum(top + 1, height - 1)) * width
    return first + left, first + right, second + left, second + right, across, down, number, moves_x, moves_y


@triton.jit(do_not_specialize=["height", "width"])  # 1 would be a constant, which has no type
def _forward(
    feature,
    positions,
    samples,
    count,
    area,
    height,
    width,
    x_scale,
    y_scale,
    channels: tl.constexpr,
    PIXELS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.arange(0, CHANNELS)
    known = pixel < count
    a, b, c, d, across, down, number, _, _ = _four_pixels(
        positions, pixel, known, area, height, width, x_scale, y_scale
    )
    there = known[:, None] & (channel < channels)[None, :]
    mixed = ((1 - down) * (1 - across))[:, None] * tl.load(
        feature + places(a, channel, channels), mask=there, other=0.0
    ).to(tl.float32)
    mixed += ((1 - down) * across)[:, None] * tl.load(
        feature + places(b, channel, channels), mask=there, other=0.0
    ).to(tl.float32)
    mixed += (down * (1 - across))[:, None] * tl.load(
        feature + places(c, channel, channels), mask=there, other=0.0
    ).to(tl.float32)
    mixed += (down * across)[:, None] * tl.load(
        feature + places(d, channel, channels), mask=there, other=0.0
    ).to(tl.float32)
    mixed = tl.where(number[:, None], mixed, float("nan"))
    tl.store(samples + places(pixel, channel, channels), mixed.to(samples.dtype.element_ty), mask=there)


@triton.jit(do_not_specialize=["height", "width"])
def _backward(
    gradient,
    feature,
    positions,
    feature_gradient,
    positions_gradient,
    count,
    area,
    height,
    width,
    x_scale,
    y_scale,
    channels: tl.constexpr,
    TO_FEATURE: tl.constexpr,
    TO_POSITIONS: tl.constexpr,
    PIXELS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.arange(0, CHANNELS)
    known = pixel < count
    a, b, c, d, across, down, number, moves_x, moves_y = _four_pixels(
        positions, pixel, known, area, height, width, x_scale, y_scale
    )
    there = (known & number)[:, None] & (channel < channels)[None, :]
    slope = tl.load(gradient + places(pixel, channel, channels), mask=there, other=0.0).to(tl.float32)
    a, b = places(a, channel, channels), places(b, channel, channels)
    c, d = places(c, channel, channels), places(d, channel, channels)
    across, down = across[:, None], down[:, None]
    if TO_FEATURE:
        above, below = slope * (1 - down), slope * down
        tl.atomic_add(feature_gradient + a, above * (1 - across), mask=there, sem="relaxed")
        tl.atomic_add(feature_gradient + b, above * across, mask=there, sem="relaxed")
        tl.atomic_add(feature_gradient + c, below * (1 - across), mask=there, sem="relaxed")
        tl.atomic_add(feature_gradient + d, below * across, mask=there, sem="relaxed")
    if TO_POSITIONS:
        upper_left = tl.load(feature + a, mask=there, other=0.0).to(tl.float32)
        upper_right = tl.load(feature + b, mask=there, other=0.0).to(tl.float32)
        lower_left = tl.load(feature + c, mask=there, other=0.0).to(tl.float32)
        lower_right = tl.load(feature + d, mask=there, other=0.0).to(tl.float32)
        to_x = (1 - down) * (upper_right - upper_left) + down * (lower_right - lower_left)
        to_y = (1 - across) * (lower_left - upper_left) + across * (lower_right - upper_right)
        to_x, to_y = tl.sum(slope * to_x, 1), tl.sum(slope * to_y, 1)
        tl.store(positions_gradient + 2 * pixel, tl.where(moves_x, to_x, 0.0), mask=known)
        tl.store(positions_gradient + 2 * pixel + 1, tl.where(moves_y, to_y, 0.0), mask=known)


def _geometry(feature: torch.Tensor, positions: torch.Tensor) -> tuple:
    """The arguments that both kernels end with, and the number of samples."""
    channels, height, width = feature.shape[1:]
    count, area = positions.numel() // 2, positions.shape[1] * positions.shape[2]
    return count, area, height, width, 2 / max(width - 1, 1), 2 / max(height - 1, 1), channels


class _Sampling(torch.autograd.Function):
    @staticmethod
    def forward(ctx, feature: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        feature, positions = channels_last(feature), positions.contiguous()
        ctx.save_for_backward(feature, positions)
        batch, channels = feature.shape[:2]
        samples = empty_feature(batch, channels, *positions.shape[1:3], like=feature)
        block = block_of(channels)
        geometry = _geometry(feature, positions)
        # Without fused sums of products, which round once where `_coordinate` says twice.
        _forward[(triton.cdiv(geometry[0], block["PIXELS"]),)](
            feature, positions, samples, *geometry, **block, enable_fp_fusion=False
        )
        return samples

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor):
        feature, positions = ctx.saved_tensors
        to_feature, to_positions = ctx.needs_input_grad
        # Summed in float32, also of a 16-bit feature: several samples may share a pixel.
        feature_gradient = torch.zeros_like(feature, dtype=torch.float32) if to_feature else feature
        positions_gradient = torch.empty_like(positions) if to_positions else positions
        block = block_of(feature.shape[1])
        geometry = _geometry(feature, positions)
        _backward[(triton.cdiv(geometry[0], block["PIXELS"]),)](
            channels_last(gradient),
            feature,
            positions,
            feature_gradient,
            positions_gradient,
            *geometry,
            to_feature,
            to_positions,
            **block,
            enable_fp_fusion=False,
        )
        return (
            feature_gradient.to(feature.dtype) if to_feature else None,
            positions_gradient if to_positions else None,
        )


def sampled(feature: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """`robself.network.sampling.sample`, but that a position which is not finite spoils its own sample alone.

    Args:
        feature: (B, C, H, W), channels last, bfloat16 or float32.
        positions: (B, H', W', 2) float32, (x, y) in px.

    Returns:
        (B, C, H', W') in the feature's type, channels last. The gradient with respect to the feature is a sum by
        atomics, in no fixed order.
    """
    return _Sampling.apply(feature, positions)
