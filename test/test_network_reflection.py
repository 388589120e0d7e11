"""Reflection padding and the convolution on it: no zeros at the border, whatever the image's size."""

import pytest
import reference_equations as reference
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from robself.network.convolution import conv1x1, conv3x3
from robself.network.reflection import reflect, reflect_indices

sizes, margins = st.integers(1, 7), st.integers(0, 9)


@given(size=sizes, before=margins, after=margins)
def test_reflected_positions_are_those_of_a_mirror_at_each_end(size, before, after):
    literal = [reference.mirrored(index, size) for index in range(-before, size + after)]
    assert reflect_indices(size, before, after) == literal


@settings(deadline=None, max_examples=40)
@given(height=sizes, width=sizes, padding=st.tuples(margins, margins, margins, margins))
def test_reflection_equals_the_mirror_in_values_and_gradient(height, width, padding):
    image = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    fast, literal = reflect(image, padding=padding), reference.pad_mirrored(image, *padding)
    assert torch.equal(fast, literal)
    weights = torch.randn_like(literal)
    (ours,) = torch.autograd.grad((fast * weights).sum(), image)
    (theirs,) = torch.autograd.grad((literal * weights).sum(), image)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(height=sizes, width=sizes, padding=st.tuples(margins, margins, margins, margins))
def test_images_reflected_together_are_one_of_all_their_channels(height, width, padding):
    parts = [
        torch.randn(2, channels, height, width, dtype=torch.float64, requires_grad=True)
        for channels in (1, 3, 2)
    ]
    together, one = reflect(*parts, padding=padding), reflect(torch.cat(parts, dim=1), padding=padding)
    assert torch.equal(together, one)
    weights = torch.randn_like(one)
    for ours, theirs in zip(
        torch.autograd.grad((together * weights).sum(), parts),
        torch.autograd.grad((one * weights).sum(), parts),
        strict=True,
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("padding", [(1, 1, 1, 1), (0, 3, 0, 2), (5, 0, 7, 4)])
def test_reflection_passes_gradcheck(padding):
    image = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: reflect(x, padding=padding), image)


def test_reflection_agrees_with_torch_where_torch_has_it():
    image = torch.randn(2, 3, 6, 5)
    assert torch.equal(reflect(image, padding=(2, 3, 4, 1)), F.pad(image, (2, 3, 4, 1), mode="reflect"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_reflection_keeps_the_type_and_channels_last(dtype):
    image = torch.randn(1, 8, 6, 5).to(dtype, memory_format=torch.channels_last).requires_grad_()
    padded = reflect(image, padding=(1, 1, 1, 1))
    assert padded.dtype == dtype
    assert padded.is_contiguous(memory_format=torch.channels_last)
    padded.float().sum().backward()
    assert image.grad.dtype == dtype


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 6)])
def test_convolution_is_a_convolution_of_the_mirrored_image(size, stride):
    torch.manual_seed(0)
    layer = conv3x3(3, 5, stride)
    image = torch.randn(3, *size, dtype=torch.float64)
    output = layer(image[None])[0]
    assert output.shape == (5, -(-size[0] // stride), -(-size[1] // stride))
    torch.testing.assert_close(output, reference.convolved(image, layer, stride), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("layer", [conv3x3(2, 3), conv3x3(2, 3, stride=2), conv1x1(2, 3)])
def test_a_constant_image_stays_constant_up_to_its_border(layer):
    output = layer(torch.full((1, 2, 9, 8), 0.7))
    torch.testing.assert_close(output, output[..., 2:3, 2:3].expand_as(output), rtol=0, atol=1e-6)


def test_what_is_made_of_a_convolutions_output_stays_channels_last():
    image = torch.randn(1, 4, 6, 8).to(memory_format=torch.channels_last)
    enlarged = F.interpolate(conv3x3(4, 8)(image), scale_factor=2, mode="bilinear", align_corners=False)
    assert enlarged.is_contiguous(memory_format=torch.channels_last)
