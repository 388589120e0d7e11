"""Whatever a budget and however long its iterations take, it is overdrawn by one iteration at most."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import robself.deadline
from robself.deadline import Deadline, Pace, StageClock
from robself.schedule import Stage

PIXELS = 64 * 64


class Clock:
    """Stands in for the module `time`: time passes when it is told to."""

    now = 0.0

    def monotonic(self):
        return self.now


@given(
    budget=st.floats(0.0, 100.0),
    seconds=st.lists(st.floats(1e-4, 30.0), min_size=1, max_size=50),
)
def test_a_stage_ends_within_its_budget_and_one_iteration(budget, seconds):
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(robself.deadline, "time", clock)
        stage = StageClock(Deadline(budget, Pace(), PIXELS), [Stage(1.0, 50)], torch.device("cpu"))
        for index, one in enumerate(seconds):
            if index and not stage.allows_another:
                break
            clock.now, last = clock.now + one, one
            stage.iterated()
        assert clock.now <= budget + last
        assert stage.fraction <= 1.0
