"""The resolver over a stream: cold once, then warm; tracking looks and does not touch; a reset forgets."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_pairs import (
    ENOUGH,
    SHORT,
    assert_sound,
    coarse_pair,
    same_bits,
    small_config,
    small_pair,
    small_resolver,
)
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook

import robself
from robself.errors import ConfigError, Interrupted, RobSelfError
from robself.network import RobSelf
from robself.online import Budget, OnlineSuperResolver
from robself.schedule import Schedule, Stage

FULL_SIZE = Schedule(cold=(Stage(1.0, 14),), warm=(Stage(1.0, 5),))
FAR_TOO_LONG = Stage(1.0, 2, learning_rate=0.3)  # its steps
PAIR, MOVED = small_pair(), small_pair(edge=0.6, near=1000.0)


class Watch:
    """Which networks ran and which optimisers stepped, how often."""

    def __init__(self):
        self.networks, self.steps = [], {}

    def ran(self, module, inputs, output):
        if isinstance(module, RobSelf) and module not in self.networks:
            self.networks.append(module)

    def stepped(self, optimiser, args, kwargs):
        self.steps[optimiser] = self.steps.get(optimiser, 0) + 1


@pytest.fixture
def watch():
    watch = Watch()
    hooks = register_module_forward_hook(watch.ran), register_optimizer_step_post_hook(watch.stepped)
    yield watch
    for hook in hooks:
        hook.remove()


def weights_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def equal_weights(ours, theirs):
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_first_keyframe_is_cold_and_those_after_it_warm(watch):
    resolver = small_resolver(schedule=FULL_SIZE)
    assert not resolver.warm
    first, second = resolver.keyframe(PAIR), resolver.keyframe(MOVED)
    assert resolver.warm
    assert (first.info["mode"], first.info["start"], first.info["iterations"]) == ("keyframe", "cold", 14)
    assert (second.info["mode"], second.info["start"], second.info["iterations"]) == ("keyframe", "warm", 5)
    assert len(watch.networks) == 1, "a warm keyframe goes on with the network there is"
    assert set(watch.steps.values()) == {14 + 5}, "and with its optimiser's state"
    for result in (first, second):
        assert_sound(result, PAIR.size)
        assert result.info["stopped_by"] == "schedule"


def test_warm_keyframes_keep_the_normalisation_of_the_first(monkeypatch):
    from robself.normalisation import Normalisation

    measured, of = [], Normalisation.of
    monkeypatch.setattr(Normalisation, "of", lambda pair, **how: measured.append(pair) or of(pair, **how))
    resolver = small_resolver()
    for pair in (PAIR, MOVED):
        resolver.keyframe(pair)
    resolver.track(MOVED)
    assert measured == [PAIR]
    resolver.reset()
    resolver.keyframe(MOVED)
    assert measured == [PAIR, MOVED]


def test_tracking_is_one_look_that_changes_no_weight(watch):
    resolver = small_resolver()
    resolver.keyframe(PAIR)
    (network,), steps = watch.networks, dict(watch.steps)
    before = weights_of(network)
    first, second = resolver.track(MOVED), resolver.track(MOVED)
    assert watch.steps == steps and watch.networks == [network]
    assert equal_weights(before, weights_of(network))
    assert same_bits(first, second)
    assert_sound(first, PAIR.size)
    assert (first.info["mode"], first.info["start"], first.info["iterations"]) == ("track", "warm", 0)
    assert first.info["loss_before"] == first.info["loss_after"] > 0
    assert first.info["consistency_before"] == first.info["consistency_after"] > 0


def test_tracking_without_the_translation_gives_the_same_image():
    resolver = small_resolver()
    resolver.keyframe(PAIR)
    whole, without = resolver.track(MOVED), resolver.track(MOVED, translate=False)
    assert without.translated is without.info["loss_after"] is None
    np.testing.assert_allclose(without.sr, whole.sr, rtol=1e-3)
    np.testing.assert_array_equal(without.displacement, whole.displacement)
    assert without.info["consistency_after"] == pytest.approx(whole.info["consistency_after"], rel=1e-2)


def test_tracking_the_keyframe_again_gives_its_prediction():
    resolver = small_resolver()
    keyframe, tracked = resolver.keyframe(PAIR), resolver.track(PAIR)
    assert tracked.info["loss_after"] == pytest.approx(keyframe.info["loss_after"], rel=1e-3)
    np.testing.assert_array_equal(tracked.displacement, keyframe.displacement)


def test_tracking_without_a_keyframe_is_an_error_also_after_a_reset():
    resolver = small_resolver()
    with pytest.raises(RobSelfError, match="track: no keyframe"):
        resolver.track(PAIR)
    resolver.keyframe(PAIR)
    resolver.reset()
    assert not resolver.warm
    with pytest.raises(RobSelfError, match="track: no keyframe"):
        resolver.track(PAIR)


def test_after_a_reset_nothing_of_the_past_is_left():
    used = small_resolver()
    used.keyframe(MOVED)
    used.reset()
    again, fresh = used.keyframe(PAIR), small_resolver().keyframe(PAIR)
    assert again.info["start"] == "cold"
    assert same_bits(again, fresh)


@pytest.mark.parametrize("variant", ["re", "de"])
def test_the_same_stream_gives_the_same_bits(variant):
    def stream():
        resolver = small_resolver(variant, eta=0.7, large_kernel=5)
        return resolver.keyframe(PAIR), resolver.track(MOVED), resolver.keyframe(MOVED)

    assert all(map(same_bits, stream(), stream()))


@pytest.mark.parametrize("iterations", [1, 2, 9, 23])
@pytest.mark.parametrize("warm", [False, True])
def test_a_budget_of_iterations_is_spent_exactly(watch, iterations, warm):
    resolver = small_resolver()
    if warm:
        resolver.keyframe(PAIR, Budget(iterations=1))
        watch.steps.clear()
    result = resolver.keyframe(PAIR, Budget(iterations=iterations))
    assert result.info["iterations"] == iterations
    assert set(watch.steps.values()) == {iterations}
    assert_sound(result, PAIR.size)


def test_a_budget_without_one_iteration_is_refused_and_changes_nothing():
    resolver = small_resolver()
    with pytest.raises(ConfigError, match="iterations: 0"):
        resolver.keyframe(PAIR, Budget(iterations=0))
    assert not resolver.warm


def stopping_after(calls):
    counted = iter(range(calls))
    return lambda: next(counted, None) is None


@pytest.mark.parametrize("calls", [0, 4])
def test_a_stopped_warm_keyframe_leaves_the_resolver_as_it_was(calls):
    stopped, undisturbed = small_resolver(), small_resolver()
    for resolver in (stopped, undisturbed):
        resolver.keyframe(PAIR)
    with pytest.raises(Interrupted):
        stopped.keyframe(MOVED, should_stop=stopping_after(calls))
    assert stopped.warm
    assert same_bits(stopped.track(MOVED), undisturbed.track(MOVED))
    # The next keyframe also needs the optimiser's moments to be as they were.
    assert same_bits(stopped.keyframe(MOVED), undisturbed.keyframe(MOVED))


@pytest.mark.parametrize("stages", [(FAR_TOO_LONG,), (Stage(0.5, 2), FAR_TOO_LONG)])
def test_a_warm_keyframe_that_raises_the_loss_is_taken_back(stages):
    """Two steps that are far too long stand for the one that a slow CPU has time for."""
    pair, normal = coarse_pair(), replace(ENOUGH, cold=(Stage(0.5, 20, 0.004), *ENOUGH.cold))
    harmed, undisturbed = (small_resolver(schedule=normal, residual=True, channels=8) for _ in range(2))
    for resolver in (harmed, undisturbed):
        resolver.keyframe(pair)
    tracked = undisturbed.track(pair)
    harmed.schedule = replace(normal, warm=stages)
    result = harmed.keyframe(pair)
    assert (result.info["mode"], result.info["start"]) == ("keyframe", "warm")
    assert result.info["iterations"] == 2 * len(stages) and result.info["taken_back"]
    if stages == (FAR_TOO_LONG,):
        assert same_bits(result, tracked)
        assert result.info["loss_after"] == pytest.approx(result.info["loss_before"], rel=1e-5)
    harmed.schedule = normal
    assert same_bits(harmed.track(pair), tracked)
    # The optimiser's moments are as they were, too.
    assert same_bits(harmed.keyframe(pair), undisturbed.keyframe(pair))


def test_weights_are_taken_back_without_time_for_another_look_and_trusted_as_before():
    pair, other = coarse_pair(), coarse_pair(near=1000.0)
    harmed, undisturbed = (small_resolver(schedule=ENOUGH, residual=True, channels=8) for _ in range(2))
    for resolver in (harmed, undisturbed):
        resolver.keyframe(pair)
    trusted = harmed._warmth.trusted
    for late in (pair, other):
        harmed.schedule = replace(ENOUGH, warm=(FAR_TOO_LONG,))
        result = harmed.keyframe(late, Budget(seconds=1e-9))
        assert result.info["iterations"] == 1 and result.info["taken_back"]
        assert result.info["fallback"], "what the step made of it is all there is"
        assert not result.info["unexplained"] and harmed.warm
        assert harmed._warmth.trusted == trusted
    assert same_bits(harmed.track(pair), undisturbed.track(pair))


def test_weights_that_explain_a_pair_neither_before_nor_after_are_given_up():
    resolver = small_resolver(schedule=ENOUGH, residual=True, channels=8)
    resolver.keyframe(coarse_pair())
    resolver.schedule = replace(ENOUGH, warm=(FAR_TOO_LONG,))
    result = resolver.keyframe(coarse_pair(edge=0.1, near=3000.0, far=400.0))
    assert result.info["taken_back"] and result.info["unexplained"]
    assert result.info["fallback"] and not resolver.warm


def test_a_cold_keyframe_whose_loss_has_risen_keeps_what_it_has():
    rising = Schedule(cold=(Stage(1.0, 2), Stage(1.0, 2, learning_rate=0.3)), warm=(Stage(1.0, 1),))
    result = small_resolver(schedule=rising).keyframe(PAIR)
    assert result.info["loss_after"] > result.info["loss_before"]
    assert not result.info["taken_back"]


def test_a_stopped_cold_keyframe_leaves_the_resolver_cold():
    resolver = small_resolver()
    with pytest.raises(Interrupted):
        resolver.keyframe(PAIR, should_stop=stopping_after(3))
    assert not resolver.warm
    assert same_bits(resolver.keyframe(PAIR), small_resolver().keyframe(PAIR))


def test_an_error_in_the_callers_progress_function_is_no_reason_to_keep_half_done_weights():
    resolver, undisturbed = small_resolver(), small_resolver()
    for each in (resolver, undisturbed):
        each.keyframe(PAIR)

    def fail(progress):
        if progress.iteration:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resolver.keyframe(MOVED, Budget(iterations=40), on_progress=fail)
    assert same_bits(resolver.track(MOVED), undisturbed.track(MOVED))


@pytest.mark.parametrize("variant", ["re", "de"])
def test_before_anything_is_learned_the_guide_is_where_it_was(variant):
    still = Schedule(cold=(Stage(1.0, 1, learning_rate=0.0),), warm=())
    result = small_resolver(variant, schedule=still).keyframe(PAIR)
    assert result.info["iterations"] == 1
    assert not result.displacement.any()
    np.testing.assert_array_equal(result.aligned_guide, PAIR.guide)
    assert_sound(result, PAIR.size)


def test_a_cold_start_leaves_the_random_numbers_of_gpus_alone(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    small_resolver().keyframe(PAIR, Budget(iterations=1))
    assert seeded == []


def test_a_resolver_takes_the_schedule_its_configuration_names_and_the_device_it_is_told():
    from robself.schedule import SCHEDULES

    config = small_config().model_copy(update={"schedule": "paper"})
    assert OnlineSuperResolver(config, "cpu").schedule is SCHEDULES["paper"]
    assert OnlineSuperResolver(config, "cpu", SHORT).schedule is SHORT
    assert OnlineSuperResolver(config, "cpu").device == torch.device("cpu")
    with pytest.raises(ConfigError, match="device: 'tpu'"):
        OnlineSuperResolver(config, "tpu")


def test_the_public_names_are_those_of_the_contract():
    assert robself.OnlineSuperResolver is OnlineSuperResolver
    assert robself.Budget is Budget and robself.RobSelf is RobSelf
    assert Budget() == Budget(iterations=None, seconds=None)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        robself.nothing  # noqa: B018
