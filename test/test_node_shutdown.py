"""The node's process ends within a second, cleanly, whatever it is at."""

import signal
import time

import pytest
from heeding import wait_until_it_heeds, waiting_per_cpu
from middleware import of_fast_dds
from node_process import NodeProcess
from robot import Robot

from robself_ros.node import END_SECONDS

pytestmark = pytest.mark.ros
SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("seconds", [0.2, 1.0], ids=["before ROS is up", "while torch is loaded"])
def test_a_signal_during_the_start_ends_the_process(tmp_path, number, seconds):
    with NodeProcess(tmp_path) as node:
        wait_until_it_heeds(node.process)
        time.sleep(seconds)
        ended_well(node, number)


@of_fast_dds
def test_a_signal_ends_an_idle_node_and_frees_its_shared_memory(tmp_path):
    with NodeProcess(tmp_path).wait_until_active() as node:
        segments = node.shared_memory()
        assert segments
        seconds = ended_well(node, signal.SIGINT)
    # A busy machine may not end DDS in that time: then it is cut off.
    assert seconds >= END_SECONDS or not [segment for segment in segments if segment.exists()]


def test_a_second_signal_does_no_harm(tmp_path):
    """Ctrl-C under a launch reaches the node twice."""
    with NodeProcess(tmp_path, {"autostart": False}) as node:
        wait_until_it_heeds(node.process)
        time.sleep(1.0)
        ended_well(node, signal.SIGINT, signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_an_optimisation(tmp_path, number):
    endless = {"budget.first_iterations": 10**6, "budget.first_seconds": 0.0}
    with NodeProcess(tmp_path, endless).wait_until_active() as node, Robot(node.domain).meet() as robot:
        robot.occupy(robot.source(size=(288, 320)), robot.guide(size=(576, 640)))
        ended_well(node, number)


def ended_well(node: NodeProcess, *numbers: int) -> float:
    """Seconds that it took."""
    code, seconds = node.stop(*numbers)
    assert code == 0, node.said
    assert seconds < 1.0 * waiting_per_cpu()
    assert "Traceback" not in node.said
    assert "[ERROR]" not in node.said and "[FATAL]" not in node.said
    return seconds
