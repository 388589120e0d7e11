"""Reflection padding of several features into one, channels last, and its adjoint: one pass over memory each."""

import torch
import triton
import triton.language as tl

from robself.network.kernels.blocks import channels_last, empty_feature, mirrored

ELEMENTS = 4096  # of a program's block


@triton.jit
def _pad(
    image, padded, height, width, padded_height, padded_width, top, left, first_channel,
    CHANNELS: tl.constexpr, PADDED_CHANNELS: tl.constexpr, PIXELS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    column = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    row, batch = tl.program_id(1), tl.program_id(2).to(tl.int64)
    channel = tl.arange(0, BLOCK)[None, :]
    there = (column < padded_width)[:, None] & (channel < CHANNELS)
    origin = (batch * height + mirrored(row - top, height)) * width + mirrored(column - left, width)
    target = (batch * padded_height + row) * padded_width + column
    value = tl.load(image + origin[:, None] * CHANNELS + channel, mask=there)
    tl.store(padded + target[:, None] * PADDED_CHANNELS + first_channel + channel, value, mask=there)


@triton.jit
def _fold(
    padded, image, height, width, padded_height, padded_width, top, bottom, left, right, first_channel,
    CHANNELS: tl.constexpr, PADDED_CHANNELS: tl.constexpr, PIXELS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    column = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    row, batch = tl.program_id(1), tl.program_id(2).to(tl.int64)
    channel = tl.arange(0, BLOCK)[None, :]
    there = (column < width)[:, None] & (channel < CHANNELS)
    total = tl.zeros((PIXELS, BLOCK), tl.float32)
    # A row itself, its mirror image above the first row, and that below the last.
    for down in tl.static_range(3):
        if down == 0:
            from_row, known_row = top + row, row >= 0
        elif down == 1:
            from_row, known_row = top - row, (row >= 1) & (row <= top)
        else:
            from_row = top + 2 * (height - 1) - row
            known_row = (row <= height - 2) & (row >= height - 1 - bottom)
        if known_row:
            for across in tl.static_range(3):
                if across == 0:
                    from_column, known = left + column, column >= 0
                elif across == 1:
                    from_column, known = left - column, (column >= 1) & (column <= left)
                else:
                    from_column = left + 2 * (width - 1) - column
                    known = (column <= width - 2) & (column >= width - 1 - right)
                origin = (batch * padded_height + from_row) * padded_width + from_column
                total += tl.load(
                    padded + origin[:, None] * PADDED_CHANNELS + first_channel + channel,
                    mask=there & known[:, None],
                    other=0.0,
                ).to(tl.float32)
    target = (batch * height + row) * width + column
    tl.store(image + target[:, None] * CHANNELS + channel, total, mask=there)


class _Padding(torch.autograd.Function):
    @staticmethod
    def forward(ctx, padding: tuple[int, int, int, int], *images: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = images[0].shape
        left, right, top, bottom = ctx.padding = padding
        ctx.size, ctx.channels = (height, width), [image.shape[1] for image in images]
        padded = empty_feature(
            batch, sum(ctx.channels), height + top + bottom, width + left + right, like=images[0]
        )
        first = 0
        for image in images:
            image = channels_last(image)
            grid, blocks = _launch(image.shape[1], padded.shape)
            _pad[grid](
                image, padded, height, width, *padded.shape[-2:], top, left, first,
                image.shape[1], padded.shape[1], **blocks,
            )  # fmt: skip
            first += image.shape[1]
        return padded

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        left, right, top, bottom = ctx.padding
        gradient = channels_last(gradient)
        batch = len(gradient)
        parts, first = [], 0
        for channels, wanted in zip(ctx.channels, ctx.needs_input_grad[1:], strict=True):
            part = None
            if wanted:
                part = empty_feature(batch, channels, *ctx.size, like=gradient)
                grid, blocks = _launch(channels, part.shape)
                _fold[grid](
                    gradient, part, *ctx.size, *gradient.shape[-2:], top, bottom, left, right, first,
                    channels, gradient.shape[1], **blocks,
                )  # fmt: skip
            parts.append(part)
            first += channels
        return None, *parts


def _launch(channels: int, shape: tuple[int, ...]) -> tuple[tuple[int, int, int], dict[str, int]]:
    """Programs by columns, rows and images of the output, and their blocks."""
    block = triton.next_power_of_2(channels)
    pixels = max(1, min(ELEMENTS // block, triton.next_power_of_2(shape[-1])))
    return (triton.cdiv(shape[-1], pixels), shape[-2], shape[0]), {"PIXELS": pixels, "BLOCK": block}


def padded(padding: tuple[int, int, int, int], *images: torch.Tensor) -> torch.Tensor:
    """See `robself.network.reflection.reflect`; the padding must be smaller than the image."""
    return _Padding.apply(padding, *images)
