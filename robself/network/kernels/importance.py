"""Eq. 3's mean gradient magnitude on a GPU, in one pass over the source's feature."""

import torch
import triton
import triton.language as tl

from robself.network.kernels.blocks import block_of, channels_last, mirrored, places


@triton.jit
def _sobel(
    source, importance, count, height, width,
    channels: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.arange(0, CHANNELS)
    known = pixel < count
    there = known[:, None] & (channel < channels)[None, :]
    column, row = pixel % width, pixel // width % height
    image = pixel // width - row
    horizontal = tl.zeros((PIXELS, CHANNELS), tl.float32)
    vertical = tl.zeros((PIXELS, CHANNELS), tl.float32)
    for down in tl.static_range(-1, 2):
        for right in tl.static_range(-1, 2):
            if down != 0 or right != 0:
                at = (image + mirrored(row + down, height)) * width + mirrored(column + right, width)
                place = places(at, channel, channels)
                value = tl.load(source + place, mask=there, other=0.0).to(tl.float32)
                horizontal += right * (2 - down * down) * value
                vertical += down * (2 - right * right) * value
    magnitude = tl.sqrt(horizontal * horizontal + vertical * vertical)
    tl.store(importance + pixel, tl.sum(magnitude, 1) / channels, mask=known)


def gradient_magnitude(source: torch.Tensor) -> torch.Tensor:
    """`robself.network.reference_filter.importance_map`, without a gradient.

    Shape: (B, C, H, W), channels last, bfloat16 or float32 -> (B, H, W) float32.
    """
    batch, channels, height, width = source.shape
    importance = torch.empty((batch, height, width), dtype=torch.float32, device=source.device)
    block = block_of(channels)
    _sobel[(triton.cdiv(importance.numel(), block["PIXELS"]),)](
        channels_last(source), importance, importance.numel(), height, width, channels, **block
    )
    return importance
