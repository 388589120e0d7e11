"""The loop keeps its promises: budgets, progress, and a result that is finite whatever goes wrong in it."""

import math
import time
import warnings
from collections import Counter

import numpy as np
import pytest
import torch
from small_pairs import assert_sound, small_config, small_pair, small_resolver
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

import robself.deadline
import robself.online
from robself.network import RobSelf
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import CHECKED_EVERY
from robself.schedule import SCHEDULES, Schedule, Stage
from robself.upsampling import bicubic

PAIR = small_pair()
STEADY = Schedule(cold=(Stage(1.0, 25, decay="paper"),), warm=(Stage(1.0, 25, decay="paper"),))
ENDLESS = Schedule(cold=(Stage(0.5, 10**7), Stage(1.0, 10**7)), warm=(Stage(1.0, 10**7),))


class Break:
    """Hooks that spoil the weights, the gradients or the loss at one or all of the optimisation's steps."""

    def __init__(self, what, at, value=math.nan):
        self.what, self.at, self.value, self.count = what, at, value, 0
        self.network = None

    def _now(self):
        now = self.at is None or self.count == self.at
        self.count += 1
        return now

    def before_forward(self, module, inputs):
        if isinstance(module, RobSelf):
            self.network = module
            if self.what == "weights" and self._now():
                with torch.no_grad():
                    module.head[2].weight.fill_(self.value)

    def after_forward(self, module, inputs, output):
        if isinstance(module, RobSelf) and self.what == "loss" and self._now():
            return output._replace(sr=output.sr * self.value)

    def before_step(self, optimiser, args, kwargs):
        if self.what == "gradients" and self._now():
            for group in optimiser.param_groups:
                for parameter in group["params"]:
                    parameter.grad.fill_(self.value)

    def into(self, hooked):
        hooked(register_module_forward_pre_hook, self.before_forward)
        hooked(register_module_forward_hook, self.after_forward)
        hooked(register_optimizer_step_pre_hook, self.before_step)
        return self


def finite_weights(network):
    return all(torch.isfinite(parameter).all() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("at", "value", "checked_every"),
    [(0, math.nan, 1), (1, math.inf, 10), (9, math.nan, 10), (10, math.inf, 1)],
)
@pytest.mark.parametrize("what", ["weights", "gradients", "loss"])
def test_a_diverged_step_goes_back_to_the_last_good_weights_and_the_run_goes_on(
    hooked, monkeypatch, what, at, value, checked_every
):
    monkeypatch.setitem(CHECKED_EVERY, "cpu", checked_every)  # as on a GPU, where each look at the loss waits
    broken = Break(what, at, value).into(hooked)
    result = small_resolver(schedule=STEADY).keyframe(PAIR)
    assert broken.count > at
    assert_sound(result, PAIR.size)
    assert finite_weights(broken.network)
    assert result.info["stopped_by"] == "schedule"
    assert math.isfinite(result.info["loss_after"])


@pytest.mark.parametrize("at", [6, 8])  # two optimisers: the last step of a stage, and the first of the next
def test_a_divergence_between_two_stages_goes_back_to_the_last_good_weights(hooked, at):
    stages = Stage(0.5, 4, decay="paper"), Stage(1.0, 9, decay="paper")
    broken = Break("gradients", at).into(hooked)
    result = small_resolver(schedule=Schedule(cold=stages, warm=stages)).keyframe(PAIR)
    assert broken.count > at and finite_weights(broken.network)
    assert_sound(result, PAIR.size)
    assert result.info["stopped_by"] == "schedule"


@pytest.mark.parametrize("at", [23, 24, 25])
def test_a_divergence_near_the_end_gives_the_last_good_weights(hooked, at):
    broken = Break("weights", at).into(hooked)
    resolver = small_resolver(schedule=STEADY)
    result = resolver.keyframe(PAIR)
    assert_sound(result, PAIR.size)
    assert finite_weights(broken.network)
    assert math.isfinite(result.info["loss_after"])
    assert resolver.warm == (result.info["stopped_by"] != "divergence")


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("what", ["weights", "gradients", "loss"])
def test_a_run_that_diverges_again_and_again_gives_up_with_something_finite(hooked, what, warm):
    resolver = small_resolver(schedule=STEADY)
    if warm:
        resolver.keyframe(PAIR)
    Break(what, at=None).into(hooked)
    result = resolver.keyframe(PAIR, Budget(iterations=80))
    assert result.info["stopped_by"] == "divergence"
    assert_sound(result, PAIR.size)
    assert not resolver.warm, "the next keyframe starts anew"
    if what != "gradients":  # there the last good weights are those before the first step
        assert result.info["fallback"]


