"""The built-in recording: rays against solids by marching, sensors against what they measure."""

import cv2
import numpy as np
import pytest

from robself.errors import ConfigError
from robself.geometry import GuideRegistration
from robself.recording import RecordingReader
from robself.rendering import GUIDE_TOPIC, SOURCE_TOPIC, TRUTH_TOPIC, render_frame, write_recording
from robself.rendering.raycast import Pose, RayGrid, cast, colours
from robself.rendering.rig import DESK, source_pose
from robself.rendering.scene import build_scene
from robself.rendering.sensors import measured_depth
from robself.rendering.shapes import Box, Cylinder, Ellipsoid, Plane, rotation
from robself.rendering.textures import mottled
from robself.upsampling import fill_holes

WHITE = mottled((0.8, 0.8, 0.8), (0.8, 0.8, 0.8))
TURN = rotation(x=20, y=-35, z=10)
SOLIDS = {
    "box": (
        Box((0.1, -0.1, 2.0), WHITE, TURN, half=(0.3, 0.2, 0.4)),
        lambda p: np.abs(p / [0.3, 0.2, 0.4]).max(-1),
    ),
    "ellipsoid": (
        Ellipsoid((0.1, -0.1, 2.0), WHITE, TURN, half=(0.3, 0.2, 0.4)),
        lambda p: np.linalg.norm(p / [0.3, 0.2, 0.4], axis=-1),
    ),
    "cylinder": (
        Cylinder((0.1, -0.1, 2.0), WHITE, TURN, height=0.3, top=0.2, bottom=0.2),
        lambda p: np.maximum(np.abs(p[..., 1]) / 0.3, np.hypot(p[..., 0], p[..., 2]) / 0.2),
    ),
    "cone": (
        Cylinder((0.1, -0.1, 2.0), WHITE, TURN, height=0.3, top=0.1, bottom=0.3),
        lambda p: np.maximum(
            np.abs(p[..., 1]) / 0.3, np.hypot(p[..., 0], p[..., 2]) / np.maximum(0.2 + p[..., 1] / 3, 1e-9)
        ),
    ),
}


@pytest.fixture(scope="module")
def frame():
    return render_frame(4)


@pytest.mark.parametrize("name", SOLIDS)
def test_rays_meet_a_solid_where_marching_along_them_enters_it(name):
    shape, measure = SOLIDS[name]  # measure: below 1 inside the solid, in its own frame
    draw = np.random.default_rng(0)
    directions = np.c_[draw.uniform(-0.3, 0.4, (400, 2)), np.ones(400)].astype(np.float32)
    steps = np.arange(1.2, 2.8, 2e-4)
    marched = (steps[:, None, None] * directions - shape.centre) @ shape.turn
    inside = measure(marched) < 1
    entered = np.where(inside.any(axis=0), steps[inside.argmax(axis=0)], np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        met = shape.meets(np.zeros((1, 3), np.float32), directions)
    assert 50 < np.isfinite(met).sum() < 350
    both = np.isfinite(met) & np.isfinite(entered)
    assert (np.isfinite(met) == np.isfinite(entered)).mean() > 0.99, "but for rays that graze it"
    np.testing.assert_allclose(met[both], entered[both], atol=4e-4)


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_point_where_the_solid_ends_fastest(name):
    shape, measure = SOLIDS[name]
    draw = np.random.default_rng(1)
    directions = np.c_[draw.uniform(-0.1, 0.2, (100, 2)), np.ones(100)].astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        met = shape.meets(np.zeros((1, 3), np.float32), directions)
    points = (met[:, None] * directions)[np.isfinite(met)]
    normals, _ = shape.surface(points)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)
    local = (points - shape.centre) @ shape.turn
    nudges = 1e-4 * np.eye(3)
    slope = np.stack([measure(local + nudge) - measure(local - nudge) for nudge in nudges], axis=1)
    slope /= np.linalg.norm(slope, axis=1, keepdims=True)
    cosine = np.einsum("nc,nc->n", normals @ shape.turn, slope)
    assert (cosine > 0.999).mean() > 0.97, "but for points right on an edge"


def test_depth_is_along_the_optical_axis_not_along_the_ray():
    wall = Plane((0.0, 0.0, 2.0), WHITE)
    view = cast([wall], RayGrid(DESK.truth), Pose(np.zeros(3), np.eye(3)))
    np.testing.assert_allclose(view.depth, 2.0, rtol=1e-6)


def test_the_truth_is_that_of_the_scene_at_the_centres_of_the_pixels(frame):
    """The back wall's depth by its equation, at places that show it."""
    wall, pose = build_scene(0)[0], source_pose(4)
    normal = wall.turn[:, 2].astype(float)
    for row, column in [(20, 200), (60, 120), (10, 30)]:
        x = (column - DESK.truth.K[0, 2]) / DESK.truth.K[0, 0]
        y = (row - DESK.truth.K[1, 2]) / DESK.truth.K[1, 1]
        ray = pose.turn @ np.array([x, y, 1.0])
        expected = normal @ (np.array(wall.centre) - pose.position) / (normal @ ray)
        assert frame.truth_m[row, column] == pytest.approx(expected, rel=1e-5)


