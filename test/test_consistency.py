"""Eq. 1: area pooling for any factor, and the masked loss, against loops and integrals."""

import numpy as np
import pytest
import reference_equations as reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robself.consistency import AveragePooling, consistency, consistency_loss
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.preparation import observe


@st.composite
def image_and_source_sizes(draw):
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    return (draw(st.integers(rows, 14)), draw(st.integers(columns, 14))), (rows, columns)


@settings(max_examples=40, deadline=None)
@given(image_and_source_sizes())
def test_pooling_is_the_integral_over_each_source_pixels_area(sizes):
    size, source_size = sizes
    image = torch.randn(2, 1, *size)
    literal = torch.stack([reference.pooled(plane[0].double(), *source_size) for plane in image])
    pooled = AveragePooling(size, source_size)(image)
    torch.testing.assert_close(pooled[:, 0].double(), literal, rtol=1e-5, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(image_and_source_sizes())
def test_pooling_of_a_constant_is_that_constant_so_its_shares_sum_to_one(sizes):
    size, source_size = sizes
    pooled = AveragePooling(size, source_size)(torch.ones(1, 1, *size))
    torch.testing.assert_close(pooled, torch.ones(1, 1, *source_size), rtol=0, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(image_and_source_sizes())
def test_pooling_spreads_each_gradient_over_its_area_and_loses_none(sizes):
    size, source_size = sizes
    image = torch.randn(1, 1, *size, requires_grad=True)
    AveragePooling(size, source_size)(image).sum().backward()
    share = source_size[0] * source_size[1] / (size[0] * size[1])
    torch.testing.assert_close(image.grad, torch.full_like(image, share), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("factors", [(2, 2), (4, 4), (8, 8), (2, 3)])
def test_integer_factors_are_block_means(factors):
    image = torch.arange(24 * 24.0).view(1, 1, 24, 24)
    rows, columns = 24 // factors[0], 24 // factors[1]
    blocks = image.view(rows, factors[0], columns, factors[1]).mean((1, 3))
    assert torch.equal(AveragePooling((24, 24), (rows, columns))(image)[0, 0], blocks)


def test_one_integer_axis_beside_a_real_one_is_still_its_block_mean():
    image = torch.randn(1, 1, 12, 10)
    pooled = AveragePooling((12, 10), (4, 4))(image)
    expected = AveragePooling((12, 10), (12, 4))(image).view(4, 3, 4).mean(1)
    torch.testing.assert_close(pooled[0, 0], expected)


def loss_inputs(seed=0):
    generator = torch.Generator().manual_seed(seed)
    sr, translated = torch.randn(2, 12, 10, generator=generator, dtype=torch.float64).unbind()
    source = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    valid = torch.rand(4, 5, generator=generator) > 0.4
    return sr, translated, source, valid


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_loss_equals_equation_1_over_valid_pixels_in_value_and_gradient(weight):
    sr, translated, source, valid = loss_inputs()
    sr.requires_grad_(), translated.requires_grad_()
    pool = AveragePooling((12, 10), (4, 5))
    as_batch = lambda image: image[None, None]  # noqa: E731
    fast = consistency_loss(
        pool(as_batch(sr)),
        pool(as_batch(translated)),
        as_batch(source),
        as_batch(valid.double()),
        weight,
    )
    literal = reference.consistency_loss(sr, translated, source, valid, weight)
    torch.testing.assert_close(fast, literal, rtol=1e-12, atol=0)
    ours, theirs = (torch.autograd.grad(loss, (sr, translated)) for loss in (fast, literal))
    for gradient, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-15)


def test_lambda_of_equation_1_is_one_unless_said_otherwise():
    sr, translated, source, valid = loss_inputs()
    pooled = [AveragePooling((12, 10), (4, 5))(image[None, None]) for image in (sr, translated)]
    loss = consistency_loss(*pooled, source, valid)
    torch.testing.assert_close(loss, sum(consistency(image, source, valid) for image in pooled))


def test_invalid_pixels_have_no_gradient():
    sr, _, source, valid = loss_inputs()
    sr.requires_grad_()
    pooled = AveragePooling((12, 10), (4, 5))(sr[None, None])
    consistency(pooled, source[None, None], valid[None, None].double()).backward()
    touched = sr.grad.view(4, 3, 5, 2).abs().amax((1, 3)) > 0
    assert torch.equal(touched, valid)


def pair_with(invalid_value, guide=None):
    source = np.random.default_rng(0).uniform(500, 900, (6, 8)).astype(np.float32)
    valid = np.random.default_rng(1).random((6, 8)) > 0.4
    source[~valid] = invalid_value
    if guide is None:
        guide = np.random.default_rng(2).integers(0, 256, (13, 17, 3), np.uint8)
    return Pair(source, guide, valid)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e9, -7.0])
