"""Deadlines are kept: within one iteration and the final forward pass, whatever the size and the costs."""

import time

import pytest
import torch
from small_pairs import assert_sound, small_pair, small_resolver
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook

import robself.deadline
import robself.online
import robself.refinement
from robself.deadline import Pace
from robself.network import RobSelf
from robself.online import Budget
from robself.schedule import Schedule, Stage

PAIR = small_pair((9, 12), (36, 48))
FULL = 36 * 48
FORWARD, ITERATION = 0.012, 0.03  # seconds of the costly clock at full size
ENDLESS = Schedule(cold=(Stage(0.5, 10**6), Stage(1.0, 10**6)), warm=(Stage(1.0, 10**6),))
CLIMBING = Schedule(ENDLESS.cold, warm=ENDLESS.cold)
CHEAP, DEAR = 0.002, 0.2  # seconds of a refinement, an iteration being 0.03


class CostlyClock:
    """Stands in for the module `time`: work takes what its pixels say, whatever the machine does meanwhile.

    A forward pass takes 12 ms at full size, the rest of an iteration 18 ms, a refinement as much as told.
    """

    def __init__(self, hooked, monkeypatch, refinement):
        self.now, self.sizes, self.iterations = 100.0, [], 0
        hooked(register_module_forward_hook, self.ran)
        hooked(register_optimizer_step_post_hook, self.stepped)
        for module in (robself.deadline, robself.online):
            monkeypatch.setattr(module, "time", self)
        sharpened = robself.refinement.sharpened

        def taking_time(image, observation, steps):
            self.now += refinement * steps / ENDLESS.sharpening
            return sharpened(image, observation, min(steps, 1))

        monkeypatch.setattr(robself.refinement, "sharpened", taking_time)

    def monotonic(self):
        return self.now

    def ran(self, module, inputs, output):
        if isinstance(module, RobSelf):
            self.sizes.append(output.sr[0, 0].numel() / FULL)
            self.now += FORWARD * self.sizes[-1]

    def stepped(self, optimiser, args, kwargs):
        if isinstance(optimiser, torch.optim.Adam):  # one of the two of an iteration
            self.iterations += 1
            self.now += (ITERATION - FORWARD) * self.sizes[-1]


@pytest.mark.parametrize("refinement", [CHEAP, DEAR])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("schedule", [ENDLESS, CLIMBING], ids=["fine", "climbing"])
@pytest.mark.parametrize("seconds", [1e-9, 0.02, 0.1, 0.31, 1.0])
def test_a_keyframe_ends_within_its_budget_an_iteration_and_a_forward_pass(
    hooked, monkeypatch, seconds, schedule, warm, refinement
):
    clock = CostlyClock(hooked, monkeypatch, refinement)
    resolver = small_resolver(schedule=schedule)
    if warm:
        resolver.keyframe(PAIR, Budget(iterations=8))
        resolver._warmth.trusted = 1e9  # so that the result is refined, if there is time
    begin, clock.iterations = clock.now, 0
    result = resolver.keyframe(PAIR, Budget(seconds=seconds))
    # Two of its steps are tried, if no refinement was seen yet.
    calibration = refinement * 2 / ENDLESS.sharpening
    assert clock.now - begin <= seconds + ITERATION + FORWARD + calibration * (seconds < refinement) + 1e-9
    assert result.info["iterations"] == clock.iterations >= 1
    assert result.info["stopped_by"] == "deadline"
    assert_sound(result, PAIR.size)


@pytest.mark.parametrize("seconds", [0.06, 0.13, 0.2, 0.4])
@pytest.mark.parametrize("refinement", [CHEAP, 0.02, 0.05])
def test_a_warm_keyframe_that_is_short_of_time_learns_at_full_resolution_first(
    hooked, monkeypatch, seconds, refinement
):
    counts = {}
    for name, warm in [("fine", (Stage(1.0, 6),)), ("climbing", (Stage(0.5, 5), Stage(1.0, 6)))]:
        clock = CostlyClock(hooked, monkeypatch, refinement)
        resolver = small_resolver(schedule=Schedule(ENDLESS.cold, warm))
        resolver.keyframe(PAIR, Budget(iterations=8))
        steps = []
        hooked(
            register_optimizer_step_post_hook,
            lambda optimiser, *_, steps=steps, clock=clock: (
                steps.append(clock.sizes[-1]) if isinstance(optimiser, torch.optim.Adam) else None
            ),
        )
        resolver.keyframe(PAIR, Budget(seconds=seconds))
        counts[name] = steps.count(1.0)
    assert counts["climbing"] >= min(3, counts["fine"])


