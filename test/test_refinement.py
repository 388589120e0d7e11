"""What the stages of a keyframe hand on to each other."""

from dataclasses import replace

import pytest
import torch
from small_pairs import small_pair, small_resolver

import robself.refinement
from robself.network import RobSelf
from robself.preparation import Observations
from robself.schedule import SCHEDULES, Schedule, Stage

PAIR = small_pair((9, 12), (36, 48))
STAGES = (Stage(0.5, 3), Stage(1.0, 3))


@pytest.fixture
def seen():
    """The sources that the network is given, one a forward pass."""
    sources = []
    hook = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda module, inputs: sources.append(inputs[0].clone()) if isinstance(module, RobSelf) else None
    )
    yield sources
    hook.remove()


def test_a_stage_sees_what_the_one_before_it_has_made(seen):
    small_resolver(schedule=Schedule(STAGES, STAGES)).keyframe(PAIR)
    first, second = seen[2], seen[4]  # three iterations, the prediction between, three more, the last one
    assert torch.equal(seen[0], first) and torch.equal(second, seen[-1])
    enlarged = torch.nn.functional.interpolate(first, scale_factor=2, mode="bilinear")
    assert (second - enlarged).abs().max() > 0.1


@pytest.mark.parametrize("schedule", [Schedule(STAGES, STAGES), SCHEDULES["paper"]], ids=["plain", "paper"])
def test_without_bootstrapping_every_stage_sees_the_upsampled_source(seen, schedule):
    resolver = small_resolver(schedule=replace(schedule, cold=STAGES, warm=STAGES, bootstrapping=False))
    resolver.keyframe(PAIR)
    resolver.keyframe(PAIR)
    resolver.track(PAIR)
    by_size = {source.shape: [other for other in seen if other.shape == source.shape] for source in seen}
    assert len(by_size) == 2
    for same in by_size.values():
        assert all(torch.equal(source, same[0]) for source in same)


def test_a_tracked_pair_is_seen_as_the_network_has_learned_to_see_it(seen):
    resolver = small_resolver(schedule=Schedule(STAGES, STAGES))
    resolver.keyframe(PAIR)
    plain, learned = torch.nn.functional.interpolate(seen[0], scale_factor=2, mode="bilinear"), seen[-1]
    del seen[:]
    resolver.track(PAIR)
    coarse, refined = seen
    assert coarse.shape[-1] * 2 == refined.shape[-1]
    assert 0 < (refined - learned).abs().mean() < (plain - learned).abs().mean()


@pytest.fixture
def refined(monkeypatch):
    """The heights at which images are refined."""
    heights, sharpened = [], robself.refinement.sharpened

    def noted(image, observation, steps):
        heights.append(image.shape[-2])
        return sharpened(image, observation, steps)

    monkeypatch.setattr(robself.refinement, "sharpened", noted)
    return heights


def test_what_a_cold_keyframe_learns_from_is_refined_at_full_size_and_what_a_tracked_pair_sees_is_not(
    refined,
):
    resolver = small_resolver(schedule=Schedule(STAGES, STAGES))
    resolver.keyframe(PAIR)
    assert refined[0] == 36
    del refined[:]
    resolver.track(PAIR)
    assert refined[:2] == [18, 18]


def test_without_time_for_a_coarser_pass_a_warm_pair_begins_at_full_size(refined):
    resolver = small_resolver(schedule=Schedule(STAGES, STAGES))
    resolver.keyframe(PAIR)
    del refined[:]
    state = resolver._warmth
    observations = Observations(PAIR, state.normalisation, [0.5], resolver.device)
    before = observations.full.upsampled
    resolver._refine.climb(state.learned, observations, [0.5], resolver.dtype, lambda resolution: False)
    assert refined == [36] and not torch.equal(observations.full.upsampled, before)
