"""Eq. 5 and 6 by Triton: the other ways' values and gradients."""

import pytest
import torch
from kernels_device import DEVICE, needs_kernels

needs_kernels()

from robself.network.attention_by_rows import attention_by_rows  # noqa: E402
from robself.network.attention_by_tiles import attention_by_tiles  # noqa: E402
from robself.network.kernels.attention import attention_in_place  # noqa: E402
from robself.network.neighbourhood_attention import neighbourhood_attention  # noqa: E402


def value_and_gradients(attend, size, channels, kernels, threshold, dtype=torch.float32):
    """In float32: the output, and the gradients of a fixed random functional of it."""
    generator = torch.Generator().manual_seed(0)
    *inputs, weights = torch.randn(3, 2, channels, *size, generator=generator).bfloat16().to(DEVICE, dtype)
    important = torch.rand(2, *size, generator=generator).to(DEVICE) > 0.5 if threshold else None
    inputs = [image.contiguous(memory_format=torch.channels_last).requires_grad_() for image in inputs]
    output = neighbourhood_attention(*inputs, *kernels, important, attend)
    assert output.dtype == dtype
    gradients = torch.autograd.grad(output, inputs, weights)
    return [result.detach().float() for result in (output, *gradients)]


@pytest.mark.parametrize(
    ("size", "channels", "kernels", "threshold"),
    [
        ((13, 18), 8, (3, 3), False),
        ((9, 18), 32, (3, 3), True),
        ((9, 13), 32, (7, 5), False),
        ((9, 10), 8, (7, 5), True),
        ((7, 9), 8, (13, 7), False),
        ((9, 7), 32, (13, 7), True),
        ((3, 4), 8, (13, 7), True),  # mirrored more than once
        ((5, 6), 200, (3, 1), True),  # of which a program takes smaller tiles
    ],
)
def test_it_equals_the_other_ways_in_values_and_gradients(size, channels, kernels, threshold):
    case = size, channels, kernels, threshold
    ours = value_and_gradients(attention_in_place, *case)
    for attend in (attention_by_tiles, attention_by_rows):
        for our, their in zip(ours, value_and_gradients(attend, *case), strict=True):
            torch.testing.assert_close(our, their, rtol=1e-4, atol=1e-4)


def test_sixteen_bits_are_as_near_to_float32_as_their_spacing_lets_them():
    case = (9, 13), 32, (7, 5), True
    half = torch.bfloat16 if DEVICE == "cuda" else torch.float16  # the interpreter multiplies bfloat16's bits
    ours = value_and_gradients(attention_in_place, *case, half)
    for our, exact in zip(ours, value_and_gradients(attention_by_rows, *case), strict=True):
        assert (our - exact).norm() < 2 * torch.finfo(half).eps * exact.norm()


def test_it_is_the_same_every_time_and_in_any_layout():
    case = (5, 9), 8, (3, 1), True
    first = value_and_gradients(attention_in_place, *case)

    def planes(reference, source, large, small, important):
        turned = (image.contiguous(memory_format=torch.contiguous_format) for image in (reference, source))
        return attention_in_place(*turned, large, small, important.mT.contiguous().mT)

    for attend in (attention_in_place, planes):
        for our, again in zip(first, value_and_gradients(attend, *case), strict=True):
            torch.testing.assert_close(our, again, rtol=0, atol=0)
