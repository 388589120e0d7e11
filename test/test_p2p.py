"""P2P: a pixel's colour and place become its value, learned from the means over source pixels."""

import numpy as np
import pytest
import torch
from small_pairs import scene, small_pair
from torch.optim.optimizer import register_optimizer_step_post_hook

from robself.consistency import AveragePooling
from robself.methods import METHODS, Settings, p2p
from robself.pair import Pair
from robself.upsampling import bicubic


def run(pair, iterations=2, **settings):
    return METHODS["p2p"].run(pair, Settings(iterations=iterations, device="cpu", **settings))


def rmse(image, truth):
    return np.sqrt(np.mean((image - truth) ** 2))


def test_a_piecewise_image_whose_edges_the_guide_shows_is_rebuilt_better_than_by_bicubic():
    truth, _ = scene((24, 32))
    pair = small_pair((6, 8), (24, 32))
    estimate = run(pair, iterations=100)
    assert rmse(estimate.sr, truth) < 0.5 * rmse(bicubic(pair.source, pair.valid, pair.size), truth)
    assert estimate.info["loss_after"] < 0.1 * estimate.info["loss_before"]


@pytest.mark.parametrize(("size", "source_size"), [(12, 3), (13, 5), (9, 9), (17, 4)])
def test_footprints_pool_as_the_consistency_loss_does(size, source_size):
    index, share = p2p.Footprints.of(size, source_size, torch.device("cpu"))
    image = torch.rand(size, size)
    pooled = AveragePooling((size, size), (source_size, source_size))(image[None, None])[0, 0]
    rows, columns = index[:, None, :, None], index[None, :, None, :]
    ours = torch.einsum("hwij,hi,wj->hw", image[rows, columns], share, share)
    torch.testing.assert_close(ours, pooled)
    assert index.shape[1] <= size / source_size + 2


def test_every_pass_takes_every_valid_source_pixel_once_in_a_new_order():
    pixels = torch.rand(8, 10).gt(0.2).nonzero()
    batches = p2p._batches(pixels, seed=0)
    per_pass = -(-len(pixels) // p2p.BATCH)
    first, second = (torch.cat([next(batches) for _ in range(per_pass)]) for _ in range(2))
    assert not torch.equal(first, second)
    for taken in (first, second):
        assert sorted(map(tuple, taken.tolist())) == sorted(map(tuple, pixels.tolist()))


def test_places_run_from_left_to_right_and_from_top_to_bottom():
    places = p2p.places(4, 6, torch.device("cpu"))
    assert places.shape == (4, 6, 2)
    assert places[0, 0].tolist() == [-0.5, -0.5] and places[0, -1].tolist() == [0.5, -0.5]
    assert places[-1, 0].tolist() == [-0.5, 0.5]


def test_colour_weighs_most_in_the_decay_and_adam_has_the_releases_rate():
    groups = []
    hook = register_optimizer_step_post_hook(lambda optimiser, *_: groups.extend(optimiser.param_groups))
    run(small_pair(), iterations=1)
    hook.remove()
    assert [group["weight_decay"] for group in groups] == [1e-4, 1e-3, 1e-4]
    assert {group["lr"] for group in groups} == {1e-3}
    # place and colour: 2 or 3 -> 32 -> 2048; head: 2048 -> 32 -> 1
    sizes = [sum(weight.numel() for weight in group["params"]) for group in groups]
    assert sizes == [96 + 67584, 128 + 67584, 65568 + 33]


def test_where_the_guide_does_not_see_bicubic_stands():
    pair = small_pair()
    seen = np.ones(pair.size, bool)
    seen[:5] = False
    half_seen = Pair.from_images(pair.source, pair.guide, guide_valid=seen)
    upsampled = bicubic(pair.source, pair.valid, pair.size)
    estimate = run(half_seen)
    np.testing.assert_array_equal(estimate.sr[:5], upsampled[:5])
    assert not np.isclose(estimate.sr[5:], upsampled[5:]).all()


def test_a_source_pixel_that_is_invalid_teaches_nothing(monkeypatch):
    asked, source = [], small_pair().source.copy()
    source[4] = np.nan
    of = p2p._batches
    monkeypatch.setattr(p2p, "_batches", lambda pixels, seed: asked.append(pixels) or of(pixels, seed))
    run(Pair.from_images(source, small_pair().guide))
    assert 4 not in asked[0][:, 0] and len(asked[0]) == source.size - source.shape[1]
