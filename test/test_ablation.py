"""Table 4: each row lacks what it says and nothing else."""

import numpy as np
import pytest
import torch
from small_pairs import small_config, small_pair

from robself.methods import METHODS, Settings
from robself.methods.ablation import Fusion, WithoutBoth, WithoutFilter, WithoutTranslator
from robself.network import RobSelf
from robself.normalisation import Normalisation
from robself.optimisation import loss_of, predict
from robself.pair import Pair
from robself.preparation import observe

MODEL = small_config("de", channels=6).model
ROWS = {"neither": WithoutBoth, "translator": WithoutFilter, "filter": WithoutTranslator}
PAIR = small_pair()


def made(network, model=MODEL, seed=0):
    torch.manual_seed(seed)
    return network(model)


def names(network):
    return {name for name, _ in network.named_parameters()}


def parts(parameter_names):
    return {name.split(".")[0] for name in parameter_names}


def observation(pair=PAIR):
    return observe(pair, Normalisation.of(pair), 1.0, torch.device("cpu"))


@pytest.mark.parametrize(
    ("row", "lacks", "has_instead"),
    [
        ("neither", {"translator", "filter"}, {"filter.mix.weight", "filter.mix.bias"}),
        ("translator", {"filter"}, {"filter.mix.weight", "filter.mix.bias"}),
        ("filter", {"translator"}, set()),
    ],
)
def test_a_row_lacks_the_named_parts_and_starts_from_the_same_weights_elsewhere(row, lacks, has_instead):
    whole, ablated = made(RobSelf), made(ROWS[row])
    assert parts(names(whole) - names(ablated)) == lacks
    assert names(ablated) - names(whole) == has_instead
    weights = dict(ablated.named_parameters())
    for name, weight in whole.named_parameters():
        if name in weights:
            torch.testing.assert_close(weights[name], weight, rtol=0, atol=0)


def test_without_the_filter_both_features_are_mixed_by_a_1x1_convolution():
    fusion, source, guide = Fusion(3), torch.randn(1, 3, 4, 5), torch.randn(1, 3, 4, 5)
    mixed = fusion(source, guide)[0, :, 2, 3]
    weight = fusion.mix.weight[..., 0, 0]
    expected = weight @ torch.cat((source[0, :, 2, 3], guide[0, :, 2, 3])) + fusion.mix.bias
    torch.testing.assert_close(mixed, expected)


@pytest.mark.parametrize("row", ["neither", "filter"])
def test_without_the_translator_the_guide_feature_is_taken_where_it_lies(row):
    network, given = made(ROWS[row]), []
    guide_features = []
    network.extract_guide.register_forward_hook(lambda _, inputs, output: guide_features.append(output))
    network.filter.register_forward_hook(lambda _, inputs, output: given.append(inputs[1]))
    prediction = predict(network, observation(), torch.float32)
    assert given[0] is guide_features[0]
    assert not prediction.displacement.any()


def test_with_the_translator_alone_the_aligned_feature_is_what_is_fused():
    network, aligned, given = made(WithoutFilter), [], []
    network.translator.register_forward_hook(lambda _, inputs, output: aligned.append(output[0]))
    network.filter.register_forward_hook(lambda _, inputs, output: given.append(inputs[1]))
    predict(network, observation(), torch.float32)
    assert given[0] is aligned[0]


@pytest.mark.parametrize("separate_heads", [False, True])
@pytest.mark.parametrize("row", ["neither", "filter"])
def test_without_the_translator_nothing_descends_along_a_translation(row, separate_heads):
    network = made(ROWS[row], MODEL.model_copy(update={"separate_heads": separate_heads}))
    seen = observation()
    prediction = predict(network, seen, torch.float32)
    loss_of(prediction, seen).backward()
    of_both_terms = [weight.grad.clone() for weight in network.parameters()]
    network.zero_grad()
    prediction = predict(network, seen, torch.float32)
    (seen.pool(prediction.sr) - seen.source).abs().mean().backward()
    for ours, expected in zip(of_both_terms, network.parameters(), strict=True):
        torch.testing.assert_close(ours, expected.grad)


@pytest.mark.parametrize("row", ["neither", "filter"])
def test_a_row_without_translator_leaves_the_guide_as_it_is(row):
    info = METHODS[f"ablation_{row}"].run(PAIR, Settings(iterations=6, device="cpu")).info
    np.testing.assert_array_equal(info["aligned_guide"], PAIR.guide)
    assert not info["displacement"].any()


def test_the_row_with_both_is_robself_de():
    settings = Settings(iterations=4, seed=5, device="cpu")
    both, robself_de = (METHODS[name].run(PAIR, settings) for name in ("ablation_both", "robself_de"))
    np.testing.assert_array_equal(both.sr, robself_de.sr)
    assert both.info["variant"] == "de"


# Sec. 5.5: RobSelf-De on task II, x2; C = 64.
@pytest.mark.parametrize(
    ("row", "parameters"),
    [("neither", 241153), ("translator", 694419), ("filter", 245377), ("both", 698643)],
)
def test_the_rows_networks_have_these_sizes(row, parameters):
    info = METHODS[f"ablation_{row}"].run(PAIR, Settings(preset="task2_x2", iterations=1, device="cpu")).info
    assert info["parameters"] == parameters


@pytest.mark.parametrize("row", [*ROWS, "both"])
def test_every_row_learns_and_serves_holes_and_odd_factors(row):
    source = small_pair((4, 5)).source.copy()
    source[3, 4] = np.nan
    pair = Pair.from_images(source, PAIR.guide)
    estimate = METHODS[f"ablation_{row}"].run(pair, Settings(iterations=30, device="cpu"))
    assert estimate.info["loss_after"] < 0.6 * estimate.info["loss_before"]
    assert np.isnan(estimate.sr).any() and np.isfinite(estimate.sr).any()
