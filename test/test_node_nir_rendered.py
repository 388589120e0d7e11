"""NIR end to end: what `nir_sr.launch.py` starts, fed with what a rendered rig sees."""

import numpy as np
import pytest
from node_process import NodeProcess, as_launched
from robot import Robot, image, info_of, pixels_of

from robself.camera_model import CameraModel
from robself.rendering.frames import render_nir_frame
from robself.rendering.rig import DESK, Rig
from robself.upsampling import bicubic_of_filled
from robself_ros.launching import plan

pytestmark = pytest.mark.ros
# Enough for the network and what refines its result to beat bicubic upsampling, if not by much.
SETTINGS = {"budget.first_iterations": 10, "budget.first_seconds": 0.0}


def of_size(camera, width, height):
    return CameraModel(width, height, camera.scaled(width, height).K, camera.D, frame_id=camera.frame_id)


# A guide that is finer in angle by two, which the node is to find out.
RIG = Rig(of_size(DESK.source, 48, 36), of_size(DESK.guide, 104, 76), DESK.guide_in_source, factor=2)


@pytest.fixture(scope="module")
def robot(tmp_path_factory):
    launch = plan({}, "nir")
    topics = dict(launch.remappings)
    process = NodeProcess(tmp_path_factory.mktemp("node"), SETTINGS, *as_launched(launch))
    with (
        process.wait_until_active() as node,
        Robot(
            node.domain,
            listens_to=("sr", "camera_info", "status"),
            source_topic=topics["source/image"],
            guide_topic=topics["guide/image"],
        ).meet() as robot,
    ):
        for role in ("source", "guide"):
            robot.send(role, info_of(getattr(RIG, role)), robot.stamp())
            robot.report(role, lambda status: "no camera_info" not in status.message)
        yield robot


@pytest.mark.parametrize("encoding", ["mono8", "mono16"])
def test_a_launched_node_is_nearer_to_the_truth_than_bicubic(robot, encoding):
    frame = render_nir_frame(2, encoding, rig=RIG)
    stamp = robot.exchange(image(frame.source, encoding), image(frame.rgb, "rgb8"))
    status, sr, info = (robot.result(stamp, name) for name in ("status", "sr", "camera_info"))
    assert (status.warm, status.fallback, status.iterations) == (False, False, 10)
    assert (sr.encoding, sr.height, sr.width) == (encoding, *frame.truth.shape)
    np.testing.assert_allclose(info.k.reshape(3, 3), RIG.truth.K)
    bicubic = bicubic_of_filled(frame.source.astype(np.float32), frame.truth.shape)
    assert rmse(pixels_of(sr), frame) < rmse(bicubic, frame)


def rmse(estimate, frame):
    return np.sqrt(np.mean((estimate.astype(float) - frame.truth) ** 2))
