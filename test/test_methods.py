"""What every method of the evaluation owes it, RobSelf and its peers alike."""

import json
from functools import cache

import numpy as np
import pytest
from small_pairs import coarse_pair

import robself
from robself.config import PRESETS
from robself.errors import ConfigError
from robself.methods import METHODS, Settings
from robself.pair import Pair
from robself.upsampling import enlarge_mask

PAIR = coarse_pair()
# Its first prediction is the upsampled source, so that RobSelf need not fall back to bicubic after 4 iterations.
SMALL = {"channels": 4, "levels": 1, "large_kernel": 3, "small_kernel": 3, "residual": True}
LEARNING = [name for name, method in METHODS.items() if method.learns]
every_method = pytest.mark.parametrize("name", METHODS)
every_learning_method = pytest.mark.parametrize("name", LEARNING)


@pytest.fixture(autouse=True)
def small_preset(monkeypatch):
    monkeypatch.setitem(PRESETS, "small", SMALL)


def run(name, pair=PAIR, **settings):
    usual = {"preset": "small", "iterations": 4, "device": "cpu"}
    return METHODS[name].run(pair, Settings(**(usual | settings)))


@cache
def usual(name):
    estimate = run(name)
    assert not estimate.info.get("fallback"), "the tests below would only see bicubic"
    return estimate


def with_source(source):
    return Pair.from_images(source.astype(np.float32), PAIR.guide)


def test_every_method_is_found_by_its_own_name_and_described_in_one_line():
    for name, method in METHODS.items():
        assert method.name == name
        assert method.describes and "\n" not in method.describes


def test_the_methods_that_learn_are_robself_its_ablation_and_the_learning_peers():
    rows = ["neither", "translator", "filter", "both"]
    assert set(LEARNING) == {"robself_re", "robself_de", "p2p", "mmsr", *(f"ablation_{row}" for row in rows)}
    assert all(METHODS[name].random for name in LEARNING)


@every_method
def test_an_estimate_has_the_guides_size_and_tells_what_fits_into_json(name):
    estimate = usual(name)
    assert (estimate.sr.shape, estimate.sr.dtype) == (PAIR.size, np.float32)
    assert np.isfinite(estimate.sr).all()
    json.dumps({key: value for key, value in estimate.info.items() if not isinstance(value, np.ndarray)})


@every_method
def test_holes_of_the_source_are_holes_of_the_estimate_and_their_values_mean_nothing(name):
    source = PAIR.source.copy()
    source[1, 2] = np.nan
    estimate = run(name, with_source(source))
    np.testing.assert_array_equal(np.isfinite(estimate.sr), enlarge_mask(np.isfinite(source), PAIR.size))
    source[1, 2] = -7e6
    np.testing.assert_array_equal(run(name, with_source(source)).sr, estimate.sr)


@every_method
def test_the_estimate_is_in_the_sources_unit(name):
    # A power of two changes no digit of a float: the same estimate, bit by bit.
    estimate = run(name, with_source(PAIR.source * 4))
    np.testing.assert_array_equal(estimate.sr, usual(name).sr * 4)


@every_method
def test_a_seed_changes_the_estimate_of_random_methods_only_and_repeats_it(name):
    again, other = (run(name, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(again.sr, usual(name).sr)
    assert np.array_equal(other.sr, usual(name).sr) != METHODS[name].random


@every_learning_method
def test_a_method_that_learns_takes_as_many_iterations_as_it_is_told(name):
    assert run(name, iterations=3).info["iterations"] == 3
    with pytest.raises(ConfigError, match="iterations: 0"):
        run(name, iterations=0)


@every_learning_method
def test_a_method_that_learns_refuses_a_device_there_is_not(name):
    with pytest.raises(ConfigError, match="device: 'tpu'"):
        run(name, device="tpu")


@pytest.mark.parametrize("variant", ["re", "de"])
def test_robself_as_a_method_is_robself(variant):
    estimate = run(f"robself_{variant}", preset="task2_x2", schedule="paper", seed=3)
    result = robself.super_resolve(
        PAIR.source,
        PAIR.guide,
        preset="task2_x2",
        variant=variant,
        schedule="paper",
        iterations=4,
        seed=3,
        device="cpu",
    )
    np.testing.assert_array_equal(estimate.sr, result.sr)
    for name in ("translated", "aligned_guide", "displacement"):
        np.testing.assert_array_equal(estimate.info[name], getattr(result, name))
    told = {name: estimate.info[name] for name in ("preset", "variant", "schedule", "seed", "iterations")}
    assert told == {
        "preset": "task2_x2",
        "variant": variant,
        "schedule": "paper",
        "seed": 3,
        "iterations": 4,
    }


# The papers' Tables 1 and 2, in millions.
@pytest.mark.parametrize(
    ("name", "published"), [("p2p", 0.2), ("mmsr", 0.25), ("robself_re", 0.76), ("robself_de", 0.81)]
)
def test_methods_have_as_many_parameters_as_was_published(name, published):
    assert run(name, preset="task1_x4", iterations=1).info["parameters"] / 1e6 == pytest.approx(
        published, abs=0.005
    )
