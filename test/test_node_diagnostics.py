"""What the node reports about itself, and about peers that cannot be served."""

import re
from contextlib import suppress

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile
from robot import Robot, values_of
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@pytest.fixture(scope="module")
def robot(node):
    with Robot(node.domain).meet() as robot:
        yield robot


@pytest.mark.parametrize("role", ["source", "guide"])
def test_an_input_silent_for_five_seconds_is_an_error_that_names_topic_publishers_and_qos(robot, node, role):
    report = robot.report(role, lambda status: status.level == ERROR)
    assert report.hardware_id == f"/{role}/image"
    told = re.fullmatch(
        rf"no image on /{role}/image for (\d+) s: 1 publisher \(/robot BEST_EFFORT, VOLATILE\), "
        r"subscribed BEST_EFFORT, VOLATILE",
        report.message,
    )
    assert int(told[1]) >= 5
    node.wait_until_it_says(report.message.partition(" for ")[0])
    alarms = [one for one in heard(robot, role) if one.level == ERROR]
    assert all(int(re.search(r"for (\d+) s", one.message)[1]) >= 5 for one in alarms)


def heard(robot, task):
    """Everything that diagnostics have said of that so far."""
    statuses = [status for message in robot.came["diagnostics"] for status in message.status]
    return [status for status in statuses if status.name == f"robself_node: {task}"]


def test_an_input_reports_its_rate_and_the_lack_of_a_camera_info(robot):
    def fed(status):
        robot.send_pair()
        return float(values_of(status)["rate (Hz)"]) > 0

    report = robot.report("guide", fed)
    assert report.level == WARN
    assert report.message.endswith(" Hz, but no camera_info on /guide/camera_info")


def test_images_that_find_no_partner_are_an_error_that_gives_counts_and_the_last_dt(robot):
    def apart(status):  # seen between the images of a pair, others are
        return status.level == ERROR and "-3000.0 ms apart" in status.message

    robot.exchange()
    report = None
    while report is None:
        stamp = robot.stamp()
        robot.send("source", robot.source(), stamp)
        robot.send("guide", robot.guide(), stamp + 3_000_000_000)
        with suppress(AssertionError):
            report = robot.report("pairing", apart, seconds=0.5)
    values = values_of(report)
    counts = ", ".join(f"{name}: {values[name]}" for name in ("sources", "guides", "pairs"))
    assert report.message == (
        f"{counts}, last dt {values['last dt']}, latest stamps -3000.0 ms apart, slop 20.0 ms"
    )
    robot.reset()
    robot.report("pairing", lambda status: int(values_of(status)["unpaired sources"]) > 0)


def test_every_pair_is_accounted_for(robot):
    robot.cover_ears()
    robot.report("processing", lambda status: "idle" in status.message)
    robot.send_pair()
    for name in ("sr", "status"):
        robot.listen(name)
    robot.meet()
    stamp = robot.exchange()
    robot.send_pair(stamp=stamp)
    robot.send_pair(guide=robot.guide(size=(9, 12)))
    robot.exchange()
    counts = values_of(robot.report("processing", lambda status: values_of(status)["busy (s)"] == "0.0"))
    pairs = int(values_of(robot.report("pairing"))["pairs"])
    ends = [int(n) for key, n in counts.items() if key.startswith("dropped: ") and "middleware" not in key]
    assert pairs == int(counts["processed"]) + sum(ends) + int(counts.get("rejected: content", 0))


def test_latency_processing_device_and_memory_are_reported(robot):
    robot.exchange()
    values = values_of(robot.report("processing"))
    for name in ("latency", "processing"):
        assert 0 < float(values[f"{name} p50 (s)"]) <= float(values[f"{name} p95 (s)"]) < 60
    device = robot.report("device")
    assert values_of(device)["device"] == device.hardware_id
    assert "memory" in " ".join(values_of(device))


def test_resets_are_reported_with_the_reason_of_the_last(robot):
    before = int(values_of(robot.report("processing"))["resets"])
    robot.reset()
    values = values_of(robot.report("processing", lambda status: values_of(status)["resets"] != str(before)))
    assert (values["resets"], values["last reset"]) == (str(before + 1), "~/reset was called")


def test_a_subscriber_that_asks_for_too_much_is_reported_with_topic_and_policy(robot, node):
    robot.node.create_subscription(
        Image,
        "/robself_node/sr/image",
        lambda message: None,
        QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    )
    node.wait_until_it_says("/robself_node/sr/image: a peer's QoS does not fit (DURABILITY)")
