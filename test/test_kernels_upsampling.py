"""Upsampling by two against PyTorch's own, in values and gradients."""

import pytest
import torch
import torch.nn.functional as F
from kernels_device import DEVICE, needs_kernels

needs_kernels()

from robself.network.kernels.upsampling import doubled  # noqa: E402


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("channels", [1, 20, 64])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 2), (7, 9)], ids="{0[0]}x{0[1]}".format)
def test_upsampling_and_its_gradient_are_those_of_pytorch(size, channels, dtype, near):
    generator = torch.Generator().manual_seed(0)
    feature = torch.randn(2, channels, *size, generator=generator).to(
        DEVICE, dtype, memory_format=torch.channels_last
    )
    weights = torch.randn(2, channels, 2 * size[0], 2 * size[1], generator=generator).to(DEVICE, dtype)
    mine, theirs = feature.requires_grad_(), feature.detach().float().requires_grad_()
    found = doubled(mine)
    expected = F.interpolate(theirs, scale_factor=2, mode="bilinear", align_corners=False)
    assert found.dtype == dtype and found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.float(), expected, rtol=near, atol=near)
    (gradient,) = torch.autograd.grad(found, mine, weights)
    (expected,) = torch.autograd.grad(expected, theirs, weights.float())
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient.float(), expected, rtol=near, atol=near)
