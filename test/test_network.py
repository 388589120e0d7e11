"""The whole network against Fig. 2 written out, and what the paper says of it: its size and its start."""

from itertools import product

import pytest
import reference_equations as reference
import torch

from robself.config import ModelConfig, RobSelfConfig
from robself.device import compute_type
from robself.network import RobSelf

# Tables 1, 2 and 3: parameters in millions, RobSelf-Re and RobSelf-De.
PARAMETERS = {
    "task1_x4": (0.76, 0.81),
    "task1_x8": (0.87, 0.92),
    "task2_x2": (0.65, 0.70),
    "task2_x4": (0.76, 0.81),
    "task3_x2": (0.91, 0.96),
    "task3_x4": (1.02, 1.07),
}
VARIANTS = ("re", "de")


def small_network(variant="re", seed=0, **changes):
    """A network of few channels whose displacement is some pixels and whose output is of size one."""
    settings = {"channels": 4, "levels": 2, "large_kernel": 5, "small_kernel": 3, "eta": 0.7} | changes
    torch.manual_seed(seed)
    network = RobSelf(ModelConfig(variant=variant, **settings))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("weight"):
                parameter.mul_(2)
        torch.nn.init.normal_(network.translator.estimator.displacement.weight)
    return network


def normalised_pair(size, seed=0, batch=1):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(batch, 4, *size, generator=generator)
    return image[:, :1], image[:, 1:]


@pytest.mark.parametrize(("preset", "variant"), product(PARAMETERS, VARIANTS))
def test_parameters_are_as_many_as_the_papers_tables_say(preset, variant):
    network = RobSelf.from_preset(preset, variant)
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert round(millions, 2) == PARAMETERS[preset][VARIANTS.index(variant)]


@pytest.mark.parametrize("separate_heads", [False, True])
@pytest.mark.parametrize("eta", [None, 0.7])
@pytest.mark.parametrize("variant", VARIANTS)
def test_network_equals_figure_2_in_values_and_gradients(variant, eta, separate_heads):
    network = small_network(variant, eta=eta, separate_heads=separate_heads)
    source, guide = normalised_pair((8, 12))
    prediction = network(source, guide)
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    literal = reference.robself(
        network, source[0].double(), guide[0].double(), variant=variant, levels=2, large=5, small=3, eta=eta
    )
    weights = torch.linspace(-1, 1, 96).view(8, 12)
    ours = ((prediction.sr + 2 * prediction.translated) * weights).sum()
    theirs = ((literal[0] + 2 * literal[1]) * weights).sum()
    assert prediction.displacement.abs().max() > 0.5
    # float32 through some twenty layers, and sampling positions in float32.
    for fast, slow in zip(prediction, literal, strict=True):
        torch.testing.assert_close(fast[0].double(), slow, rtol=1e-3, atol=2e-5)
    quick, exact = torch.autograd.grad(ours, parameters), torch.autograd.grad(theirs, parameters)
    for fast, slow in zip(quick, exact, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-3, atol=1e-3 * float(slow.abs().max()) + 1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_images_of_a_batch_do_not_touch_each_other(variant):
    network = small_network(variant)
    source, guide = normalised_pair((11, 9), batch=3)
    together = network(source, guide)
    for index in range(3):
        alone = network(source[index : index + 1], guide[index : index + 1])
        for batched, single in zip(together, alone, strict=True):
            torch.testing.assert_close(batched[index : index + 1], single, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 13), (3, 2), (9, 15), (17, 33)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("levels", [1, 4])
def test_network_takes_any_size_and_gives_it_back(levels, size):
    network = small_network("de", levels=levels)
    prediction = network(*normalised_pair(size))
    assert prediction.sr.shape == prediction.translated.shape == (1, 1, *size)
    assert prediction.displacement.shape == (1, 18, *size)
    assert all(torch.isfinite(part).all() and part.dtype == torch.float32 for part in prediction)


def test_a_frame_that_is_no_multiple_is_the_same_as_its_reflection_cropped():
    network = small_network(eta=None)
    source, guide = normalised_pair((13, 18))
    grown = [reference.pad_mirrored(image, 0, 2, 0, 3) for image in (source, guide)]
    for odd, even in zip(network(source, guide), network(*grown), strict=True):
        torch.testing.assert_close(odd, even[..., :13, :18], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("preset", ["task1_x4", "task1_x8", "task3_x4", "robot"])
def test_a_constant_pair_has_no_rim(preset, variant):
    torch.manual_seed(0)
    network = RobSelf.from_preset(preset, variant)
    torch.nn.init.normal_(network.translator.estimator.displacement.weight, std=0.01)
    with torch.no_grad():
        prediction = network(torch.full((1, 1, 45, 50), 1.5), torch.full((1, 3, 45, 50), -0.7))
    for part in prediction:
        spread = (part.amax((2, 3)) - part.amin((2, 3))).max()
        assert spread <= 1e-5 * max(1.0, part.abs().max().item())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_fresh_network_displaces_nothing(variant):
    network = RobSelf.from_preset("task1_x4", variant)
    assert not network(*normalised_pair((16, 24))).displacement.any()


@pytest.mark.parametrize("variant", VARIANTS)
def test_residual_heads_start_at_the_upsampled_source_and_are_trained(variant):
    network = small_network(variant, residual=True)
    source, guide = normalised_pair((9, 14))
    prediction = network(source, guide)
    assert torch.equal(prediction.sr, source) and torch.equal(prediction.translated, source)
    (prediction.sr.square() + prediction.translated.square()).sum().backward()
    assert network.head[2].weight.grad.abs().max() > 0


def test_one_head_serves_both_predictions_unless_separate_ones_are_asked_for():
    shared, separate = small_network(), small_network(separate_heads=True)
    assert shared.translation_head is shared.head
    assert separate.translation_head is not separate.head
    head = sum(parameter.numel() for parameter in shared.head.parameters())
    count = [sum(parameter.numel() for parameter in net.parameters()) for net in (shared, separate)]
    assert count[1] - count[0] == head


def test_every_parameter_is_used():
    for variant, separate in product(VARIANTS, (False, True)):
        network = small_network(variant, separate_heads=separate)
        prediction = network(*normalised_pair((12, 12)))
        (prediction.sr.square().sum() + prediction.translated.square().sum()).backward()
        unused = [name for name, parameter in network.named_parameters() if not parameter.grad.any()]
        assert unused == []


@pytest.mark.skipif(
    compute_type(torch.device("cpu")) != torch.bfloat16, reason="this CPU does not multiply bfloat16"
)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("preset", ["task1_x4", "robot"])
def test_bfloat16_agrees_with_float32(preset, variant):
    torch.manual_seed(0)
    network = RobSelf(RobSelfConfig.from_preset(preset, variant).model.model_copy(update={"residual": False}))
    network = network.to(memory_format=torch.channels_last)
    source, guide = normalised_pair((40, 56))
    exact, fast = network(source, guide), network(source, guide, dtype=torch.bfloat16)
    # bfloat16 keeps 8 bits: 0.4 % a layer, some ten layers, and a small output left over from larger terms.
    for name in ("sr", "translated"):
        expected, got = getattr(exact, name), getattr(fast, name)
        assert got.dtype == torch.float32
        assert (got - expected).norm() < 0.06 * expected.norm()
    gradients = [
        torch.cat([g.flatten() for g in torch.autograd.grad(p.sr.square().sum(), network.head.parameters())])
        for p in (exact, fast)
    ]
    assert (gradients[1] - gradients[0]).norm() < 0.05 * gradients[0].norm()
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