def test_looking_only_where_a_shape_can_appear_changes_nothing():
    class Everywhere(RayGrid):
        def window(self, corners):
            return slice(None), slice(None)

    scene, camera, pose = build_scene(0), DESK.truth.scaled(192, 144), source_pose(7)
    np.testing.assert_array_equal(
        cast(scene, RayGrid(camera), pose).depth, cast(scene, Everywhere(camera), pose).depth
    )


def test_what_stands_between_the_lamp_and_a_wall_darkens_it():
    wall = Plane((0.0, 0.0, 2.0), WHITE, casts_shadow=False)
    # The lamp stands to the upper left of the camera, so the shadow falls to the lower right.
    ball = Ellipsoid((0.0, 0.0, 1.8), WHITE, half=(0.05, 0.05, 0.05))
    grid, pose = RayGrid(DESK.truth), Pose(np.zeros(3), np.eye(3))
    lit = colours([wall], cast([wall], grid, pose))[..., 0]
    view = cast([wall, ball], grid, pose)
    with_ball = colours([wall, ball], view)[..., 0]
    shadow = (view.depth > 1.9) & (with_ball < 0.8 * lit)
    assert 150 < shadow.sum() < 2000
    rows, columns = np.nonzero(shadow)
    assert rows.mean() > DESK.truth.K[1, 2] and columns.mean() > DESK.truth.K[0, 2]


def test_the_same_seed_gives_the_same_frame_and_another_seed_another():
    first, again, other = render_frame(2, seed=1), render_frame(2, seed=1), render_frame(2, seed=2)
    for name in ("source_mm", "rgb", "truth_m"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert (getattr(first, name) != getattr(other, name)).any()


def test_a_delayed_colour_image_shows_the_scene_of_its_own_time(frame):
    delayed, following = render_frame(4, rgb_delay=1.0), render_frame(5)
    np.testing.assert_array_equal(delayed.truth_m, frame.truth_m)

    def difference(first, second):
        return np.abs(first.rgb.astype(float) - second.rgb).mean()

    assert difference(delayed, following) < 0.3 * difference(delayed, frame)


def test_a_frame_has_the_sizes_and_types_of_its_cameras(frame):
    assert (frame.source_mm.shape, frame.source_mm.dtype) == (frame.depth_camera.image_size, np.uint16)
    assert (frame.rgb.shape, frame.rgb.dtype) == ((*frame.rgb_camera.image_size, 3), np.uint8)
    assert (frame.truth_m.shape, frame.truth_m.dtype) == (frame.truth_camera.image_size, np.float32)
    assert np.isfinite(frame.truth_m).all() and (frame.truth_m > 0.5).all()


def test_the_depth_camera_averages_the_truth_up_to_its_noise(frame):
    pooled = frame.truth_m.reshape(72, 4, 96, 4).mean(axis=(1, 3))
    valid = frame.source_mm > 0
    error = frame.source_mm[valid] / 1000 - pooled[valid]
    assert abs(error.mean()) < 3e-4
    assert (np.abs(error) < 5 * (0.7e-3 + 0.5e-3 * pooled[valid] ** 2) + 0.5e-3).all()


def test_every_frame_has_noise_of_its_own(frame):
    def noise(rendered):
        pooled = rendered.truth_m.reshape(72, 4, 96, 4).mean(axis=(1, 3))
        return np.where(rendered.source_mm > 0, rendered.source_mm / 1000 - pooled, 0).ravel()

    assert abs(np.corrcoef(noise(frame), noise(render_frame(5)))[0, 1]) < 0.1


def test_the_noise_of_depth_grows_with_the_distance():
    draw = np.random.default_rng(0)

    def deviation(metres):
        truth = np.full((288, 384), metres)
        reading = measured_depth(truth, np.ones_like(truth, bool), 4, draw)
        return (reading[reading > 0] / 1000).std()

    assert deviation(3.0) > 3 * deviation(1.0) > 2e-3


def test_holes_are_few_and_lie_where_light_does_not_come_back(frame):
    holes = frame.source_mm == 0
    assert 0.003 < holes.mean() < 0.05
    blocks = frame.truth_m.reshape(72, 4, 96, 4)
    edges = np.ptp(blocks.max(axis=3) - 0, axis=1) + np.ptp(blocks.max(axis=1), axis=2) > 0.1
    assert holes[edges].mean() > 4 * holes[~edges].mean()


def displacement(frame):
    """(H, W, 2) px on the guide: from where the calibration says to where the point really is."""
    height, width = frame.truth_m.shape
    rows, columns = np.mgrid[:height, :width]
    rays = frame.truth_camera.rays(np.stack([columns, rows], axis=-1).reshape(-1, 2))
    points = rays * frame.truth_m.reshape(-1, 1)
    really = frame.rgb_camera.pixels((points - DESK.guide_in_source.position) @ DESK.guide_in_source.turn)
    return (really - frame.rgb_camera.pixels(rays)).reshape(height, width, 2), really.reshape(
        height, width, 2
    )


def registered(frame):
    return GuideRegistration(frame.depth_camera, frame.rgb_camera, size=frame.truth_m.shape).apply(frame.rgb)


def test_calibration_brings_the_guide_within_a_few_pixels_but_not_closer(frame):
    length = np.linalg.norm(displacement(frame)[0], axis=-1)
    assert 2 < length.mean() < 6
    assert length.max() < 10


def test_the_guide_sees_all_that_the_source_sees(frame):
    assert registered(frame)[1].all()
    really = displacement(frame)[1]
    assert (really > 0).all() and (really < [frame.rgb.shape[1] - 1, frame.rgb.shape[0] - 1]).all()


def gradient(image):
    return np.hypot(cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1))


