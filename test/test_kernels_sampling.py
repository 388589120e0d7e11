"""The sampling kernel against the sampling that it replaces, in values and gradients."""

import pytest
import torch
from kernels_device import DEVICE, needs_kernels

needs_kernels()

from robself.network.kernels.sampling import sampled  # noqa: E402
from robself.network.sampling import pixel_grid, sample  # noqa: E402

SIZES = [(1, 1), (1, 7), (6, 1), (7, 9)]


def feature_and_positions(size, samples, channels=3, reach=2.0, batch=2, dtype=torch.float32):
    """Positions of which some are whole pixels and some outside."""
    generator = torch.Generator().manual_seed(0)
    feature = torch.randn(batch, channels, *size, generator=generator).to(dtype)
    displacement = reach * torch.randn(batch, *samples, 2, generator=generator)
    displacement[0] *= torch.rand(*samples, 1, generator=generator) > 0.3
    positions = pixel_grid(*samples, torch.device("cpu")) + displacement
    return feature.to(DEVICE, memory_format=torch.channels_last), positions.to(DEVICE)


def value_and_gradients(function, feature, positions):
    feature, positions = feature.detach().requires_grad_(), positions.detach().requires_grad_()
    samples = function(feature, positions)
    weights = torch.randn(samples.shape, generator=torch.Generator().manual_seed(9)).to(samples)
    return samples, *torch.autograd.grad((samples * weights).sum(), (feature, positions))


def in_float32(feature, positions):
    """On the CPU, whose rounding the kernel has."""
    return value_and_gradients(sample, feature.float().cpu(), positions.cpu())


def assert_close(found, expected, **tolerance):
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine.float().cpu(), theirs, **tolerance)


@pytest.mark.parametrize("reach", [0.9, 12.0], ids=["near", "far outside"])
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_samples_and_gradients_are_those_of_sampling(size, reach):
    inputs = feature_and_positions(size, size, reach=reach)
    assert_close(value_and_gradients(sampled, *inputs), in_float32(*inputs), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("channels", [1, 16, 20, 256])
def test_any_number_of_samples_is_taken_of_any_number_of_channels(channels):
    inputs = feature_and_positions((3, 6), (9, 6), channels)  # as many as nine taps take
    assert_close(value_and_gradients(sampled, *inputs), in_float32(*inputs), rtol=1e-4, atol=5e-5)


def test_a_16_bit_feature_is_sampled_in_32_bits():
    inputs = feature_and_positions((5, 7), (5, 7), 32, dtype=torch.bfloat16)
    found = value_and_gradients(sampled, *inputs)
    assert [tensor.dtype for tensor in found] == [torch.bfloat16, torch.bfloat16, torch.float32]
    assert_close(found, in_float32(*inputs), rtol=1e-2, atol=3e-2)
    assert found[0].is_contiguous(memory_format=torch.channels_last)


def test_each_gradient_can_be_had_alone():
    feature, positions = feature_and_positions((4, 5), (4, 5))
    _, to_feature, to_positions = value_and_gradients(
        lambda *inputs: sampled(*inputs).square(), feature, positions
    )
    for index, expected in enumerate((to_feature, to_positions)):
        inputs = [feature.clone(), positions.clone()]
        inputs[index].requires_grad_()
        samples = sampled(*inputs).square()
        weights = torch.randn(samples.shape, generator=torch.Generator().manual_seed(9)).to(samples)
        (found,) = torch.autograd.grad((samples * weights).sum(), inputs[index])
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_position_that_is_no_number_spoils_its_own_sample_and_reads_nothing_else(value):
    feature, positions = feature_and_positions((5, 7), (5, 7))
    spoiled = positions.clone()
    spoiled[0, 1, 2:4, 0] = value
    spoiled[1, 4, 6, 1] = value
    samples, to_feature, to_positions = value_and_gradients(sampled, feature, spoiled)
    expected = sampled(feature, positions)
    bad = (spoiled != positions).any(-1)
    assert bad.sum() == 3
    by_pixel = samples.permute(0, 2, 3, 1)
    assert by_pixel[bad].isnan().all()
    assert torch.equal(by_pixel[~bad], expected.permute(0, 2, 3, 1)[~bad])
    assert to_feature.isfinite().all() and to_positions.isfinite().all() and not to_positions[bad].any()


def test_positions_far_outside_take_the_border():
    image = torch.arange(12.0, device=DEVICE).view(1, 1, 3, 4)
    corners = torch.tensor([[-50.0, -50.0], [3e38, -1.0], [-0.1, 3e38], [3.5, 2.5]], device=DEVICE)
    assert sampled(image, corners.view(1, 1, 4, 2)).flatten().tolist() == [0, 3, 8, 11]


def test_no_displacement_is_the_identity_in_a_large_image():
    feature = torch.randint(0, 256, (1, 1, 6, 1280)).to(DEVICE, torch.float32)
    samples = sampled(feature, pixel_grid(6, 1280, feature.device)[None])
    assert torch.equal(samples.round(), feature)  # a position is known to 1e-4 px
