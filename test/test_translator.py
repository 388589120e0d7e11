"""The misalignment-aware translator: both branches of Eq. 2, and a displacement that starts at zero."""

import pytest
import reference_equations as reference
import torch
import torch.nn.functional as F

from robself.network.sampling import pixel_grid, sample
from robself.network.translator import (
    DeformableAlignment,
    MisalignmentEstimator,
    ResamplingAlignment,
    Translator,
)

SIZES = [(1, 1), (1, 7), (6, 1), (7, 9)]
# Sampling is done in float32: a position of 10 px is known to 1e-6 px, a feature of size 1 to 1e-7.
TOLERANCE = {"rtol": 1e-4, "atol": 2e-5}


def guide_and_displacement(size, displacement_channels, reach, channels=3, batch=2):
    """float32 values in float64; no position within 0.01 px of a pixel's, where the gradient has a kink."""
    generator = torch.Generator().manual_seed(0)
    guide = torch.randn(batch, channels, *size, generator=generator)
    displacement = (torch.rand(batch, displacement_channels, *size, generator=generator) * 2 - 1) * reach
    fraction = (displacement - displacement.floor()).clamp(0.01, 0.99)
    return guide.double(), (displacement.floor() + fraction).double()


def assert_same_values_and_gradients(fast, literal, inputs):
    doubles = [tensor.clone().requires_grad_() for tensor in inputs]
    floats = [tensor.float().requires_grad_() for tensor in inputs]
    expected, output = literal(*doubles), fast(*floats)
    assert output.dtype == torch.float32
    torch.testing.assert_close(output.double(), expected, **TOLERANCE)
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    slow = torch.autograd.grad((expected * weights).sum(), doubles)
    quick = torch.autograd.grad((output * weights.float()).sum(), floats)
    for ours, theirs in zip(quick, slow, strict=True):
        torch.testing.assert_close(ours.double(), theirs, **TOLERANCE)


@pytest.mark.parametrize("reach", [0.9, 12.0], ids=["near", "far outside"])
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_resampling_equals_equation_2_in_values_and_gradients(size, reach):
    alignment = ResamplingAlignment(3)
    literal = lambda guide, by: torch.stack([*map(reference.resampled, guide, by)])  # noqa: E731
    assert_same_values_and_gradients(alignment, literal, guide_and_displacement(size, 2, reach))


@pytest.mark.parametrize("reach", [0.9, 12.0], ids=["near", "far outside"])
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_deformable_convolution_equals_equation_2_in_values_and_gradients(size, reach):
    torch.manual_seed(0)
    alignment = DeformableAlignment(3)
    guide, displacement = guide_and_displacement(size, 18, reach)
    weight = alignment.mix.weight.detach().reshape(3, 3, 3, 3).permute(0, 3, 1, 2).double()

    def literal(guide, displacement, weight):
        bias = alignment.mix.bias.detach().double()
        images = zip(guide, displacement, strict=True)
        return torch.stack([reference.deformably_convolved(g, by, weight, bias) for g, by in images])

    def fast(guide, displacement, weight):
        mixing = weight.permute(0, 2, 3, 1).reshape(3, 27, 1, 1)
        return torch.func.functional_call(alignment, {"mix.weight": mixing}, (guide, displacement))

    assert_same_values_and_gradients(fast, literal, (guide, displacement, weight))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_resampling_by_no_displacement_is_the_identity_at_the_size_of_a_large_image(dtype):
    guide = torch.randint(0, 256, (1, 1, 1152, 1280)).to(dtype)  # bfloat16 holds integers up to 256
    aligned = ResamplingAlignment(1)(guide, torch.zeros(1, 2, 1152, 1280))
    assert aligned.dtype == dtype
    assert torch.equal(aligned.round(), guide)  # a position is known to 1e-4 px, so a grey value to 0.03


def test_deformable_convolution_without_displacement_is_a_convolution_with_a_repeated_border():
    torch.manual_seed(0)
    alignment = DeformableAlignment(4)
    guide = torch.randn(2, 4, 9, 7)
    weight = alignment.mix.weight.reshape(4, 3, 3, 4).permute(0, 3, 1, 2)
    convolved = F.conv2d(F.pad(guide, (1, 1, 1, 1), mode="replicate"), weight, alignment.mix.bias)
    torch.testing.assert_close(alignment(guide, torch.zeros(2, 18, 9, 7)), convolved, **TOLERANCE)


@pytest.mark.parametrize(("dx", "dy"), [(2, 0), (0, 3), (-1, -2)])
def test_a_displacement_is_where_to_look_x_first_in_pixels(dx, dy):
    guide = torch.randn(1, 1, 12, 15)
    displacement = torch.tensor([dx, dy]).float().view(1, 2, 1, 1).expand(1, 2, 12, 15)
    aligned = ResamplingAlignment(1)(guide, displacement)
    inside = aligned[..., 3:-3, 3:-3]
    torch.testing.assert_close(inside, guide[..., 3 + dy : 9 + dy, 3 + dx : 12 + dx], rtol=0, atol=1e-4)