def test_a_cold_start_cures_a_divergence():
    resolver = small_resolver(schedule=Schedule((Stage(1.0, 60, 1e25),), (Stage(1.0, 60, 1e25),)))
    result = resolver.keyframe(PAIR)
    assert_sound(result, PAIR.size)
    resolver.schedule = STEADY
    again = resolver.keyframe(PAIR)
    assert again.info["stopped_by"] == "schedule" and math.isfinite(again.info["loss_after"])


def test_after_a_divergence_the_learning_rate_is_halved(hooked):
    rates = []
    hooked(register_optimizer_step_post_hook, lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    Break("weights", 4).into(hooked)
    schedule = Schedule((Stage(1.0, 25, decay="paper"),), STEADY.warm, optimiser="adam")
    small_resolver(schedule=schedule).keyframe(PAIR)
    assert rates[0] == 0.002
    assert rates[-1] == pytest.approx(0.001, rel=0.01)


def test_the_papers_schedule_is_adam_at_the_papers_rates(hooked):
    rates = []

    def stepped(optimiser, args, kwargs):
        assert type(optimiser) is torch.optim.Adam and optimiser.defaults["betas"] == (0.9, 0.999)
        rates.append({group["lr"] for group in optimiser.param_groups})

    hooked(register_optimizer_step_post_hook, stepped)
    small_resolver(schedule=SCHEDULES["paper"]).keyframe(PAIR, Budget(iterations=12))
    assert [rate for (rate,) in rates] == pytest.approx([0.002] * 5 + [0.002 * 0.9998] * 5 + [0.0019992] * 2)


class Clock:
    """Stands in for the module `time` so that a busy machine changes nothing: a forward pass takes 10 ms."""

    def __init__(self, hooked, monkeypatch):
        self.now, self.sizes = 0.0, []
        hooked(register_module_forward_hook, self.ran)
        for module in (robself.deadline, robself.online):
            monkeypatch.setattr(module, "time", self)

    def monotonic(self):
        return self.now

    def ran(self, module, inputs, output):
        if isinstance(module, RobSelf):
            self.now += 0.01
            self.sizes.append(tuple(output.sr.shape[-2:]))


def test_every_stage_has_its_share_of_the_wall_time_and_the_rate_falls_by_the_clock(hooked, monkeypatch):
    clock, rates = Clock(hooked, monkeypatch), []
    hooked(register_optimizer_step_post_hook, lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    pair = small_pair((9, 12), (36, 48))
    result = small_resolver(schedule=ENDLESS).keyframe(pair, Budget(seconds=0.5))
    assert result.info["stopped_by"] == "deadline"
    between_and_after = 2  # predictions that are no iterations
    assert result.info["iterations"] == len(clock.sizes) - between_and_after == pytest.approx(50, abs=2)
    # As many iterations of each were planned, and the coarse ones cost a quarter.
    assert clock.sizes.count((18, 24)) - 1 == pytest.approx(10, abs=1)
    assert rates[-1] < 0.2 * max(rates)
    assert_sound(result, pair.size)


def test_a_keyframe_ends_soon_after_its_deadline():
    begin = time.monotonic()
    result = small_resolver(schedule=ENDLESS).keyframe(PAIR, Budget(seconds=1.0))
    assert result.info["stopped_by"] == "deadline" and result.info["iterations"] > 1
    assert time.monotonic() - begin < 20  # one iteration and the prediction, on a machine that is busy


def test_a_keyframe_without_time_takes_one_iteration(hooked, monkeypatch):
    clock = Clock(hooked, monkeypatch)
    result = small_resolver(schedule=ENDLESS).keyframe(PAIR, Budget(seconds=1e-9))
    assert result.info["iterations"] == len(clock.sizes) - 1 == 1
    assert math.isfinite(result.info["loss_before"])


def test_the_first_limit_reached_ends_a_keyframe():
    few = small_resolver(schedule=ENDLESS).keyframe(PAIR, Budget(iterations=3, seconds=100))
    assert (few.info["iterations"], few.info["stopped_by"]) == (3, "schedule")
    short = small_resolver(schedule=ENDLESS).keyframe(PAIR, Budget(iterations=10**6, seconds=0.2))
    assert short.info["iterations"] < 10**6 and short.info["stopped_by"] == "deadline"


def test_stop_is_asked_at_every_iteration():
    asked = []
    result = small_resolver(schedule=STEADY).keyframe(PAIR, should_stop=lambda: bool(asked.append(1)))
    assert len(asked) == result.info["iterations"] == 25


@pytest.mark.parametrize("budget", [Budget(iterations=40), Budget(seconds=0.4)])
def test_progress_rises_from_nothing_to_at_most_the_whole(hooked, monkeypatch, budget):
    Clock(hooked, monkeypatch)
    seen = []
    small_resolver(schedule=ENDLESS).keyframe(PAIR, budget, on_progress=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions[0] == pytest.approx(0, abs=0.2) and fractions == sorted(fractions)
    assert 0.4 < fractions[-1] <= 1
    assert [progress.iteration for progress in seen] == sorted({progress.iteration for progress in seen})
    assert all(math.isfinite(progress.loss) for progress in seen)


def test_every_stage_of_a_residual_network_learns_also_at_twice_the_sources_size(hooked):
    gradients = []

    def stepped(optimiser, args, kwargs):
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        gradients.append(sum(float(p.grad.abs().sum()) for p in parameters if p.grad is not None))

    hooked(register_optimizer_step_post_hook, stepped)
    resolver = small_resolver(schedule=SCHEDULES["coarse_to_fine"], residual=True)
    resolver.keyframe(PAIR, Budget(iterations=8))
    # Two optimisers an iteration; at first the zeros of the last layer keep the hidden ones from a gradient.
    assert len(gradients) == 16 and all(gradients[1:])


class Operations(TorchDispatchMode):
    """Counts torch's operations by iteration, those of the optimisers' steps left out."""

    def __init__(self, hooked):
        super().__init__()
        self.seen, self.stepping = [Counter()], False
        hooked(register_optimizer_step_pre_hook, self.before_step)
        hooked(register_optimizer_step_post_hook, self.after_step)

    def before_step(self, optimiser, args, kwargs):
        self.stepping = True

    def after_step(self, optimiser, args, kwargs):
        self.stepping = False
        if isinstance(optimiser, torch.optim.Adam):  # the last of an iteration
            self.seen.append(Counter())

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if not self.stepping:
            self.seen[-1][operation.overloadpacket.__name__] += 1
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize("variant", ["re", "de"])
def test_an_iteration_makes_no_grids_and_waits_for_the_loss_only_when_it_is_looked_at(
    hooked, monkeypatch, variant
):
    monkeypatch.setitem(CHECKED_EVERY, "cpu", 10)  # as on a GPU
    with Operations(hooked) as operations:
        small_resolver(variant, schedule=STEADY, eta=0.7, large_kernel=5).keyframe(PAIR)
    for iteration, seen in enumerate(operations.seen[1:-1], start=1):
        assert seen["convolution"] > 0
        assert seen["_local_scalar_dense"] == (iteration % 10 == 0), "a look at a number makes a GPU wait"
        assert not seen["lift_fresh"], "numbers from Python make a GPU wait, too"
        assert not any(seen[made] for made in ("arange", "linspace", "nonzero", "masked_fill"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_iterations_make_a_gpu_wait_once_in_ten():
    def waits(iterations):
        resolver = OnlineSuperResolver(small_config(), "cuda", STEADY)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                resolver.keyframe(PAIR, Budget(iterations=iterations))
            finally:
                torch.cuda.set_sync_debug_mode("default")
        return sum("synchroniz" in str(warning.message) for warning in caught)

    waits(5)
    assert waits(81) - waits(21) <= 8  # six looks at the loss; one of them may be taken twice


@pytest.mark.parametrize("variant", ["re", "de"])
def test_optimisation_lowers_the_loss(variant):
    info = small_resolver(variant, schedule=STEADY).keyframe(PAIR).info
    assert 0 < info["loss_after"] < 0.9 * info["loss_before"]


def test_a_result_that_explains_the_source_worse_than_bicubic_is_bicubic_and_says_so():
    result = small_resolver().keyframe(PAIR, Budget(iterations=1))
    assert result.info["fallback"]
    np.testing.assert_array_equal(result.sr, bicubic(PAIR.source, PAIR.valid, PAIR.size))
    assert result.info["consistency_after"] == result.info["consistency_bicubic"] > 0
