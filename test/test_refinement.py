"""What the stages of a keyframe hand on to each other."""

from dataclasses import replace

import pytest
import torch
from small_pairs import small_config, small_pair, small_resolver

from robself.network import RobSelf
from robself.normalisation import Normalisation
from robself.preparation import Observations
from robself.refinement import Refinement
from robself.schedule import SCHEDULES, Schedule, Stage
from robself.sharpening import sharpened

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


@pytest.mark.parametrize("resolution, in_time", [(0.5, True), (1.0, False)])
def test_the_source_is_sharpened_where_it_is_seen_first(monkeypatch, resolution, in_time):
    """A coarser resolution for which there is no time would leave the full one without detail."""
    schedule = Schedule(STAGES, STAGES)
    observations = Observations(PAIR, Normalisation.of(PAIR), {0.5}, torch.device("cpu"))
    expected = sharpened(
        observations[resolution].upsampled, observations[resolution], schedule.sharpening // 2
    )
    refinement = Refinement(schedule, sharp=True)
    monkeypatch.setattr(refinement, "improve", lambda *arguments: None)
    refinement.climb(RobSelf(small_config().model), observations, [0.5], torch.float32, lambda _: in_time)
    torch.testing.assert_close(observations[resolution].upsampled, expected)
    size = observations.full.upsampled.shape[-2:]
    enlarged = torch.nn.functional.interpolate(expected, size, mode="bicubic")
    torch.testing.assert_close(observations.full.upsampled, enlarged)
