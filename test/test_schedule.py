"""Stages and learning rates: the paper's are exactly the paper's, a budget of iterations is met exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robself.errors import ConfigError
from robself.schedule import SCHEDULES, Schedule, Stage


@pytest.mark.parametrize("warm", [False, True])
def test_the_papers_schedule_is_section_5_1(warm):
    (stage,) = SCHEDULES["paper"].stages(warm)
    assert (stage.resolution, stage.iterations) == (1.0, 1000)
    rate = 0.002
    for iteration in range(1000):
        if iteration and iteration % 5 == 0:
            rate *= 0.9998
        assert stage.rate(iteration, iteration / 1000) == pytest.approx(rate, rel=1e-9)


def test_a_linear_stage_is_constant_for_half_and_ends_at_zero():
    stage = Stage(1.0, 100, learning_rate=0.004)
    assert [stage.rate(0, f) for f in (0, 0.25, 0.5)] == [0.004] * 3
    assert stage.rate(0, 0.75) == pytest.approx(0.002)
    assert stage.rate(99, 1.0) == 0


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_ends_at_the_guides_resolution_and_never_climbs_down(name, warm):
    resolutions = [stage.resolution for stage in SCHEDULES[name].stages(warm)]
    assert resolutions == sorted(resolutions) and resolutions[-1] == 1.0


@given(st.sampled_from(sorted(SCHEDULES)), st.booleans(), st.integers(1, 5000))
def test_a_number_of_iterations_is_met_exactly_in_the_stages_proportions(name, warm, iterations):
    planned = SCHEDULES[name].stages(warm)
    stages = SCHEDULES[name].stages(warm, iterations)
    assert sum(stage.iterations for stage in stages) == iterations
    assert all(stage.iterations > 0 for stage in stages)
    total = sum(stage.iterations for stage in planned)
    by_resolution = {stage.resolution: stage for stage in stages}
    for plan in planned:
        got = by_resolution.get(plan.resolution)
        assert abs((got.iterations if got else 0) - plan.iterations * iterations / total) <= 1
        if got:
            assert (got.learning_rate, got.decay) == (plan.learning_rate, plan.decay)


def test_without_a_budget_the_schedule_is_what_it_says():
    schedule = Schedule(cold=(Stage(0.5, 7), Stage(1.0, 3)), warm=(Stage(1.0, 2),))
    assert schedule.stages(warm=False) == schedule.cold
    assert schedule.stages(warm=True) == schedule.warm


def test_warm_stages_that_a_factor_lets_meet_at_one_resolution_are_one():
    stages = SCHEDULES["coarse_to_fine"].stages(warm=True, factor=4)
    assert [(stage.resolution, stage.iterations) for stage in stages] == [(0.5, 5), (1.0, 6)]
    assert [stage.resolution for stage in SCHEDULES["coarse_to_fine"].stages(warm=True, factor=2)] == [1.0]
    cold = SCHEDULES["coarse_to_fine"].stages(warm=False, factor=4)
    assert [stage.resolution for stage in cold] == [0.5, 0.5, 1.0]
    assert sum(s.iterations * s.resolution**2 for s in cold) > 25 * sum(
        s.iterations * s.resolution**2 for s in stages
    )


@pytest.mark.parametrize("iterations", [0, -5])
def test_a_budget_without_one_iteration_is_refused(iterations):
    with pytest.raises(ConfigError, match=f"iterations: {iterations}, expected at least 1"):
        SCHEDULES["paper"].stages(False, iterations)


@pytest.mark.parametrize(
    "factor, resolution, iterations", [(4, 0.5, 300), (8 / 3, 0.75, 133), (2, 1.0, 75), (1, 1.0, 75)]
)
def test_no_stage_is_so_coarse_that_nothing_is_pooled(factor, resolution, iterations):
    schedule = Schedule(cold=(Stage(0.5, 300), Stage(1.0, 100)), warm=())
    coarse, fine = schedule.stages(False, factor=factor)
    assert (coarse.resolution, coarse.iterations) == (pytest.approx(resolution), iterations)
    assert fine == Stage(1.0, 100)


@pytest.mark.parametrize(
    "factor, iterations", [(2, [75, 100]), (4, [300, 100]), (8, [106, 35]), (16, [38, 12])]
)
def test_beyond_the_factor_that_iterations_are_meant_for_later_stages_have_fewer(factor, iterations):
    stages = SCHEDULES["coarse_to_fine"].stages(False, factor=factor)
    assert [stage.iterations for stage in stages[1:]] == iterations
    assert stages[0] == SCHEDULES["coarse_to_fine"].cold[0].resolving(factor)
    (paper,) = SCHEDULES["paper"].stages(False, factor=factor)
    assert paper.iterations == 1000


@given(st.sampled_from(sorted(SCHEDULES)), st.integers(1, 900), st.floats(1, 16))
def test_stages_that_had_to_be_finer_still_meet_their_number_of_iterations(name, iterations, factor):
    stages = SCHEDULES[name].stages(False, iterations, factor)
    assert sum(stage.iterations for stage in stages) == iterations
    assert all(stage.resolution == 1 or stage.resolution * factor >= 2 - 1e-9 for stage in stages)
