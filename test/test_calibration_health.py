"""A rig that is not as its calibration says: by how much, told from keyframes, and mended by a preset."""

import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml
from small_pairs import small_resolver

from robself.calibration_health import CalibrationHealth, Misalignment, save_extrinsics
from robself.camera_model import CameraModel
from robself.edge_registration import Parallax, turn_between
from robself.errors import OutputError
from robself.extrinsics import Extrinsics, rotation, rpy_of
from robself.guide_view import GuideView
from robself.online import Budget
from robself.pair import Pair, Result
from robself.pipeline import Pipeline
from robself.registered_pipeline import RegisteredPipeline
from robself.rendering.frames import render_frame
from robself.rendering.raycast import Pose
from robself.rendering.rig import DESK
from robself.rendering.shapes import rotation as turned
from robself.status import outcome_fields

AS_CALIBRATED = Extrinsics()
NO_BASELINE = Parallax(np.zeros(3), False, 0.0)
CAMERA = CameraModel(160, 120, np.array([[140.0, 0, 79.5], [0, 140.0, 59.5], [0, 0, 1]]))


def knocked(rig, **degrees):
    """The rig, its guide camera turned about its own axes."""
    mounted = rig.guide_in_source
    return replace(rig, guide_in_source=Pose(mounted.position, mounted.turn @ turned(**degrees)))


def true_degrees(rig, extrinsics=None):
    """(3,) by which the guide is turned against its calibration, about the source's axes."""
    nominal = np.eye(3) if extrinsics is None else extrinsics.rotation
    return np.rad2deg(cv2.Rodrigues(nominal.T @ rig.guide_in_source.turn.T)[0][:, 0])


class Robot:
    """The rendered rig on its way, super-resolved on a budget that leaves nearly everything undone."""

    def __init__(self, rpy=(0.0, 0.0, 0.0)):
        pipeline = Pipeline(small_resolver(), first_budget=Budget(iterations=4), budget=Budget(iterations=2))
        self.pipeline = RegisteredPipeline(pipeline, GuideView(2.0, rpy, lambda line: None), "depth")
        self.frames = 0

    def keyframe(self, rig):
        frame = render_frame(3 * self.frames, rig=rig)
        self.frames += 1
        depth = np.where(frame.source_mm > 0, frame.source_mm / np.float32(1000), np.nan).astype(np.float32)
        return self.pipeline.process(depth, frame.rgb, rig.source, rig.guide)


@pytest.fixture(scope="module")
def unharmed():
    """The robot on its way, and what it last told."""
    robot = Robot()
    return robot, [robot.keyframe(DESK).info["misalignment"] for _ in range(3)][-1]


def hit(unharmed, keyframes=5, **degrees):
    """What was told before the rig was knocked in mid-recording, and after each keyframe since; and the rig."""
    robot, before = copy.deepcopy(unharmed)
    after = knocked(DESK, **degrees)
    return before, [robot.keyframe(after).info["misalignment"] for _ in range(keyframes)], after


@pytest.fixture(scope="module")
def knock(unharmed):
    return hit(unharmed, y=-1.0)


def test_the_error_of_a_rig_that_stands_still_is_reported(knock):
    before, _, _ = knock
    assert before.keyframes == 3
    np.testing.assert_allclose(before.degrees, true_degrees(DESK), atol=0.25)
    assert before.spread < 0.2 and before.pixels_spread < 0.5
    assert 0.5 < before.angle < 1.3 and 0.5 < before.pixels < 3.5


@pytest.mark.parametrize(
    ("axis", "degrees"), [("y", -1.0), ("y", 1.0), ("z", -1.0)], ids=["one way", "the other", "roll"]
)
def test_a_knock_of_one_degree_is_reported_within_five_keyframes(unharmed, axis, degrees):
    before, after, rig = hit(unharmed, keyframes=3, **{axis: degrees})
    hit_axis, wanted = "xyz".index(axis), true_degrees(rig) - true_degrees(DESK)
    assert np.linalg.norm(wanted) == pytest.approx(1.0, abs=0.01) and -wanted[hit_axis] * degrees > 0.99
    change = after[-1].degrees - before.degrees
    assert change[hit_axis] == pytest.approx(-degrees, rel=0.3)
    assert np.abs(np.delete(change, hit_axis)).max() < 0.3
    np.testing.assert_allclose(after[-1].degrees, true_degrees(rig), atol=0.3)


