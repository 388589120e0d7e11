"""A rig that is not as its calibration says, told by the node, and mended by the file that it writes."""

import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from node_process import NodeProcess
from robot import Robot, image, info_of, pixels_of, values_of
from std_srvs.srv import Trigger

from robself.confidence import FALLEN_BACK
from robself.rendering.frames import render_frame
from robself.rendering.rig import DESK
from robself.upsampling import nearest
from robself_ros.parameters import ExtrinsicParameters

pytestmark = pytest.mark.ros
SETTINGS = {"factor": 2.0, "calibration.warn": 0.2, "keyframe.every_n": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("rig") / "corrected.yaml"


@pytest.fixture(scope="module")
def robot(tmp_path_factory, place):
    """The rendered rig, whose guide camera is turned by 0.9 degrees against what camera_info tells."""
    settings = {**SETTINGS, "calibration.save_to": str(place)}
    with (
        NodeProcess(tmp_path_factory.mktemp("node"), settings).wait_until_active() as node,
        Robot(node.domain, listens_to=("status", "confidence")).meet() as robot,
    ):
        for role in ("source", "guide"):
            robot.send(role, info_of(getattr(DESK, role)), robot.stamp())
            robot.report(role, lambda status: "no camera_info" not in status.message)
        yield robot


def exchange(robot, frame):
    return robot.exchange(image(frame.source_mm, "16UC1"), image(frame.rgb, "rgb8"))


def save(robot):
    return robot.call(Trigger, f"{robot.node_name}/save_extrinsics", Trigger.Request())


def test_nothing_is_known_and_written_before_the_first_keyframe(robot, place):
    assert "unknown" in robot.report("calibration").message
    answer = save(robot)
    assert not answer.success and "no registered keyframe" in answer.message
    assert not place.exists()


def test_a_misaligned_rig_is_told_and_the_preset_written(robot, place):
    for index in range(3):
        stamp = exchange(robot, render_frame(3 * index))
    status = robot.result(stamp)
    assert status.misalignment_keyframes == 3
    off = np.array([status.misalignment_roll, status.misalignment_pitch, status.misalignment_yaw])
    np.testing.assert_allclose(off, (0.45, 0.25, -0.75), atol=0.3)
    report = robot.report("calibration", lambda status: status.level == DiagnosticStatus.WARN)
    assert "more than 0.2 degrees: ~/save_extrinsics" in report.message
    assert float(values_of(report)["yaw (degrees)"]) == pytest.approx(off[2], abs=0.01)
    answer = save(robot)
    assert answer.success and answer.message.startswith(str(place))
    written = yaml.safe_load(place.read_text())["/**"]["ros__parameters"]["extrinsics"]
    np.testing.assert_allclose(np.rad2deg(ExtrinsicParameters(**written).rpy), off, atol=0.02)


def test_the_confidence_is_published(robot):
    frame = render_frame(9)
    stamp = exchange(robot, frame)
    confidence = robot.result(stamp, "confidence")
    assert (confidence.encoding, confidence.height, confidence.width) == ("32FC1", 144, 192)
    values, most = pixels_of(confidence), FALLEN_BACK if robot.result(stamp).fallback else 1
    assert 0.8 * most < values.max() <= most
    np.testing.assert_array_equal(values == 0, nearest(frame.source_mm == 0, (144, 192)))


def test_a_place_that_cannot_be_written_is_refused(robot, place):
    place.unlink(missing_ok=True)
    place.mkdir()
    answer = save(robot)
    assert not answer.success and f"{place}: cannot be written" in answer.message
    assert "\n" not in answer.message
