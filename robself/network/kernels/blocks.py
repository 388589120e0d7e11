"""How the kernels cut up a channels-last feature: into blocks of pixels, each with all of its channels."""

import torch
import triton
import triton.language as tl

ELEMENTS = 1024  # of a block: eight to each thread of four warps, 16 bytes of bfloat16
MOST_PIXELS = 256  # of few channels: what is computed of each pixel takes registers, too


def block_of(channels: int) -> dict[str, int]:
    """The block's shape (PIXELS, CHANNELS), both powers of two, as a kernel's arguments."""
    padded = triton.next_power_of_2(channels)
    return {"PIXELS": min(max(ELEMENTS // padded, 1), MOST_PIXELS), "CHANNELS": padded}


@triton.jit
def places(pixel, channel, channels: tl.constexpr):
    """Where the channels of some pixels lie. Shape: (PIXELS,), (CHANNELS,) -> (PIXELS, CHANNELS) int64."""
    return pixel.to(tl.int64)[:, None] * channels + channel[None, :]


@triton.jit
def mirrored(index, size):
    """Positions less than `size` outside of a row, mirrored about its end pixels; a single pixel mirrors itself."""
    index = tl.where(index < 0, -index, index)
    return tl.maximum(tl.minimum(index, 2 * (size - 1) - index), 0)


def channels_last(feature: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) whose memory is that of a dense (B, H, W, C), whatever its strides say of dimensions of one."""
    return feature.contiguous(memory_format=torch.channels_last)


def empty_feature(*shape: int, like: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W), channels last, of that tensor's type and device."""
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