@pytest.mark.parametrize("refinement", [CHEAP, DEAR])
def test_a_budget_that_is_long_enough_is_used(hooked, monkeypatch, refinement):
    clock = CostlyClock(hooked, monkeypatch, refinement)
    begin = clock.now
    small_resolver(schedule=ENDLESS).keyframe(PAIR, Budget(seconds=2.0))
    # Not refined here, as the fallback is bicubic, but time was kept for it.
    assert 2.0 - refinement - 2 * ITERATION <= clock.now - begin <= 2.0


def test_stages_without_time_for_an_iteration_leave_it_to_the_others(hooked, monkeypatch):
    schedule = Schedule(cold=(Stage(0.5, 10**5), Stage(1.0, 10**6)), warm=ENDLESS.warm, bootstrapping=False)
    clock = CostlyClock(hooked, monkeypatch, CHEAP)
    result = small_resolver(schedule=schedule).keyframe(PAIR, Budget(seconds=0.046))
    # The last forward pass takes 12 ms of them and the refinement 2; a coarse iteration takes 7.5, a full one 30.
    assert set(clock.sizes[:-1]) == {0.25} and result.info["iterations"] == 4


def test_a_result_that_is_late_is_not_refined_and_says_so(hooked, monkeypatch):
    CostlyClock(hooked, monkeypatch, DEAR)
    resolver = small_resolver(schedule=ENDLESS)
    assert resolver.keyframe(PAIR, Budget(seconds=3.0)).info["refined"]
    assert not resolver.keyframe(PAIR, Budget(seconds=0.01)).info["refined"]
    assert resolver.keyframe(PAIR, Budget(iterations=2)).info["refined"], "without a deadline nothing is late"
    assert resolver.track(PAIR).info["refined"]


@pytest.mark.parametrize("size", [(36, 48), (96, 128)])
def test_a_deadline_is_kept_by_the_clock_on_the_wall(hooked, size):
    """What one iteration and one forward pass take is measured in the same run."""
    forward, iterations, begun = [], [], []

    def before(module, inputs):
        if isinstance(module, RobSelf):
            begun.append(time.monotonic())

    def after(module, inputs, output):
        if isinstance(module, RobSelf):
            forward.append(time.monotonic() - begun[-1])

    hooked(register_module_forward_pre_hook, before)
    hooked(register_module_forward_hook, after)
    hooked(register_optimizer_step_post_hook, lambda *_: iterations.append(time.monotonic() - begun[-1]))
    resolver = small_resolver(schedule=ENDLESS)
    for seconds in (0.5, 0.5, 0.05):
        begin = time.monotonic()
        result = resolver.keyframe(small_pair((9, 12), size), Budget(seconds=seconds))
        took = time.monotonic() - begin
        assert took <= seconds + 3 * (max(iterations) + max(forward)) + 1.0  # processes beside it take turns
        assert result.info["stopped_by"] == "deadline"
        assert result.info["seconds"] == pytest.approx(took, abs=0.5)


def test_a_pace_scales_with_pixels_and_forgets_the_first_of_a_size():
    pace = Pace()
    assert pace.expected("iteration", 100) == 0
    pace.took("iteration", 100, 9.0)
    assert pace.expected("iteration", 100) == 9 and pace.expected("iteration", 400) == 36
    pace.took("iteration", 100, 1.0)
    assert pace.expected("iteration", 100) == 1, "the first paid for allocation"
    pace.took("iteration", 100, 2.0)
    assert 1 < pace.expected("iteration", 100) < 2
    pace.took("iteration", 400, 7.0)
    assert pace.expected("iteration", 300) == 7 * 0.75
    assert pace.expected("refinement", 300) == 0
