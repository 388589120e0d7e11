"""NIR recordings, rendered: what the camera sees, and that RGB makes more of it than bicubic does."""

import numpy as np
import pytest

from robself.camera_model import CameraModel
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.recording import RecordingReader
from robself.rendering import GUIDE_TOPIC, NIR_TOPIC, TRUTH_TOPIC, write_recording
from robself.rendering.frames import render_nir_frame
from robself.rendering.raycast import RayGrid, cast
from robself.rendering.rig import DESK, Rig, source_pose
from robself.rendering.scene import DYE_INFRARED, LEAF_INFRARED, build_scene, rolling_ball
from robself.rendering.shapes import FADED, Box
from robself.replay import Replay
from robself.replay_settings import ReplaySettings
from robself_ros.launching import plan


def smaller(camera, share):
    return CameraModel(
        *(round(share * side) for side in (camera.width, camera.height)),
        camera.scaled(round(share * camera.width), round(share * camera.height)).K,
        camera.D,
        frame_id=camera.frame_id,
    )


SMALL = Rig(smaller(DESK.source, 1 / 2), smaller(DESK.guide, 1 / 2), DESK.guide_in_source, factor=2)


@pytest.fixture(scope="module")
def frame():
    return render_nir_frame(2)


def test_a_nir_camera_averages_the_truth_up_to_its_noise(frame):
    pooled = frame.truth.reshape(72, 4, 96, 4).mean(axis=(1, 3))
    assert np.abs(frame.source - pooled).mean() < 3
    assert frame.source.dtype == frame.truth.dtype == np.uint8
    assert np.ptp(frame.truth) > 150 and (frame.truth == 255).mean() < 0.05, "exposed, not burnt out"


def test_sixteen_bits_see_the_same_as_eight_more_finely(frame):
    fine = render_nir_frame(2, "mono16")
    assert fine.source.dtype == fine.truth.dtype == np.uint16
    np.testing.assert_allclose(fine.truth / 4000, frame.truth / 255, atol=0.5 / 255 + 1e-3)


def test_nir_is_no_grey_of_the_colours():
    """Where colours are far apart, as seen by the source camera itself, their greys tell little of NIR."""
    grey = np.array([0.2126, 0.7152, 0.0722])
    leaf, paper = np.array([[0.08, 0.30, 0.06]]), np.array([[0.80, 0.66, 0.38]])
    dark_dye, white = np.array([[0.05, 0.16, 0.36]]), np.array([[0.75, 0.75, 0.72]])

    def nir(colour, infrared):
        return Box((0, 0, 1), lambda p: np.repeat(colour, len(p), 0), infrared=infrared).infrared_texture(
            np.zeros((1, 2), np.float32)
        )[0, 0]

    assert (leaf @ grey < paper @ grey / 2).all() and nir(leaf, LEAF_INFRARED) > nir(paper, FADED)
    assert (dark_dye @ grey < white @ grey).all() and nir(dark_dye, DYE_INFRARED) > nir(white, DYE_INFRARED)


def test_one_ball_moves_by_itself():
    grid, pose, room = RayGrid(SMALL.truth), source_pose(0), build_scene(0)
    alone = cast(room, grid, pose).depth

    def ball(index):
        hidden = cast((*room, rolling_ball(index)), grid, pose).depth < alone
        assert 0.01 < hidden.mean() < 0.1
        return np.argwhere(hidden).mean(axis=0)

    (row, column), (later_row, later_column) = ball(0), ball(4)
    assert abs(later_row - row) < 2 and later_column - column > 5


@pytest.mark.parametrize("encoding", ["mono8", "mono16"])
def test_nir_super_resolved_by_rgb_is_nearer_to_the_truth_than_bicubic(tmp_path, encoding):
    """A recording of the topics that the launch file's generic preset names, with the cameras' models."""
    bag = write_recording(tmp_path / "nir.mcap", frames=2, nir=encoding, rig=SMALL)
    settings = ReplaySettings(modality="nir", factor=2.0, first_iterations=80, iterations=20, pictures=0)
    metrics = Replay(bag, NIR_TOPIC, GUIDE_TOPIC, TRUTH_TOPIC, settings).run(tmp_path / "out")
    rmse = metrics["summary"]["rmse"]
    assert rmse["frames"] == 2 and metrics["summary"]["fallbacks"] == 0
    assert rmse["ratio"] < 0.97
    images = list(RecordingReader(tmp_path / "out" / "sr.mcap").images("/robself_node/sr/image"))
    assert [image.encoding for image in images] == [encoding] * 2


def test_the_launch_file_listens_to_the_topics_of_the_recording():
    heard = dict(plan({}, "nir").remappings)
    assert (heard["source/image"], heard["guide/image"]) == (NIR_TOPIC, GUIDE_TOPIC)


def test_hot_pixels_do_not_set_the_scale():
    draw = np.random.default_rng(0)
    source = draw.normal(3000, 40, (60, 80)).round().astype(np.uint16)
    source.ravel()[draw.choice(source.size, 12, replace=False)] = 65535
    pair = Pair.from_images(source, np.zeros((120, 160, 3), np.uint8), modality="nir")
    robust, plain = Normalisation.of(pair, by_percentiles=True), Normalisation.of(pair)
    assert robust.source_mean == pytest.approx(3000, abs=10)
    assert robust.source_deviation == pytest.approx(40, rel=0.15)
    assert plain.source_deviation > 1000
    np.testing.assert_allclose(robust.restore(robust.source(pair.source)), pair.source, rtol=1e-5)


def test_an_image_of_one_value_and_a_few_others_has_a_scale_still():
    source = np.full((30, 40), 100, np.uint8)
    source[0, 0] = 101
    pair = Pair.from_images(source, np.zeros((60, 80, 3), np.uint8), modality="nir")
    assert Normalisation.of(pair, by_percentiles=True).source_deviation > 0