def test_edges_of_depth_are_edges_of_colour_but_not_the_other_way_round(frame):
    really = displacement(frame)[1].astype(np.float32)
    aligned = cv2.remap(frame.rgb, really[..., 0], really[..., 1], cv2.INTER_LINEAR)
    colour = np.max([gradient(aligned[..., channel].astype(np.float32)) for channel in range(3)], axis=0)
    jump = (gradient(frame.truth_m) > 1.0).astype(np.uint8)
    near_jump = cv2.dilate(jump, np.ones((5, 5))) > 0
    strongest_nearby = cv2.dilate(colour, np.ones((5, 5)))
    assert (strongest_nearby[jump > 0] > 60).mean() > 0.9
    assert ((colour > 60) & ~near_jump).sum() > 0.5 * ((colour > 60) & near_jump).sum()


def test_the_aligned_guide_fits_the_depth_better_than_the_registered_one(frame):
    really = displacement(frame)[1].astype(np.float32)
    aligned = cv2.remap(frame.rgb, really[..., 0], really[..., 1], cv2.INTER_LINEAR)
    jump = gradient(frame.truth_m) > 1.0

    def contrast(image):
        return gradient(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32))[jump].mean()

    assert contrast(aligned) > 1.5 * contrast(registered(frame)[0])


def test_the_picture_moves_by_a_few_pixels_a_frame(frame):
    following = render_frame(5)
    steps = cv2.calcOpticalFlowFarneback(
        cv2.cvtColor(registered(frame)[0], cv2.COLOR_RGB2GRAY),
        cv2.cvtColor(registered(following)[0], cv2.COLOR_RGB2GRAY),
        None, 0.5, 3, 25, 3, 5, 1.1, 0,
    )  # fmt: skip
    assert 1 < np.median(np.linalg.norm(steps, axis=-1)) < 6


def test_bicubic_leaves_much_to_gain_and_mostly_at_edges(frame):
    metres = frame.source_mm.astype(np.float32) / 1000
    filled = fill_holes(metres, metres > 0)
    bicubic = cv2.resize(filled, frame.truth_m.shape[::-1], interpolation=cv2.INTER_CUBIC)
    error = bicubic - frame.truth_m
    at_edges = cv2.dilate((gradient(frame.truth_m) > 1.0).astype(np.uint8), np.ones((5, 5))) > 0

    def rms(values):
        return np.sqrt((values**2).mean())

    assert rms(error) > 0.05
    assert rms(error[at_edges]) > 8 * rms(error[~at_edges])


def test_the_recording_gives_back_every_frame_with_its_cameras_and_truth(tmp_path):
    done = []
    path = write_recording(
        tmp_path / "scene.mcap",
        frames=2,
        seed=3,
        on_progress=lambda index, total: done.append((index, total)),
    )
    assert done == [(1, 2), (2, 2)]
    reader = RecordingReader(path)
    assert {topic: info.count for topic, info in reader.topics.items()} == dict.fromkeys(
        (SOURCE_TOPIC, GUIDE_TOPIC, TRUTH_TOPIC, "/depth/camera_info", "/rgb/camera_info"), 2
    )
    pairs = list(reader.pairs(SOURCE_TOPIC, GUIDE_TOPIC, TRUTH_TOPIC))
    assert pairs[1].stamp_ns - pairs[0].stamp_ns == 500_000_000
    expected = render_frame(1, seed=3, rgb_delay=0.008)
    np.testing.assert_array_equal(pairs[1].source.array, expected.source_mm)
    np.testing.assert_array_equal(pairs[1].guide.rgb, expected.rgb)
    np.testing.assert_array_equal(pairs[1].truth.array, expected.truth_m)
    assert pairs[1].source_camera == expected.depth_camera and pairs[1].guide_camera == expected.rgb_camera
    assert (pairs[1].source.encoding, pairs[1].guide.encoding, pairs[1].truth.encoding) == (
        "16UC1",
        "rgb8",
        "32FC1",
    )
    assert pairs[1].truth.frame_id == pairs[1].source.frame_id == expected.depth_camera.frame_id


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"period_seconds": 0.0}])
def test_a_recording_without_frames_or_time_is_refused(tmp_path, wrong):
    with pytest.raises(ConfigError):
        write_recording(tmp_path / "scene.mcap", **wrong)
    assert list(tmp_path.iterdir()) == []
