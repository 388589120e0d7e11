"""What a user gets: units, holes, the aligned guide, and the word of `info` about how good it is."""

from dataclasses import replace

import numpy as np
import pytest
import reference_equations as reference
import torch
from small_pairs import ENOUGH, assert_sound, coarse_pair, scene, small_pair, small_resolver
from torch.nn.modules.module import register_module_forward_hook

from robself.network import RobSelf
from robself.network.sampling import pixel_grid, sample
from robself.online import Budget
from robself.pair import Pair
from robself.result import MOST_TRUSTED, trust_after
from robself.upsampling import bicubic


def learned(variant="re"):
    """A resolver that has had a keyframe, and its network."""
    resolver, networks = small_resolver(variant), set()
    hook = register_module_forward_hook(lambda module, *_: networks.add(module))
    resolver.keyframe(small_pair(), Budget(iterations=2))
    hook.remove()
    (network,) = (module for module in networks if isinstance(module, RobSelf))
    return resolver, network


def displaced(variant="re"):
    """A result whose displacement is some pixels, in all directions."""
    resolver, network = learned(variant)
    torch.manual_seed(0)
    torch.nn.init.normal_(network.translator.estimator.displacement.weight, std=20)
    return resolver.track(small_pair())


@pytest.mark.parametrize("variant", ["re", "de"])
def test_the_aligned_guide_is_the_guide_seen_through_the_displacement(variant):
    result = displaced(variant)
    assert 1 < np.abs(result.displacement).max() < 100
    guide = torch.from_numpy(scene()[1]).permute(2, 0, 1)[None].float()
    seen = sample(guide, (pixel_grid(18, 24, guide.device) + torch.from_numpy(result.displacement))[None])
    # OpenCV before 5 rounds positions to 1/32 px.
    difference = np.abs(seen[0].permute(1, 2, 0).numpy() - result.aligned_guide)
    assert difference.max() <= 5 and difference.mean() < 0.5


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("variant", ["re", "de"])
def test_a_displacement_that_is_no_number_leaves_the_source_enlarged_and_none_displaced(variant, value):
    resolver, network = learned(variant)
    with torch.no_grad():
        network.translator.estimator.displacement.bias[0] = value
    pair = small_pair()
    result = resolver.track(pair)
    assert result.info["fallback"] and not result.displacement.any()
    np.testing.assert_array_equal(result.sr, bicubic(pair.source, pair.valid, pair.size))


@pytest.fixture(scope="module")
def optimised():
    return small_resolver(schedule=ENOUGH, residual=True, channels=8).keyframe(coarse_pair())


def test_enough_iterations_explain_the_source_better_than_bicubic(optimised):
    assert_sound(optimised, (12, 16))
    assert not optimised.info["fallback"]
    assert optimised.info["consistency_after"] < optimised.info["consistency_bicubic"]
    assert optimised.info["loss_after"] < optimised.info["loss_before"]
    assert optimised.info["consistency_after"] < optimised.info["consistency_before"]


def literal_consistency(image, pair):
    down = reference.pooled(torch.from_numpy(image).double(), *pair.source.shape).numpy()
    return np.abs(down - pair.source)[pair.valid].mean()


def test_consistency_is_the_mean_error_of_the_pooled_prediction_in_the_sources_unit(optimised):
    pair = coarse_pair()
    schedule = replace(ENOUGH, back_projection=0, sharpening=0)
    plain = small_resolver(schedule=schedule, residual=True, channels=8).keyframe(pair)
    after = literal_consistency(plain.sr, pair)
    assert plain.info["consistency_after"] == pytest.approx(after, rel=1e-3)
    assert optimised.info["consistency_after"] == plain.info["consistency_after"]
    assert literal_consistency(optimised.sr, pair) < 0.3 * after, "back-projection explains what was left"
    assert optimised.info["consistency_bicubic"] == pytest.approx(
        literal_consistency(bicubic(pair.source, pair.valid, pair.size), pair), rel=1e-3
    )