def test_the_preset_of_a_knocked_rig_mends_it(knock, tmp_path):
    _, after, rig = knock
    save_extrinsics(tmp_path / "corrected.yaml", after[-1])
    written = yaml.safe_load((tmp_path / "corrected.yaml").read_text())["/**"]["ros__parameters"][
        "extrinsics"
    ]
    assert written["use_tf"] is False and written["xyz"] == [0, 0, 0]
    robot = Robot(written["rpy"])
    mended = robot.keyframe(rig).info["misalignment"]
    assert mended.angle < 0.35 < 0.4 * after[-1].angle


def test_it_is_told_in_the_status(knock):
    _, after, _ = knock
    info = {"mode": "track", "start": "warm", "fallback": False, "iterations": 0, "device": "cpu"}
    info |= {"consistency_before": 0.0, "consistency_after": 0.0, "misalignment": after[-1]}
    fields = outcome_fields(type("Result", (), {"info": info}), "depth", 0.0, 0.0)
    assert fields["misalignment_keyframes"] == 5
    assert fields["misalignment_pitch"] == pytest.approx(after[-1].degrees[1])
    assert fields["misalignment_px"] > 2.0
    info["misalignment"] = None
    without = outcome_fields(type("Result", (), {"info": info}), "depth", 0.0, 0.0)
    assert not any(name.startswith("misalignment") for name in without)


def misalignment(degrees, spread=0.1, keyframes=5, extrinsics=None):
    return Misalignment(3.0, 0.2, np.array(degrees), spread, keyframes, extrinsics or Extrinsics())


def test_a_rig_is_called_misaligned_only_when_that_is_sure():
    assert misalignment((0, 0.7, 0)).exceeds(0.5)
    assert not misalignment((0, 0.7, 0), spread=0.3).exceeds(0.5)
    assert not misalignment((0, 0.7, 0), keyframes=2).exceeds(0.5)
    assert not misalignment((0, 0.4, 0)).exceeds(0.5)
    assert not misalignment((0, 9.0, 0)).exceeds(0.0)


def test_the_corrected_rotation_goes_on_from_the_one_in_use():
    in_use, true = rotation(0.1, -0.2, 0.05), rotation(0.12, -0.19, 0.06)
    off = np.rad2deg(cv2.Rodrigues(in_use.T @ true)[0][:, 0])
    corrected = misalignment(off, extrinsics=Extrinsics(in_use)).corrected_rpy
    np.testing.assert_allclose(corrected, (0.12, -0.19, 0.06), atol=1e-9)


def test_rpy_of_is_the_inverse_of_rotation():
    for angles in [(0.3, -0.2, 0.1), (-3.0, 1.2, 2.5), (0.0, 0.0, 0.0)]:
        np.testing.assert_allclose(rpy_of(rotation(*angles)), angles, atol=1e-12)


def test_a_preset_that_cannot_be_written_is_told_in_one_line(tmp_path):
    with pytest.raises(OutputError, match=r"nowhere/corrected.yaml: cannot be written") as told:
        save_extrinsics(tmp_path / "nowhere" / "corrected.yaml", misalignment((0, 1, 0)))
    assert "\n" not in str(told.value)


def picture(seed=0, only=None):
    """(120, 160) float32: overlapping rectangles; or of one direction of edges only."""
    draw, image = np.random.default_rng(seed), np.full((120, 160), 1.0, np.float32)
    for _ in range(25):
        x, y = draw.integers(0, 150), draw.integers(0, 110)
        width, height = draw.integers(8, 50, 2)
        inside = np.s_[y : y + height, x : x + width] if only is None else np.s_[:, x : x + width]
        image[inside] = draw.uniform(0.2, 3.0)
    return image


