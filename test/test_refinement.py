"""What the stages of a keyframe hand on to each other."""

from dataclasses import replace

import pytest
import torch
from small_pairs import small_pair, small_resolver

from robself.network import RobSelf
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
