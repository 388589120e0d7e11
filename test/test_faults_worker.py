"""A worker that ends is followed by another; one that hangs is told, and what it still gives is thrown away."""

import re
import time

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from faulty_node import faulty_node
from robot import values_of

from robself_ros.patience import LEAST_SECONDS

pytestmark = pytest.mark.ros
ERROR = DiagnosticStatus.ERROR
REPORTED_WITHIN = 2.0


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with faulty_node(tmp_path_factory.mktemp("node"), {"budget.seconds": 0.5}) as node:
        yield node


def count_of(node, task, key):
    return int(values_of(node.robot.report(task))[key])


@pytest.mark.parametrize(("fault", "named"), [("exit", "SystemExit"), ("escape", "Escape: forced by a test")])
def test_a_thread_that_ends_is_named_counted_and_followed_by_another(node, fault, named):
    node.status()
    before, failed = count_of(node, "worker", "restarts"), count_of(node, "processing", "dropped: failed")
    with node.failing(f"{fault} 1"):
        stamp = node.robot.send_pair()
        report = node.robot.report("worker", lambda status: status.level == ERROR)
    assert report.message == f"the thread ended: {named}; another was started"
    assert int(values_of(report)["restarts"]) == before + 1
    assert count_of(node, "processing", "dropped: failed") == failed + 1
    node.process.wait_until_it_says("the worker's thread ended, and another was started")
    status = node.status()
    assert not status.warm, "what the thread that ended had learned may be half done"
    assert node.robot.find(stamp) is None


def test_a_pair_past_its_budget_is_told_before_it_is_given_up(node):
    node.status()
    node.status()
    with node.failing("hang"):
        begin = time.monotonic()
        node.robot.send_pair()
        report = node.robot.report("worker", lambda status: status.level == DiagnosticStatus.WARN)
        seen = time.monotonic() - begin
    values = values_of(report)
    assert report.message.startswith("late: at one pair for ")
    deadline, busy = (float(values[name]) for name in ("deadline (s)", "busy (s)"))
    assert 0.5 <= deadline <= busy <= seen + 0.1  # of one decimal both
    assert busy - deadline < REPORTED_WITHIN
    node.status()


def test_a_worker_that_hangs_is_told_and_followed_by_another_while_it_still_does(node):
    node.status()
    node.status()
    before = values_of(node.robot.report("worker"))
    with node.failing("hang 1"):
        hung = node.robot.send_pair()
        report = node.robot.report("worker", lambda status: "no sign of life" in status.message)
        silent = float(
            re.search(r"no sign of life for ([0-9.]+) s, the thread was left to itself", report.message)[1]
        )
        status = node.status()
    assert report.level == ERROR and report.message.endswith("; another was started")
    assert LEAST_SECONDS <= float(before["silence allowed (s)"]) <= silent  # of one decimal
    assert silent - float(before["silence allowed (s)"]) < REPORTED_WITHIN
    values = values_of(report)
    assert [int(values[name]) - int(before[name]) for name in ("restarts", "given up")] == [1, 1]
    assert not status.warm, "computed by what knows nothing of the job that hung"
    assert node.status().warm
    assert node.robot.find(hung) is None
    assert node.robot.report("worker", lambda status: status.level == DiagnosticStatus.OK)
