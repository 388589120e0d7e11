"""What a pair costs beside the optimisation."""

import subprocess
import sys

import pytest

from robself_ros.overhead import measure_overhead

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def overhead():
    return measure_overhead((240, 320), (480, 640), repeats=7)


def test_all_that_surrounds_the_optimisation_costs_no_more_than_a_hundred_enlargements(overhead):
    """It was 150 before each step was looked at; in one run, whatever the machine."""
    assert overhead.total < 100 * overhead.enlargement


def test_messages_cost_less_than_what_is_computed_for_them(overhead):
    reading = sum(overhead.steps[f"{role} from its message"] for role in ("source", "guide"))
    assert reading < overhead.steps["register the guide"]


def test_by_products_that_nobody_subscribes_to_cost_nothing(overhead):
    assert overhead.steps.keys() - overhead.fewer.keys() == {"translated message", "aligned guide message"}
    # The guide is resampled when its message is made.
    assert overhead.total - overhead.without_by_products > overhead.steps["sr message"]


def test_the_command_prints_every_step():
    command = [sys.executable, "-c", "from robself_ros.overhead import main; main((24, 32), (48, 64))"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name in ("register the guide", "assemble the result", "total"):
        assert f"\n{name}" in said
