"""Each resolution keeps what was learned at it, through copies and back to a checkpoint."""

import copy

import pytest
import torch
from small_pairs import small_config, small_pair

from robself.errors import Interrupted
from robself.learned import Learned
from robself.network import RobSelf
from robself.online import Budget, OnlineSuperResolver
from robself.optimisers import make_optimisers, set_learning_rate
from robself.schedule import Schedule, Stage

STAGES = (Stage(0.5, 3), Stage(1.0, 3))


def pair(**scene):
    return small_pair((9, 12), (36, 48), **scene)


@pytest.fixture
def learned():
    network = RobSelf(small_config().model)
    optimisers = make_optimisers(network, "muon")
    set_learning_rate(optimisers, 0.01)
    return Learned(network, optimisers)


def step(learned):
    """What one step of optimisation does to weights and moments, and what they are then."""
    for weight in learned.network.parameters():
        weight.grad = torch.ones_like(weight)
    for optimiser in learned.optimisers:
        optimiser.step()
    return held(learned)


def held(learned):
    moments = [
        value for one in learned.optimisers for state in one.state.values() for value in state.values()
    ]
    return torch.cat([value.detach().flatten() for value in (*learned.network.parameters(), *moments)])


def test_a_resolution_begins_with_what_is_at_hand_and_keeps_what_it_learns(learned):
    assert not learned.turn_to(0.5)
    coarse = step(learned)
    learned.keep()
    assert not learned.turn_to(1.0)
    assert torch.equal(held(learned), coarse)
    fine = step(learned)
    learned.keep()
    assert not torch.equal(fine, coarse)
    assert learned.turn_to(0.5) and torch.equal(held(learned), coarse)
    assert learned.turn_to(1.0) and torch.equal(held(learned), fine)
    assert learned.turn_to(1.0)


def test_a_checkpoint_takes_every_resolution_back(learned):
    learned.turn_to(0.5)
    coarse = step(learned)
    learned.keep()
    learned.turn_to(1.0)
    fine = step(learned)
    learned.keep()
    begin = learned.checkpoint()
    learned.turn_to(0.5)
    step(learned)
    learned.keep()
    begin.back()
    assert torch.equal(held(learned), fine)
    assert learned.turn_to(0.5) and torch.equal(held(learned), coarse)


def test_a_deep_copy_turns_its_own_network(learned):
    learned.turn_to(0.5)
    coarse = step(learned)
    learned.keep()
    learned.turn_to(1.0)
    fine = step(learned)
    learned.keep()
    other = copy.deepcopy(learned)
    other.turn_to(0.5)
    assert torch.equal(held(other), coarse) and torch.equal(held(learned), fine)


def test_a_warm_keyframe_learns_at_each_resolution_from_what_was_learned_there():
    resolver = OnlineSuperResolver(small_config(), schedule=Schedule(STAGES, STAGES))
    resolver.keyframe(pair())
    learned = resolver._warmth.learned
    learned.turn_to(0.5)
    coarse = held(learned).clone()
    learned.turn_to(1.0)
    fine = held(learned).clone()
    assert not torch.equal(coarse, fine)
    resolver.track(pair())
    assert torch.equal(held(learned), fine)
    resolver.keyframe(pair(edge=0.5))
    assert not torch.equal(held(learned), fine)
    learned.turn_to(0.5)
    assert not torch.equal(held(learned), coarse)


def test_an_interrupted_keyframe_changes_no_resolution():
    resolver = OnlineSuperResolver(small_config(), schedule=Schedule(STAGES, STAGES))
    resolver.keyframe(pair())
    learned = resolver._warmth.learned
    before = {}
    for resolution in (0.5, 1.0):
        learned.turn_to(resolution)
        before[resolution] = held(learned).clone()
    asked = iter(range(100))
    with pytest.raises(Interrupted):  # in the second stage
        resolver.keyframe(pair(), Budget(iterations=6), should_stop=lambda: next(asked) >= 5)
    for resolution, kept in before.items():
        learned.turn_to(resolution)
        assert torch.equal(held(learned), kept)


def test_a_coarse_stage_that_ends_in_nan_spoils_neither_the_keyframe_nor_what_is_kept():
    """Nobody looks at what the last step of a stage leads to."""
    steps = []

    def spoil(network):
        def after(*_):
            steps.append(1)
            return float("nan") if len(steps) == 3 else 1.0  # the last of the first stage

        next(network.parameters()).register_hook(lambda gradient: gradient * after())

    def spoiled(model):
        network = RobSelf(model)
        spoil(network)
        return network

    resolver = OnlineSuperResolver(
        small_config(), device="cpu", schedule=Schedule(STAGES, STAGES), make_network=spoiled
    )
    assert resolver.keyframe(pair()).info["stopped_by"] == "schedule"
    assert len(steps) >= 6
    learned = resolver._warmth.learned
    for resolution in (0.5, 1.0):
        learned.turn_to(resolution)
        assert learned.sound
    assert resolver.keyframe(pair()).info["stopped_by"] == "schedule"
