"""A convolution's gradient by its weights, where PyTorch's own is slow: float32 on a CPU without AVX-512.

There oneDNN computes it of channels-last features at a quarter of the speed of the convolution itself, and most of
an iteration's time goes into it. Here it is a matrix product: the features' patches by the output's gradient.
"""

from functools import cache

import torch
import torch.nn.functional as F

from robself.network.windows import patches, rows_at_once

PIXELS_AT_ONCE = 1024  # a thread: their patches stay in its cache
FEWEST_CHANNELS = 8  # patches of fewer make products too narrow to be fast


@cache
def _slow_here() -> bool:
    return torch.backends.cpu.get_cpu_capability() == "AVX2"


def slow_for(feature: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether `convolved` is the faster way. Shape: (B, C, H, W), (N, C, k, k)."""
    wide = weight.shape[1] >= FEWEST_CHANNELS and weight.shape[-1] > 1
    return wide and feature.device.type == "cpu" and feature.dtype == torch.float32 and _slow_here()


class _Convolved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, feature, weight, bias, stride: tuple[int, int]):
        ctx.save_for_backward(feature, weight)
        ctx.stride = stride
        return F.conv2d(feature, weight, bias, stride)

    @staticmethod
    def backward(ctx, gradient):
        feature, weight = ctx.saved_tensors
        of_feature = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            plain = None, ctx.stride, (0, 0), (1, 1), False, (0, 0), 1
            only_feature = True, False, False
            backward = torch.ops.aten.convolution_backward
            of_feature, _, _ = backward(gradient, feature, weight, *plain, only_feature)
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(feature, gradient, weight.shape[-2:], ctx.stride)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_feature, of_weight, of_bias, None


@torch.compiler.disable  # a compiler would unroll its loop
def convolved(
    feature: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, stride: tuple[int, int]
) -> torch.Tensor:
    """`F.conv2d` of a feature that has its margin, with the same gradients."""
    return _Convolved.apply(feature, weight, bias, stride)


def weight_gradient(
    feature: torch.Tensor, gradient: torch.Tensor, size: tuple[int, int], stride: tuple[int, int]
) -> torch.Tensor:
    """(B, C, H, W), gradient of the output (B, N, H', W') -> (N, C, *size)."""
    seen, gradient = patches(feature, size, stride), gradient.permute(0, 2, 3, 1)
    outputs, bands = gradient.shape[-1], torch.get_num_threads()
    sums = feature.new_zeros(bands, outputs, seen[0, 0, 0].numel())
    step = bands * max(1, PIXELS_AT_ONCE // gradient.shape[2])
    for rows in rows_at_once(gradient, step):
        # A product of many rows by few is no work for several threads; several products are.
        parts = bands if gradient[rows].shape[0] % bands == 0 else 1
        wanted = gradient[rows].reshape(parts, -1, outputs)
        sums[:parts].baddbmm_(wanted.mT, seen[rows].reshape(parts, -1, sums.shape[-1]))
    return sums.sum(0).view(outputs, *size, -1).permute(0, 3, 1, 2)
