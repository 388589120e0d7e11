"""A worker that ends is followed by another; one that hangs is told, and what it still gives is thrown away."""

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
    assert report.message == f"the thread ended and was started anew: {named}"
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
    assert 0.5 <= float(values["deadline (s)"]) < float(values["busy (s)"]) <= seen + 0.1
    node.status()


def test_a_worker_that_hangs_is_told_its_queue_stays_one_pair_and_its_result_is_thrown_away(node):
    node.status()
    node.status()
    replaced = count_of(node, "processing", "dropped: replaced by a newer pair")
    received = count_of(node, "source", "received")
    given_up = count_of(node, "worker", "given up")
    with node.failing("hang"):
        hung = node.robot.send_pair()
        report = node.robot.report("worker", lambda status: "hangs: no sign of life" in status.message)
        waiting = []
        while count_of(node, "source", "received") < received + 4:
            waiting.append(node.robot.send_pair())
        still = node.robot.report("worker", lambda status: status.level == ERROR)
    values = values_of(report)
    assert report.level == ERROR
    late = float(values["silent (s)"]) - float(values["silence allowed (s)"])
    assert 0 < late < REPORTED_WITHIN
    assert float(values["silence allowed (s)"]) >= LEAST_SECONDS
    assert int(values_of(still)["given up"]) == given_up + 1, "one job is given up once"
    last = node.robot.result(waiting[-1])
    assert not last.warm, "computed by what has forgotten the job that hung"
    assert node.robot.find(hung) is None
    assert all(node.robot.find(stamp) is None for stamp in waiting[:-1])
    assert count_of(node, "processing", "dropped: replaced by a newer pair") > replaced
    assert node.robot.report("worker", lambda status: status.level == DiagnosticStatus.OK)
