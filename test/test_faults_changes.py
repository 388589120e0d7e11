"""Streams and cameras that change midway, over DDS: a clean start with its reason, or the source as it is with one."""

import numpy as np
import pytest
from good_pairs import exchange_good
from robot import GUIDE_SIZE, SOURCE_SIZE, Robot, camera_info, pixels_of, values_of
from robself_ros.msg import Status

pytestmark = pytest.mark.ros
TRIES = 10  # a camera_info may come later than the images after it


@pytest.fixture(scope="module")
def robot(node):
    """Met, and past its first keyframe."""
    with Robot(node.domain).meet() as robot:
        robot.exchange()
        yield robot
    assert "Traceback" not in node.said


@pytest.mark.parametrize(
    "looks, told",
    [
        ({"size": (72, 96)}, "guide changed: width from 48 to 96, height from 36 to 72"),
        ({"encoding": "bgr8"}, "guide changed: encoding from 'rgb8' to 'bgr8'"),
        ({"frame_id": "elsewhere"}, "guide changed: frame_id from 'guide_optical_frame' to 'elsewhere'"),
    ],
)
def test_a_guide_that_changes_starts_anew_and_so_does_its_return(robot, looks, told):
    robot.reset()
    exchange_good(robot)
    before = exchange_good(robot)
    changed = exchange_good(robot, **looks)
    assert before.warm and not changed.warm
    assert (changed.resets, told in changed.reset_reason) == (before.resets + 1, True)
    assert exchange_good(robot, **looks).warm
    again = exchange_good(robot)
    assert (again.warm, again.resets) == (False, before.resets + 2)


@pytest.mark.parametrize("size", [(9, 12), (1, 1), (9, 96)], ids=str)
def test_beside_a_guide_smaller_than_it_the_source_passes_through(robot, size):
    exchange_good(robot)
    source = robot.source()
    stamp = robot.exchange(source, robot.guide(size=size))
    assert robot.result(stamp).mode == Status.PASS_THROUGH
    np.testing.assert_array_equal(pixels_of(robot.result(stamp, "sr")), pixels_of(source))
    robot.report("registration", lambda report: "no resolution gap" in report.message)
    assert not exchange_good(robot).warm


def test_without_camera_info_the_same_view_is_assumed_and_said(robot):
    exchange_good(robot)
    report = robot.report("registration")
    assert "both camera_info are needed to register it" in report.message
    for role in ("source", "guide"):
        assert f"no camera_info on /{role}/camera_info" in robot.report(role).message


def zeros(info):
    info.k = [0.0] * 9
    info.p = [0.0] * 12


def negative(info):
    info.k[0] = info.k[4] = -30.0


def not_a_number(info):
    info.k[2] = np.nan


def of_another_size(info):
    info.width = 7


def unknown_lens(info):
    info.distortion_model, info.d = "kannala", [0.1, 0.2]


@pytest.mark.parametrize("role", ["source", "guide"])
@pytest.mark.parametrize(
    "spoil, why",
    [
        (zeros, "focal lengths 0, 0, expected > 0"),
        (negative, "focal lengths -30, -30, expected > 0"),
        (not_a_number, "expected (3, 3) finite numbers"),
        (of_another_size, "images, these are"),
        (unknown_lens, "model 'kannala', expected one of plumb_bob"),
    ],
)
def test_a_camera_info_that_goes_wrong_is_given_up_with_a_reason_until_it_is_right_again(
    robot, role, spoil, why
):
    for_both = {"source": camera_info(SOURCE_SIZE, 30.0), "guide": camera_info(GUIDE_SIZE, 60.0)}
    if values_of(robot.report("registration")).get("registered") != "yes":
        expect_anew(robot, for_both, "camera_info came")
    spoilt = camera_info(*{"source": (SOURCE_SIZE, 30.0), "guide": (GUIDE_SIZE, 60.0)}[role])
    spoil(spoilt)
    expect_anew(robot, {role: spoilt}, "camera_info no longer fits")
    report = robot.report(role, lambda status: "its camera_info is not used" in status.message)
    assert why in report.message
    expect_anew(robot, for_both, "camera_info came")
    robot.report(role, lambda status: "not used" not in status.message)


def test_a_camera_that_changes_starts_anew(robot):
    both = {"source": camera_info(SOURCE_SIZE, 30.0), "guide": camera_info(GUIDE_SIZE, 60.0)}
    if values_of(robot.report("registration")).get("registered") != "yes":
        expect_anew(robot, both, "camera_info came")
    both["guide"].k[2] += 1.0
    expect_anew(robot, both, "a camera or the extrinsics changed")


def expect_anew(robot, infos, reason):
    """That they start anew once, cold, for that reason; and that all that is published is good."""
    before = exchange_good(robot)
    for _ in range(TRIES):
        for role, info in infos.items():
            robot.send(role, info, robot.stamp())
        status = exchange_good(robot)
        if status.resets > before.resets:
            break
    assert (status.reset_reason, status.warm) == (reason, False)
    assert exchange_good(robot).warm
