"""What follows a convolution's sums: bias, a residual, ReLU. One pass over memory, and one back."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from robself.network.kernels.blocks import channels_last

ELEMENTS = 4096  # of a program's block
MOST_PROGRAMS = 1024  # that add up a bias's gradient


@triton.jit
def _finish(
    image, bias, residual, pixels,
    CHANNELS: tl.constexpr, RELU: tl.constexpr, RESIDUAL: tl.constexpr, PIXELS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0).to(tl.int64) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.arange(0, BLOCK)
    there = (pixel < pixels)[:, None] & (channel < CHANNELS)[None, :]
    place = pixel[:, None] * CHANNELS + channel[None, :]
    value = tl.load(image + place, mask=there).to(tl.float32)
    value += tl.load(bias + channel, mask=channel < CHANNELS).to(tl.float32)[None, :]
    if RESIDUAL:
        value += tl.load(residual + place, mask=there).to(tl.float32)
    if RELU:
        value = tl.where(value <= 0, 0.0, value)  # keeps NaN, which a maximum would not
    tl.store(image + place, value, mask=there)


@triton.jit
def _gradients(
    gradient, output, passed, sums, pixels, each,
    CHANNELS: tl.constexpr, RELU: tl.constexpr, PIXELS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    channel = tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), tl.float32)
    begin = tl.program_id(0).to(tl.int64) * each
    for start in range(0, each, PIXELS):
        pixel = begin + start + tl.arange(0, PIXELS)
        there = (pixel < pixels)[:, None] & (channel < CHANNELS)[None, :]
        place = pixel[:, None] * CHANNELS + channel[None, :]
        value = tl.load(gradient + place, mask=there, other=0.0).to(tl.float32)
        if RELU:
            value = tl.where(tl.load(output + place, mask=there, other=1.0).to(tl.float32) <= 0, 0.0, value)
            tl.store(passed + place, value, mask=there)
        total += tl.sum(value, 0)
    tl.store(sums + tl.program_id(0) * CHANNELS + channel, total, mask=channel < CHANNELS)


class _Finishing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, image, bias, residual, relu: bool):
        if not image.is_contiguous(memory_format=torch.channels_last):
            raise ValueError("finished: expected an image whose channels are last in memory")
        channels = image.shape[1]
        pixels = image.numel() // channels
        block, width = _blocks(channels)
        if residual is not None:
            residual = channels_last(residual)
        _finish[(triton.cdiv(pixels, width),)](
            image, bias, image if residual is None else residual, pixels,
            channels, relu, residual is not None, width, block,
        )  # fmt: skip
        ctx.mark_dirty(image)
        ctx.relu = relu
        if relu:
            ctx.save_for_backward(image)
        return image

    @staticmethod
    def backward(ctx, gradient):
        gradient = channels_last(gradient)
        output = ctx.saved_tensors[0] if ctx.relu else gradient
        passed = torch.empty_like(gradient) if ctx.relu else gradient
        channels = gradient.shape[1]
        pixels = gradient.numel() // channels
        block, width = _blocks(channels)
        each = triton.cdiv(triton.cdiv(pixels, width), MOST_PROGRAMS) * width
        programs = triton.cdiv(pixels, each)
        sums = torch.empty((programs, channels), dtype=torch.float32, device=gradient.device)
        _gradients[(programs,)](
            gradient, output, passed, sums, pixels, each, channels, ctx.relu, width, block
        )
        return passed, sums.sum(0), passed if ctx.needs_input_grad[2] else None, None


def _blocks(channels: int) -> tuple[int, int]:
    """Channels and pixels of a program's block."""
    block = triton.next_power_of_2(channels)
    return block, max(1, ELEMENTS // block)


def finished(
    image: torch.Tensor, bias: torch.Tensor, residual: torch.Tensor | None = None, relu: bool = False
) -> torch.Tensor:
    """image + bias + residual, negative values to zero if `relu`, written over `image`.

    Shape: (B, C, H, W) channels last, (C,) float32, (B, C, H, W) -> (B, C, H, W).
    """
    return _Finishing.apply(image, bias, residual, relu)
