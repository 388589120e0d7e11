"""Padding and folding by Triton: the plain form's values and gradients."""

import pytest
import torch
from kernels_device import DEVICE, needs_kernels

needs_kernels()

from robself.network.kernels.padding import padded  # noqa: E402
from robself.network.reflection import reflect_plainly  # noqa: E402


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("padding", [(1, 1, 1, 1), (3, 5, 3, 4), (0, 4, 0, 2), (2, 0, 0, 0)])
@pytest.mark.parametrize("channels", [(1,), (3,), (16, 32)])
def test_padding_and_its_gradient_are_the_plain_ones(channels, padding, dtype):
    torch.manual_seed(0)
    images = [torch.randn(2, count, 7, 9, device=DEVICE, dtype=dtype).requires_grad_() for count in channels]
    expected, got = reflect_plainly(padding, *images), padded(padding, *images)
    assert got.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(got, expected, rtol=0, atol=0)
    weights = torch.randn_like(expected)
    # The plain form adds up in 16 bits.
    near = {"rtol": 1e-6, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 5e-2}
    for ours, plain in zip(
        torch.autograd.grad(got, images, weights), torch.autograd.grad(expected, images, weights), strict=True
    ):
        torch.testing.assert_close(ours, plain, **near)


def test_what_needs_no_gradient_gets_none():
    one, other = (
        torch.randn(1, 2, 4, 5, device=DEVICE),
        torch.randn(1, 3, 4, 5, device=DEVICE).requires_grad_(),
    )
    gradient = torch.autograd.grad(padded((1, 1, 1, 1), one, other).sum(), other)[0]
    assert gradient.sum() == 3 * 6 * 7
