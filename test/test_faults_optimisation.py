"""An optimisation that goes wrong in a running node: back to good weights, or flagged upsampling and a cold start."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from faulty_node import faulty_node
from robot import image, pixels_of
from small_pairs import coarse_pair

from robself.pipeline import FIRST_PATIENCE
from robself.upsampling import bicubic_of_filled

pytestmark = pytest.mark.ros
PAIR = coarse_pair()  # mm
# Four setbacks, after which an optimisation gives up, take eight iterations.
ENOUGH = {
    "budget.first_iterations": 25,
    "budget.first_seconds": 0.0,
    "budget.seconds": 0.0,
    "budget.iterations": 10,
}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with faulty_node(tmp_path_factory.mktemp("node"), ENOUGH) as node:
        assert not send(node).fallback, "it goes well as long as nothing goes wrong"
        yield node


def images():
    return {
        "source": image(PAIR.source.round().astype(np.uint16), "16UC1"),
        "guide": image(PAIR.guide, "rgb8"),
    }


def send(node):
    """The status of one more pair."""
    return node.status(**images())


@pytest.mark.parametrize("fault", ["weights", "gradients", "input"])
def test_one_step_that_diverges_goes_back_to_the_last_good_weights(node, fault):
    with node.failing(f"{fault} 1"):
        status = send(node)
    assert status.warm and not status.fallback
    assert send(node).warm, "nothing has to be learned anew"


def test_after_one_pair_that_is_worse_than_bicubic_the_next_is_good(node):
    with node.failing("worse"):
        assert send(node).fallback
    status = send(node)
    assert not status.warm and not status.fallback


@pytest.mark.parametrize("fault", ["weights", "gradients", "input", "worse"])
def test_what_fails_at_every_step_is_flagged_upsampling_and_a_cold_start_cures_it(node, fault):
    with node.failing(fault):
        status, report = node.status_and_report(DiagnosticStatus.WARN, **images())
        published = pixels_of(node.robot.came["sr"][-1])
        again = send(node)
    assert status.fallback and status.warm
    np.testing.assert_allclose(published, bicubic_of_filled(PAIR.filled, PAIR.size), atol=1.5)
    assert status.consistency_after < 0.1, "of what is published, in m"
    assert report.message.startswith("plain upsampling was published")
    assert again.fallback
    assert fault == "worse" or not again.warm, "what has diverged is given up"
    # By itself: at once where the weights were given up, else once they have explained nothing for a while.
    cured = [send(node) for _ in range(2 + FIRST_PATIENCE if fault == "worse" else 1)]
    assert not cured[-1].fallback
