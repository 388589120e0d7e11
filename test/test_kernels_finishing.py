"""Bias, residual and ReLU by Triton: the plain operations' values and gradients."""

import pytest
import torch
from kernels_device import DEVICE, needs_kernels

needs_kernels()

from robself.network.kernels.finishing import finished  # noqa: E402


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("relu", "residual"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_values_and_gradients_are_the_plain_ones(channels, relu, residual, dtype):
    torch.manual_seed(0)
    shape = (2, channels, 7, 13)
    sums, added = (
        torch.randn(shape, device=DEVICE)
        .to(dtype)
        .contiguous(memory_format=torch.channels_last)
        .requires_grad_()
        for _ in range(2)
    )
    bias = torch.randn(channels, device=DEVICE).requires_grad_()
    inputs = (sums, bias, added) if residual else (sums, bias)
    plain = sums.float() + bias[:, None, None] + (added.float() if residual else 0)
    plain = (plain.relu() if relu else plain).to(dtype)
    got = finished(sums * 1, bias, added if residual else None, relu)
    exact = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 2e-2}
    torch.testing.assert_close(got, plain, **exact)
    weights = torch.randn_like(plain)
    for ours, theirs in zip(
        torch.autograd.grad(got, inputs, weights), torch.autograd.grad(plain, inputs, weights), strict=True
    ):
        torch.testing.assert_close(ours, theirs, **exact)


def test_nan_stays_nan_through_the_relu():
    image = torch.full((1, 4, 2, 2), float("nan"), device=DEVICE).contiguous(
        memory_format=torch.channels_last
    )
    assert finished(image, torch.zeros(4, device=DEVICE), relu=True).isnan().all()


def test_an_image_whose_channels_are_not_last_is_refused():
    with pytest.raises(ValueError, match="channels are last"):
        finished(torch.zeros(1, 4, 3, 3, device=DEVICE), torch.zeros(4, device=DEVICE))
