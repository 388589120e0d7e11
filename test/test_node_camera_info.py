"""The cameras' models: what comes out for the source, and what the guide is registered by."""

import numpy as np
import pytest
from robot import GUIDE_SIZE, SOURCE_SIZE, Robot, camera_info, pixels_of

pytestmark = pytest.mark.ros
FOCAL_LENGTH, D = 30.0, (0.01, -0.02, 0.001, 0.002, 0.003)


@pytest.fixture(scope="module")
def robot(node):
    """Both cameras have told their models: the guide's sees the same by twice the pixels."""
    with Robot(node.domain).meet() as robot:
        robot.send("source", camera_info(SOURCE_SIZE, FOCAL_LENGTH, D), robot.stamp())
        robot.send("guide", camera_info(GUIDE_SIZE, 2 * FOCAL_LENGTH), robot.stamp())
        for role in ("source", "guide"):
            robot.report(role, lambda status: "no camera_info" not in status.message)
        yield robot


def test_sr_camera_info_keeps_pixel_centres(robot):
    stamp = robot.exchange()
    info = robot.result(stamp, "camera_info")
    source = camera_info(SOURCE_SIZE, FOCAL_LENGTH, D)
    assert (info.height, info.width) == GUIDE_SIZE
    assert info.header == robot.result(stamp, "sr").header
    cx, cy = 2 * (source.k[2] + 0.5) - 0.5, 2 * (source.k[5] + 0.5) - 0.5
    f = 2 * FOCAL_LENGTH
    assert info.k.tolist() == pytest.approx([f, 0, cx, 0, f, cy, 0, 0, 1])
    assert info.p.tolist() == pytest.approx([f, 0, cx, 0, 0, f, cy, 0, 0, 0, 1, 0])
    assert info.d.tolist() == list(D)
    assert info.r.tolist() == np.eye(3).ravel().tolist()
    assert info.distortion_model == "plumb_bob"


def test_the_guide_is_registered_by_both_models(robot, node):
    """A colour camera of half the focal length sees the source's view in its middle half."""
    robot.exchange()
    node.wait_until_it_says("the guide is registered into the source's view at 48x36, seeing 100 % of it")


def test_a_camera_info_of_another_size_is_said_and_not_scaled(robot, node):
    stamp = robot.exchange(robot.source(size=(20, 24)))
    assert robot.find(stamp, "camera_info") is None
    node.wait_until_it_says("the source's camera_info is not used: it is of 24x18 images, these are 24x20")


def test_where_the_guide_does_not_see_the_source_is_upsampled(robot):
    """A guide of twice the focal length covers the middle half; the rim is bicubic, so smooth."""
    robot.send("guide", camera_info(GUIDE_SIZE, 4 * FOCAL_LENGTH), robot.stamp())
    stamp = robot.exchange()
    guide = pixels_of(robot.result(stamp, "guide_aligned"))
    assert (guide[:4] == 0).all()
    assert guide[16:20, 20:28].any()
    sr = pixels_of(robot.result(stamp, "sr"))
    assert (sr > 0).all()