def test_consistency_counts_valid_pixels_only():
    pair = small_pair()
    holes = np.random.default_rng(0).random(pair.source.shape) < 0.3
    holed = Pair.from_images(np.where(holes, np.nan, pair.source), pair.guide)
    info = small_resolver().keyframe(holed).info
    floor = literal_consistency(bicubic(holed.source, holed.valid, holed.size), holed)
    assert info["consistency_bicubic"] == pytest.approx(floor, rel=1e-3)


def test_consistency_of_depths_in_millimetres_is_not_lost_in_rounding():
    pair = small_pair(near=60000.0, far=60001.0)
    info = small_resolver().keyframe(pair).info
    floor = literal_consistency(bicubic(pair.source, pair.valid, pair.size), pair)
    # The images themselves are float32, good to 0.002 mm there.
    assert info["consistency_bicubic"] == pytest.approx(floor, abs=0.01)


def test_source_holes_come_back_as_holes(optimised):
    pair = small_pair()
    source = pair.source.copy()
    source[2:4, 3] = np.inf
    result = small_resolver().keyframe(Pair.from_images(source, pair.guide))
    expected = np.ones((18, 24), bool)
    expected[4:8, 6:8] = False
    np.testing.assert_array_equal(result.valid, expected)
    assert_sound(result, (18, 24))
    assert optimised.valid.all()


def test_where_the_guide_sees_nothing_the_source_is_enlarged_without_it():
    pair = coarse_pair()
    seen = np.ones((12, 16), bool)
    seen[:, 12:] = False
    half = Pair.from_images(pair.source, pair.guide, guide_valid=seen)
    result = small_resolver(schedule=ENOUGH, residual=True, channels=8).keyframe(half)
    assert not result.info["fallback"]
    enlarged = bicubic(pair.source, pair.valid, pair.size)
    np.testing.assert_array_equal(result.sr[~seen], enlarged[~seen])
    np.testing.assert_array_equal(result.translated[~seen], enlarged[~seen])
    assert (result.sr != enlarged)[seen].mean() > 0.9


def test_a_tracked_pair_also_falls_back_and_says_so():
    resolver = small_resolver()
    resolver.keyframe(small_pair(), Budget(iterations=1))
    tracked = resolver.track(small_pair(edge=0.8, near=400.0))
    assert tracked.info["fallback"] and tracked.info["mode"] == "track"
    assert tracked.info["consistency_after"] == tracked.info["consistency_bicubic"]


@pytest.mark.parametrize(
    "after, fallback, trusted",
    [
        (0.5, False, 2.0),
        (1.0, False, 2.0),
        (3.0, False, 6.0),
        (9.0, False, MOST_TRUSTED),
        (1.0, True, MOST_TRUSTED),
    ],
)
def test_later_pairs_are_trusted_for_twice_what_the_keyframe_left_unexplained(after, fallback, trusted):
    info = {"fallback": fallback, "consistency_after": 7.0 * after, "consistency_bicubic": 7.0}
    assert trust_after(info) == pytest.approx(trusted)


def test_a_constant_source_leaves_nothing_to_compare_with():
    info = {"fallback": False, "consistency_after": 0.0, "consistency_bicubic": 0.0}
    assert trust_after(info) == 2.0


def test_a_tracked_pair_of_another_scene_falls_back_and_says_so():
    resolver = small_resolver(schedule=ENOUGH, channels=8)
    first = resolver.keyframe(coarse_pair())
    assert not first.info["fallback"] and not resolver.track(coarse_pair()).info["fallback"]
    other = coarse_pair(edge=0.9, near=3000.0, far=300.0)
    tracked = resolver.track(other)
    assert tracked.info["fallback"]
    np.testing.assert_array_equal(tracked.sr, bicubic(other.source, other.valid, other.size))
