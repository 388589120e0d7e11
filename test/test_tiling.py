"""Tiles change what memory an image takes, and nothing else that can be seen."""

import ctypes
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pairs import assert_sound, same_bits, small_config, small_pair

from robself.config import ModelConfig
from robself.errors import ConfigError
from robself.network import RobSelf
from robself.normalisation import Normalisation
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import loss_of, predict
from robself.pair import Pair
from robself.peak_memory import PeakMemory
from robself.preparation import Observations
from robself.tiling import FEATHER, MIB, Tiling, bytes_per_pixel, free_memory, spans, tiling_for

CPU = torch.device("cpu")
SIZE, TILE, CONTEXT = (120, 204), (104, 120), 18
TILING = Tiling(SIZE, TILE, 1, CONTEXT)


def textured_pair(size, factor=4):
    """Edges and texture everywhere, so that a border of a tile could show anywhere."""
    generator = np.random.default_rng(5)
    guide = generator.integers(0, 256, (*(-(-side // 8) for side in size), 3)).repeat(8, 0).repeat(8, 1)
    source = generator.uniform(900, 1500, [side // factor for side in size]).astype(np.float32)
    return Pair.from_images(source, guide[: size[0], : size[1]].astype(np.uint8))


def wandering_network(variant="re", **settings):
    """Freshly initialised but for displacements of some px, which a fresh network has not."""
    torch.manual_seed(3)
    config = {"channels": 4, "levels": 1, "large_kernel": 5, "small_kernel": 3, "eta": 0.7} | settings
    network = RobSelf(ModelConfig(variant=variant, **config))
    torch.nn.init.normal_(network.translator.estimator.displacement.weight, std=6)
    torch.nn.init.normal_(network.head[2].weight, std=1.0)
    return network.to(memory_format=torch.channels_last)


def observed(pair, tiling=None):
    full = Observations(pair, Normalisation.of(pair), set(), CPU).full
    return replace(full, tiling=tiling)


def gradients(network, observation):
    network.zero_grad()
    prediction = predict(network, observation, torch.float32)
    loss_of(prediction, observation).backward()
    return prediction, torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


@pytest.mark.parametrize(
    ("variant", "size", "settings"), [("re", SIZE, {}), ("de", SIZE, {}), ("re", (121, 203), {"eta": None})]
)
def test_tiles_predict_and_descend_as_the_whole_image_does(variant, size, settings):
    pair, network = textured_pair(size), wandering_network(variant, **settings)
    tiling = replace(TILING, size=size)
    whole, tiled = (gradients(network, observed(pair, tiling)) for tiling in (None, tiling))
    assert len(tiling) >= 6
    assert whole[0].displacement.abs().mean() > 0.5
    for ours, theirs in zip(tiled[0], whole[0], strict=True):
        assert (ours - theirs).abs().max() < 1e-3 * theirs.std()
    assert (tiled[1] - whole[1]).norm() < 1e-3 * whole[1].norm()


def test_the_threshold_of_importance_is_that_of_the_whole_image():
    guide = np.full((*SIZE, 3), 128, np.uint8)
    source = np.full((SIZE[0] // 4, SIZE[1] // 4), 1000, np.float32)
    source[:, 30:] += np.random.default_rng(0).uniform(0, 500, source[:, 30:].shape)  # one side is flat
    pair, network = Pair.from_images(source, guide), wandering_network(large_kernel=7)
    whole, tiled = (predict(network, observed(pair, tiling), torch.float32) for tiling in (None, TILING))
    assert (tiled.sr - whole.sr).abs().max() < 1e-3 * whole.sr.std()
    assert network.filter.mean_importance is None, "the next image has a threshold of its own"


@torch.no_grad()
def test_there_is_no_step_at_the_borders_of_tiles():
    pair, network = textured_pair(SIZE), wandering_network()
    whole, tiled = (predict(network, observed(pair, tiling), torch.float32) for tiling in (None, TILING))
    columns = spans(SIZE[1], TILE[1], 2, CONTEXT, CPU)
    borders = {span.start + margin for span in columns[1:] for margin in (0, CONTEXT, CONTEXT + FEATHER)}
    added = (tiled.sr - whole.sr)[0, 0].diff(dim=1).abs().mean(0)
    natural = whole.sr[0, 0].diff(dim=1).abs().mean(0)
    for border in borders:
        assert added[border - 1] < 1e-3 * natural[border - 4 : border + 4].mean()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(0, 6), st.integers(0, 20), st.integers(1, 4))
def test_tiles_cover_an_axis_once_and_begin_at_the_coarsest_pixels(size, more, context, levels):
    multiple = 2**levels
    extent = (-(-(2 * context + FEATHER) // multiple) + 1 + more) * multiple
    covered, tiles = torch.zeros(size), spans(size, extent, multiple, context, CPU)
    for start, stop, weight in tiles:
        assert start % multiple == 0 and 0 <= start < stop <= size and stop - start <= extent
        assert len(weight) == stop - start
        assert len(weight) == 1 or weight.diff().abs().max() <= 4 / FEATHER, "one gives way to the next"
        covered[start:stop] += weight
        assert start == 0 or not weight[:context].any()
        assert stop == size or not weight[len(weight) - context :].any()
    torch.testing.assert_close(covered, torch.ones(size))
    assert len(tiles) == 1 or size > extent


def test_the_memory_of_an_iteration_is_as_estimated_and_tiles_bound_it():
    settings = {"channels": 8, "levels": 1, "large_kernel": 5, "small_kernel": 3}
    size = (256, 384)
    pair, network = textured_pair(size), wandering_network(**settings)
    gradients(network, observed(textured_pair((40, 40))))  # loads what is loaded once
    limit = bytes_per_pixel(network.config, torch.float32) * 150**2 + 400 * math.prod(size)
    tiling = tiling_for(network.config, size, torch.float32, limit, strict=True)
    tiled, whole = peak_of(network, observed(pair, tiling)), peak_of(network, observed(pair))
    if tiled is None:
        pytest.skip("this system does not tell how much memory a process takes")
    estimate = bytes_per_pixel(network.config, torch.float32) * math.prod(size)
    assert tiled < 1.1 * limit < 0.5 * estimate  # the heap itself takes a few per cent
    assert 0.4 * estimate < whole < estimate


def peak_of(network, observation):
    ctypes.CDLL(None).malloc_trim(0)  # memory that lies ready to be reused would not be counted
    with PeakMemory() as peak:
        gradients(network, observation)
    return peak.bytes


def test_a_limit_makes_tiles_that_the_result_does_not_show():
    pair = textured_pair((160, 240))
    config = small_config(channels=4, large_kernel=5, eta=0.7)
    limited = OnlineSuperResolver(config, "cpu", memory_limit_mb=limit_of(config.model, (160, 240), 144**2))
    free = OnlineSuperResolver(config, "cpu")
    limited.dtype = free.dtype = torch.float32  # bfloat16 rounds otherwise in every tile
    ours, theirs = (one.keyframe(pair, Budget(iterations=3)) for one in (limited, free))
    assert ours.info["tiles"] > 1 == theirs.info["tiles"]
    assert_sound(ours, pair.size)
    for name in ("sr", "translated"):
        assert np.abs(getattr(ours, name) - getattr(theirs, name)).max() < 0.01 * theirs.sr.std()
    assert ours.info["loss_after"] == pytest.approx(theirs.info["loss_after"], rel=1e-3)
    tracked, untranslated = limited.track(pair), limited.track(pair, translate=False)
    assert tracked.info["tiles"] == untranslated.info["tiles"] == ours.info["tiles"]
    np.testing.assert_allclose(untranslated.sr, tracked.sr, rtol=1e-4)


def limit_of(model, size, tile):
    """MiB that allow tiles of that many px."""
    return (bytes_per_pixel(model, torch.float32) * tile + 400 * math.prod(size)) / MIB


def test_a_limit_that_is_not_reached_changes_no_bit():
    pair, config = small_pair(), small_config()
    limited, free = (OnlineSuperResolver(config, "cpu", memory_limit_mb=limit) for limit in (50, None))
    assert same_bits(limited.keyframe(pair, Budget(iterations=2)), free.keyframe(pair, Budget(iterations=2)))


def test_a_limit_below_the_smallest_tile_is_refused_with_what_it_takes():
    resolver = OnlineSuperResolver(small_config(), "cpu", memory_limit_mb=1.5)
    with pytest.raises(
        ConfigError, match=r"memory_limit_mb: 1\.5 is too little for 240x160 px .* at least \d"
    ):
        resolver.keyframe(textured_pair((160, 240)))
    assert not resolver.warm


def test_too_little_free_memory_gives_the_smallest_tiles():
    tiling = tiling_for(small_config().model, (4000, 6000), torch.float32, 1.0, strict=False)
    assert tiling.tile[0] == tiling.tile[1] < 300
    assert free_memory(CPU) > 2**20


@pytest.mark.parametrize("size", [(1200, 300), (300, 1200), (1000, 1000)])
def test_tiles_fill_the_limit_and_do_not_exceed_it(size):
    model = ModelConfig(channels=32)
    limit = bytes_per_pixel(model, torch.float32) * 90_000 + 400 * math.prod(size)
    rows, columns = tiling_for(model, size, torch.float32, limit, strict=True).tile
    assert 0.7 * 90_000 < rows * columns <= 90_000


def test_a_result_tells_its_peak_memory_and_of_what():
    config = small_config()
    resolver = OnlineSuperResolver(config, "cpu")
    for result in (resolver.keyframe(small_pair(), Budget(iterations=1)), resolver.track(small_pair())):
        assert result.info["memory_peak_of"] == "resident memory of the whole process"
        assert 10 < result.info["memory_peak_mb"] < 100_000


def test_peak_memory_measures_a_block_within_a_block():
    with PeakMemory() as outer:
        np.ones(16 << 20)  # 128 MiB, given back at once
        with PeakMemory() as inner:
            np.ones(8 << 20)
    assert inner.bytes < 80 << 20 < 120 << 20 < outer.bytes