def test_what_an_invalid_pixel_holds_reaches_neither_normalisation_nor_observation(value):
    pair, other = pair_with(0.0), pair_with(value)
    normalisation, same = Normalisation.of(pair), Normalisation.of(other)
    assert (normalisation.source_mean, normalisation.source_deviation) == (
        same.source_mean,
        same.source_deviation,
    )
    cpu = torch.device("cpu")
    for resolution in (0.5, 1.0):
        ours, theirs = (observe(p, normalisation, resolution, cpu) for p in (pair, other))
        for name in ("source", "valid", "upsampled", "guide"):
            assert torch.equal(getattr(ours, name), getattr(theirs, name)), name


def test_normalisation_makes_valid_pixels_and_guide_zero_mean_unit_deviation():
    pair = pair_with(np.nan)
    normalisation = Normalisation.of(pair)
    source = normalisation.source(pair.source)[pair.valid]
    guide = normalisation.guide(pair.guide).reshape(3, -1).T
    for values in (source, guide):
        np.testing.assert_allclose(values.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(values.std(0), 1, atol=1e-5)
    np.testing.assert_allclose(normalisation.restore(source), pair.source[pair.valid], rtol=1e-6)


def test_the_guide_is_normalised_to_the_last_bit_as_written():
    pair = pair_with(np.nan)
    normalisation = Normalisation.of(pair)
    written = (pair.guide.astype(np.float32) - normalisation.guide_mean) / normalisation.guide_deviation
    np.testing.assert_array_equal(normalisation.guide(pair.guide), written.transpose(2, 0, 1))


def test_normalisation_of_large_depths_keeps_their_millimetres():
    source = np.arange(60000, 60048, dtype=np.float32).reshape(6, 8)
    pair = Pair.from_images(source, np.zeros((6, 8, 3), np.uint8))
    normalisation = Normalisation.of(pair)
    restored = normalisation.restore(normalisation.source(source))
    np.testing.assert_allclose(restored, source, atol=0.01)


@pytest.mark.parametrize("value", [0.1, 1.1, 1234.0, 3.3e-4])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (18, 24)])
def test_a_constant_source_gets_a_deviation_that_later_sources_can_live_with(value, size):
    source = np.full(size, value, np.float32)
    normalisation = Normalisation.of(Pair.from_images(source, np.zeros((*size, 3), np.uint8)))
    assert np.abs(normalisation.source(source)).max() < 1
    assert np.abs(normalisation.source(source * 2)).max() < 1e4
    np.testing.assert_allclose(normalisation.restore(normalisation.source(source)), source, rtol=1e-6)


def test_a_flat_guide_is_not_divided_by_zero():
    pair = pair_with(0.0, guide=np.full((13, 17, 3), 77, np.uint8))
    assert not Normalisation.of(pair).guide(pair.guide).any()


def test_normalisation_of_the_guide_ignores_what_the_guide_does_not_see():
    guide = np.random.default_rng(2).integers(0, 256, (13, 17, 3), np.uint8)
    seen = np.zeros((13, 17), bool)
    seen[3:9, 2:11] = True
    source = np.ones((6, 8), np.float32)
    black = np.where(seen[..., None], guide, 0).astype(np.uint8)
    for image in (guide, black):
        pair = Pair.from_images(source, image, guide_valid=seen)
        np.testing.assert_allclose(Normalisation.of(pair).guide_mean, guide[seen].mean(0), rtol=1e-6)
    nothing = Pair.from_images(source, guide, guide_valid=np.zeros((13, 17), bool))
    assert np.isfinite(Normalisation.of(nothing).guide(guide)).all()


@pytest.mark.parametrize(
    ("resolution", "size"), [(1.0, (13, 17)), (0.75, (10, 13)), (0.5, (6, 8)), (0.1, (6, 8))]
)
def test_observation_is_a_share_of_the_guide_but_never_below_the_source(resolution, size):
    pair = pair_with(np.nan)
    observation = observe(pair, Normalisation.of(pair), resolution, torch.device("cpu"))
    assert observation.upsampled.shape == (1, 1, *size) and observation.guide.shape == (1, 3, *size)
    assert observation.source.shape == observation.valid.shape == (1, 1, 6, 8)
    assert observation.pool(observation.upsampled).shape == (1, 1, 6, 8)
    assert observation.resolution == size[0] / 13
    assert all(torch.isfinite(t).all() for t in (observation.source, observation.upsampled))


def test_the_source_is_upsampled_bilinearly_about_pixel_centres():
    ramp = np.tile(np.arange(1, 9, dtype=np.float32), (6, 1))
    pair = Pair.from_images(ramp, np.zeros((24, 32, 3), np.uint8))
    normalisation = Normalisation.of(pair)
    upsampled = normalisation.restore(
        observe(pair, normalisation, 1.0, torch.device("cpu")).upsampled.numpy()[0, 0]
    )
    expected = np.clip((np.arange(32) + 0.5) / 4 - 0.5, 0, 7) + 1
    np.testing.assert_allclose(upsampled, np.tile(expected, (24, 1)), atol=1e-4)
