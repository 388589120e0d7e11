"""The benchmark's literal reference: it is the paper's equations, and the product's output is its own."""

import copy
from dataclasses import replace
from functools import partial

import pytest
import reference_equations as by_loops
import torch
from small_pairs import small_config, small_pair

from robself.bench.literal import LITERAL, optimise_literally, predict_literally
from robself.network import RobSelf
from robself.normalisation import Normalisation
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import predict
from robself.preparation import observe
from robself.schedule import SCHEDULES
from robself.seeding import seeded

CPU = torch.device("cpu")


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def assert_same_gradients(ours, theirs, *inputs):
    """Values and gradients of two functions of the inputs."""
    inputs = [tensor.requires_grad_() for tensor in inputs]
    outputs = ours(*inputs), theirs(*inputs)
    torch.testing.assert_close(*outputs, rtol=1e-9, atol=1e-9)
    weights = numbers(*outputs[0].shape, seed=9)
    gradients = [torch.autograd.grad((output * weights).sum(), inputs) for output in outputs]
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-8)


def test_equation_2_by_resampling_is_its_loop():
    assert_same_gradients(
        LITERAL.resampled, by_loops.resampled, numbers(3, 6, 7), 2 * numbers(2, 6, 7, seed=1)
    )


def test_equation_2_by_deformable_convolution_is_its_loop():
    inputs = numbers(2, 5, 6), numbers(18, 5, 6, seed=1), numbers(3, 2, 3, 3, seed=2), numbers(3, seed=3)
    assert_same_gradients(LITERAL.deformably_convolved, by_loops.deformably_convolved, *inputs)


@pytest.mark.parametrize("threshold", [False, True])
def test_equations_3_to_6_are_their_loops(threshold):
    reference, source = numbers(2, 7, 8), numbers(2, 7, 8, seed=1)
    importance = LITERAL.importance(source)
    torch.testing.assert_close(importance, by_loops.importance(source))
    important = LITERAL.is_important(importance, 0.9) if threshold else None
    if threshold:
        assert torch.equal(important, by_loops.is_important(importance, 0.9)) and important.any()
    assert_same_gradients(
        lambda r, s: LITERAL.enhanced(r, s, 5, 3, important),
        lambda r, s: by_loops.enhanced(r, s, 5, 3, important),
        reference,
        source,
    )


def started(variant="re", **model):
    """A pair as the network sees it, a configuration and its first network."""
    model = {"channels": 8, "levels": 2, "large_kernel": 5, "small_kernel": 3, "eta": 0.7} | model
    config, pair = small_config(variant, **model), small_pair((6, 8), (24, 32))
    network = seeded(partial(RobSelf, config.model), config.seed, CPU)
    return pair, observe(pair, Normalisation.of(pair), 1.0, CPU), config, network


@pytest.mark.parametrize("variant", ["re", "de"])
@pytest.mark.parametrize("model", [{}, {"eta": None}, {"separate_heads": True}], ids=str)
def test_same_weights_and_iterations_give_the_same_output(variant, model):
    pair, observation, config, network = started(variant, **model)
    ours = copy.deepcopy(network)
    resolver = OnlineSuperResolver(config, "cpu", SCHEDULES["paper"], make_network=lambda _: ours)
    resolver.dtype = torch.float32
    resolver.keyframe(pair, Budget(iterations=7))  # at the fifth the learning rate falls
    before = predict_literally(network, observation)
    literal = optimise_literally(network, observation, 7)
    with torch.no_grad():
        prediction = predict(ours, observation, torch.float32)
    assert (literal.sr - before.sr).norm() > 0.1 * before.sr.norm()  # it has moved
    assert prediction.displacement.abs().max() > 0
    for mine, theirs in zip(prediction[:2], literal[:2], strict=True):
        assert (mine - theirs).norm() < 1e-3 * theirs.norm()


def test_output_tells_another_learning_rate_apart():
    pair, observation, config, network = started()
    ours = copy.deepcopy(network)
    (stage,) = SCHEDULES["paper"].cold
    schedule = replace(SCHEDULES["paper"], cold=(replace(stage, learning_rate=0.0021),))
    resolver = OnlineSuperResolver(config, "cpu", schedule, make_network=lambda _: ours)
    resolver.dtype = torch.float32
    resolver.keyframe(pair, Budget(iterations=7))
    literal = optimise_literally(network, observation, 7)
    with torch.no_grad():
        prediction = predict(ours, observation, torch.float32)
    assert (prediction.sr - literal.sr).norm() > 1e-3 * literal.sr.norm()
