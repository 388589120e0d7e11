"""MMSR: source and guide filter one another, and the prediction pooled must be the source."""

import numpy as np
import pytest
import reference_equations
import torch
from small_pairs import scene, small_pair
from torch.optim.optimizer import register_optimizer_step_post_hook

from robself.methods import METHODS, Settings
from robself.methods.mmsr import MMSRNetwork, MutualModulation
from robself.upsampling import bicubic


def run(pair, iterations=2, **settings):
    return METHODS["mmsr"].run(pair, Settings(iterations=iterations, device="cpu", **settings))


def rmse(image, truth):
    return np.sqrt(np.mean((image - truth) ** 2))


def pointwise(convolution, feature):
    """A 1x1 convolution as a matrix: (C, H, W) -> (C', H, W)."""
    return (
        torch.einsum("oc,chw->ohw", convolution.weight[..., 0, 0], feature) + convolution.bias[:, None, None]
    )


def test_an_aligned_pair_is_rebuilt_better_than_by_bicubic():
    truth, _ = scene((24, 32))
    pair = small_pair((6, 8), (24, 32))
    estimate = run(pair, iterations=60)
    assert rmse(estimate.sr, truth) < 0.7 * rmse(bicubic(pair.source, pair.valid, pair.size), truth)
    assert estimate.info["loss_after"] < 0.2 * estimate.info["loss_before"]


def test_modulations_are_the_equations():
    torch.manual_seed(0)
    modulation = MutualModulation(3).double()
    source, guide = torch.randn(2, 3, 9, 7, dtype=torch.float64)
    with torch.no_grad():
        ours = modulation(source[None], guide[None])[0]
        source, guide = (
            pointwise(modulation.project_source, source),
            pointwise(modulation.project_guide, guide),
        )
        everywhere = torch.ones(9, 7, dtype=torch.bool)
        source_to_guide = reference_equations.enhanced(guide, source, 11, 11, everywhere)
        guide_to_source = reference_equations.enhanced(source, guide, 5, 5, everywhere)
        expected = pointwise(modulation.fuse, torch.cat((source_to_guide, guide_to_source)))
    torch.testing.assert_close(ours, expected)


def test_a_source_pixel_reaches_its_neighbourhood_of_11_and_no_further():
    torch.manual_seed(0)
    network = MMSRNetwork(channels=4)
    source, guide = torch.randn(1, 1, 24, 24), torch.randn(1, 3, 24, 24)
    moved = source.clone()
    moved[..., 12, 12] += 1
    with torch.no_grad():
        changed = (network(source, guide) != network(moved, guide))[0, 0].nonzero()
    assert changed.min(0).values.tolist() == [7, 7] and changed.max(0).values.tolist() == [17, 17]


def test_only_the_guides_branch_decays_and_the_rate_falls_as_released():
    seen = []

    def step(optimiser, *_):
        seen.append([(group["lr"], group["weight_decay"]) for group in optimiser.param_groups])
        sizes[:] = [sum(weight.numel() for weight in group["params"]) for group in optimiser.param_groups]

    sizes = []
    hook = register_optimizer_step_post_hook(step)
    run(small_pair((4, 4), (8, 8)), iterations=11)
    hook.remove()
    assert sizes == [186432, 248961 - 186432]
    assert seen[0] == [(0.002, 5e-4), (0.002, 0)]
    assert seen[10] == pytest.approx(np.array([(0.002 * 0.9998**2, 5e-4), (0.002 * 0.9998**2, 0)]))