def test_positions_outside_the_frame_take_its_border():
    image = torch.arange(12.0).view(1, 1, 3, 4)
    corners = torch.tensor([[-50.0, -50.0], [1e6, -1.0], [-0.1, 99.0], [3.5, 2.5]]).view(1, 1, 4, 2)
    assert sample(image, corners).flatten().tolist() == [0, 3, 8, 11]


def test_sampling_is_that_of_grid_sample_and_so_are_its_gradients():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 5, 7, generator=generator, requires_grad=True)
    displacement = 2 * torch.randn(2, 4, 7, 2, generator=generator)
    displacement[0, :2] = 0  # whole pixels, those of the border among them
    positions = (pixel_grid(5, 7, images.device)[:4] + displacement).requires_grad_()
    grid = positions * (2 / torch.tensor([6.0, 4.0])) - 1
    expected = torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=True)
    weights = torch.randn(expected.shape, generator=generator)
    results = [expected, sample(images, positions)]
    theirs, mine = [
        (image, *torch.autograd.grad((image * weights).sum(), (images, positions), retain_graph=True))
        for image in results
    ]
    for expected, found in zip(theirs, mine, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_position_that_is_no_number_shows_and_does_not_end_the_process(value):
    guide = torch.randn(1, 2, 18, 24, requires_grad=True)
    displacement = torch.zeros(1, 2, 18, 24)
    displacement[..., 7:9] = value
    displacement.requires_grad_()
    aligned = ResamplingAlignment(2)(guide, displacement)
    assert aligned.isnan().all()
    aligned.sum().backward()


def test_the_pixel_grid_is_x_then_y():
    assert pixel_grid(2, 3, torch.device("cpu")).tolist() == [
        [[0, 0], [1, 0], [2, 0]],
        [[0, 1], [1, 1], [2, 1]],
    ]


@pytest.mark.parametrize(("variant", "offsets"), [("re", 2), ("de", 18)])
def test_displacement_starts_at_zero_and_can_leave_it(variant, offsets):
    torch.manual_seed(0)
    translator = Translator(8, 3, variant)
    source, guide = torch.randn(2, 1, 8, 16, 24).unbind()
    aligned, displacement = translator(source, guide)
    assert displacement.shape == (1, offsets, 16, 24) and not displacement.any()
    if variant == "re":
        torch.testing.assert_close(aligned, guide, rtol=0, atol=2e-5)
    aligned.square().sum().backward()
    assert translator.estimator.displacement.weight.grad.abs().max() > 0


def test_displacement_scale_turns_the_estimators_pixels_into_those_of_its_grid():
    torch.manual_seed(0)
    translator = Translator(8, 2, "re")
    torch.nn.init.normal_(translator.estimator.displacement.weight, std=0.1)
    source, guide = torch.randn(2, 1, 8, 8, 8).unbind()
    full, half = (translator(source, guide, scale)[1] for scale in (1.0, 0.5))
    assert full.abs().max() > 0.01
    torch.testing.assert_close(half, full / 2)


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_estimator_of_i_levels_sees_regions_of_two_to_the_i_pixels(levels):
    torch.manual_seed(0)
    estimator = MisalignmentEstimator(4, levels, 2)
    torch.nn.init.normal_(estimator.displacement.weight)
    size = 8 * 2**levels
    source = torch.randn(1, 4, size, size, requires_grad=True)
    bottom = []
    estimator.encoder[-1].register_forward_hook(lambda layer, inputs, output: bottom.append(output.shape))
    field = estimator(source, torch.randn_like(source))
    assert bottom[0][-2:] == (8, 8)
    (gradient,) = torch.autograd.grad(field[0, 0, size // 2, size // 2], source)
    columns = gradient.abs().sum((0, 1, 2)).nonzero()
    assert columns.max() - columns.min() >= 2 * 2**levels


def test_mean_displacement_of_the_deformable_layer_weighs_its_taps_by_their_weights():
    alignment = DeformableAlignment(2)
    with torch.no_grad():
        alignment.mix.weight.zero_()
        alignment.mix.weight[0, 2 * 3] = -3.0  # tap 3
        alignment.mix.weight[1, 2 * 7 + 1] = 1.0  # tap 7
    offsets = torch.zeros(1, 18, 2, 2)
    offsets[:, 6], offsets[:, 7] = 4.0, -8.0  # tap 3: x, y
    offsets[:, 14], offsets[:, 15] = 8.0, 4.0  # tap 7
    offsets[:, 0] = 100.0  # a tap without weight
    mean = alignment.mean_displacement(offsets)
    assert mean.shape == (1, 2, 2, 2)
    assert (mean[:, 0] == 5.0).all() and (mean[:, 1] == -5.0).all()
    same = torch.tensor([1.5, -2.5]).repeat(9).view(1, 18, 1, 1)
    torch.testing.assert_close(alignment.mean_displacement(same).flatten(), torch.tensor([1.5, -2.5]))
