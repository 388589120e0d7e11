"""Reflection padding that keeps the feature's type and memory layout.

PyTorch's own reflection padding turns 16-bit channels-last features into 32-bit channels-first ones and back,
which costs more than the convolution that follows.
"""

from functools import lru_cache

import torch

from robself.network import kernels


def reflect_indices(size: int, before: int, after: int) -> list[int]:
    """Positions in 0..size-1 of a row of `size` pixels mirrored about its end pixels, as often as needed."""
    period = max(2 * (size - 1), 1)
    wrapped = (abs(index) % period for index in range(-before, size + after))
    return [min(index, period - index) if size > 1 else 0 for index in wrapped]


class _ReflectionPadding(torch.autograd.Function):
    @staticmethod
    def forward(ctx, padding: tuple[int, int, int, int], *images: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = images[0].shape
        left, right, top, bottom = ctx.padding = padding
        ctx.size = height, width
        ctx.channels = [image.shape[1] for image in images]
        padded = torch.empty(
            (batch, sum(ctx.channels), height + top + bottom, width + left + right),
            dtype=images[0].dtype,
            device=images[0].device,
            memory_format=torch.channels_last,
        )
        inside = padded[..., top : top + height, :]
        for part, image in zip(inside.split(ctx.channels, dim=1), images, strict=True):
            part[..., left : left + width].copy_(image)
        for target, origin in _mirrors(width, left, right):
            inside[..., target].copy_(inside[..., left + origin])
        for target, origin in _mirrors(height, top, bottom):
            padded[..., target, :].copy_(padded[..., top + origin, :])
        return padded

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        left, right, top, bottom = ctx.padding
        height, width = ctx.size
        inside = gradient[..., top : top + height, :].clone(memory_format=torch.channels_last)
        for target, origin in _mirrors(height, top, bottom):
            inside[..., origin, :] += gradient[..., target, :]
        result = inside[..., left : left + width]
        for target, origin in _mirrors(width, left, right):
            result[..., origin] += inside[..., target]
        parts = result.split(ctx.channels, dim=1)
        return None, *(part.clone(memory_format=torch.channels_last) for part in parts)


@lru_cache(maxsize=256)
def _mirrors(size: int, before: int, after: int) -> list[tuple[int, int]]:
    """(position in the padded row, position in the row that it repeats) of every padded pixel."""
    origins = reflect_indices(size, before, after)
    outside = [*range(before), *range(before + size, before + size + after)]
    return [(target, origins[target]) for target in outside]


def reflect(*images: torch.Tensor, padding: tuple[int, int, int, int]) -> torch.Tensor:
    """(B, C_i, H, W), (left, right, top, bottom) -> (B, sum of C_i, top + H + bottom, left + W + right), channels last.

    Several images are put together on the way: to do that first would be as much work again. Also serves images
    smaller than their padding: they are mirrored again and again.
    """
    if len(images) == 1 and not any(padding):
        return images[0]
    height, width = images[0].shape[-2:]
    once = (
        max(padding[:2]) < width and max(padding[2:]) < height
    )  # every pixel is mirrored once a side at most
    if once and kernels.usable(images[0]):
        from robself.network.kernels.padding import padded

        return padded(padding, *images)
    return reflect_plainly(padding, *images)


def reflect_plainly(padding: tuple[int, int, int, int], *images: torch.Tensor) -> torch.Tensor:
    """The same by PyTorch's operations."""
    return _ReflectionPadding.apply(padding, *images)