def photographed(image, degrees):
    """The guide that shows the image turned by a rotation vector."""
    turn = cv2.Rodrigues(np.deg2rad(np.array(degrees, float)))[0]
    y, x = np.mgrid[:120, :160]
    seen = CAMERA.pixels(CAMERA.rays(np.stack((x, y), -1).reshape(-1, 2).astype(float)) @ turn)
    seen = seen.reshape(120, 160, 2).astype(np.float32)
    warped = cv2.remap(image, seen[..., 0], seen[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.repeat((80 * warped)[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("degrees", [(1.5, 0, 0), (0, -1.5, 0), (0, 0, 2.0), (0.5, 0.8, -1.0)])
def test_a_turn_about_any_axis_is_found_with_its_sign(degrees):
    image, all_valid = picture(), np.ones((120, 160), bool)
    turn = turn_between(image, all_valid, photographed(image, degrees), None, CAMERA, None)
    np.testing.assert_allclose(np.rad2deg(turn.vector), degrees, atol=0.15)


def test_the_shift_is_that_of_the_turn_in_pixels():
    image, all_valid = picture(), np.ones((120, 160), bool)
    turn = turn_between(image, all_valid, photographed(image, (0, 1.5, 0)), None, CAMERA, None)
    assert turn.shift == pytest.approx(140 * np.deg2rad(1.5), rel=0.15)


def test_a_guide_of_something_else_tells_nothing():
    all_valid = np.ones((120, 160), bool)
    for guide in (photographed(picture(seed=9), (0, 0, 0)), np.full((120, 160, 3), 90, np.uint8)):
        assert turn_between(picture(), all_valid, guide, None, CAMERA, NO_BASELINE) is None


def test_edges_of_one_direction_only_tell_nothing():
    image, all_valid = picture(only="columns"), np.ones((120, 160), bool)
    assert turn_between(image, all_valid, photographed(image, (0, 1, 0)), None, CAMERA, None) is None


def test_a_flat_or_empty_source_tells_nothing():
    flat, guide = np.ones((120, 160), np.float32), photographed(picture(), (0, 0, 0))
    for valid in (np.ones((120, 160), bool), np.zeros((120, 160), bool)):
        assert turn_between(flat, valid, guide, None, CAMERA, NO_BASELINE) is None
    assert CalibrationHealth().misalignment is None


def look(health, degrees):
    """A keyframe of a NIR camera whose guide is turned by so much."""
    image, guide = picture(), photographed(picture(), degrees)
    pair = Pair.from_images(image, guide, modality="nir")
    still = np.zeros((120, 160, 2), np.float32)
    info = {"modality": "nir"}
    health.observe(Result(image, image, still, pair.valid, pair, info), pair, CAMERA, AS_CALIBRATED, 0.0)


def test_a_long_past_does_not_hide_a_knock():
    health = CalibrationHealth()
    for _ in range(8):
        look(health, (0, 0, 0))
    assert health.misalignment.angle < 0.1
    for _ in range(3):
        look(health, (0, 0, -1.0))
    np.testing.assert_allclose(health.misalignment.degrees, (0, 0, -1.0), atol=0.15)
    assert health.misalignment.keyframes == 5


def test_another_calibration_begins_anew():
    health = CalibrationHealth()
    look(health, (0, 0, -1.0))
    pair = Pair.from_images(picture(), np.zeros((120, 160, 3), np.uint8), modality="nir")
    blind = Result(pair.source, pair.source, np.zeros((120, 160, 2)), pair.valid, pair, {"modality": "nir"})
    health.observe(blind, pair, CAMERA, AS_CALIBRATED, 0.0)
    assert health.misalignment.keyframes == 1, "a keyframe that tells nothing changes nothing"
    health.observe(blind, pair, CAMERA, Extrinsics(rotation(0.1, 0, 0)), 0.0)
    assert health.misalignment is None
