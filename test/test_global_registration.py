"""Guides turned as a whole, by the edges that they share with the source."""

import numpy as np
import pytest
from real_data import real_file
from small_pairs import small_config

from robself.geometry import GuideRegistration
from robself.global_registration import GlobalRegistration
from robself.guide_view import GuideView
from robself.online import Budget, OnlineSuperResolver
from robself.pair import Pair
from robself.pipeline import Pipeline
from robself.registered_pipeline import RegisteredPipeline
from robself.rendering.frames import render_frame, render_nir_frame
from robself.rendering.raycast import Pose
from robself.rendering.rig import DESK, Rig
from robself.rendering.shapes import rotation

TURN = np.array([1.2, -0.8, 1.5])  # degrees; some 9 px, of which calibration knows nothing
RIG = Rig(DESK.source, DESK.guide, Pose(np.zeros(3), rotation(*TURN)))


def pair_of(kind, rig=RIG):
    frame = render_nir_frame(0, rig=rig) if kind == "nir" else render_frame(0, rig=rig)
    source = frame.source if kind == "nir" else frame.source_mm / np.float32(1000)
    guide, valid = GuideRegistration(rig.source, rig.guide, size=rig.truth.image_size).apply(frame.rgb)
    return Pair.from_images(source, guide, modality=kind, guide_valid=valid)


@pytest.mark.parametrize("kind", ["depth", "nir"])
def test_the_turn_of_a_rig_is_found(kind):
    found = GlobalRegistration()
    found.find(pair_of(kind), RIG.source, metric=kind == "depth")
    np.testing.assert_allclose(np.rad2deg(found.turn), -TURN, atol=0.25)


def test_a_turned_guide_shows_what_an_unturned_camera_would():
    pair, straight = (
        pair_of("nir"),
        pair_of("nir", Rig(DESK.source, DESK.guide, Pose(np.zeros(3), np.eye(3)))),
    )
    found = GlobalRegistration()
    found.find(pair, RIG.source, metric=False)
    turned = found(pair)

    def difference(one):
        seen = turned.guide_valid & straight.guide_valid
        return np.abs(one.guide[seen].astype(float) - straight.guide[seen]).mean()

    assert difference(turned) < 0.4 * difference(pair)
    assert turned.guide_valid.mean() < pair.guide_valid.mean(), "what came from beyond the frame is masked"
    assert not turned.guide[~turned.guide_valid].any()


def test_images_that_share_no_edges_are_left_as_they_are():
    pair = pair_of("nir")
    other = Pair.from_images(pair.source, np.ascontiguousarray(pair.guide[::-1]), modality="nir")
    found = GlobalRegistration()
    found.find(other, RIG.source, metric=False)
    assert found(other) is other and not found.turn.any()


def test_a_pipeline_turns_warm_guides_like_the_cold_one_and_still_tells_of_the_rig():
    frame, found = render_nir_frame(0, rig=RIG), GlobalRegistration()
    found.find(pair_of("nir"), RIG.source, metric=False)
    config = small_config(residual=True).model_copy(update={"modality": "nir"})
    pipeline = RegisteredPipeline(
        Pipeline(OnlineSuperResolver(config, "cpu"), None, Budget(1), Budget(1)),
        GuideView(4.0, (0.0, 0.0, 0.0), lambda line: None),
        "nir",
        align=True,
    )
    stripes = np.zeros_like(frame.rgb)  # tell nothing by themselves
    stripes[::40] = 255
    for rgb in (frame.rgb, stripes):
        result = pipeline.process(frame.source.astype(np.float32), rgb, RIG.source, RIG.guide)
        view, valid = GuideRegistration(RIG.source, RIG.guide, size=RIG.truth.image_size).apply(rgb)
        expected = found(Pair.from_images(frame.source, view, modality="nir", guide_valid=valid))
        np.testing.assert_array_equal(result.pair.guide, expected.guide)
        if rgb is frame.rgb:
            np.testing.assert_allclose(result.info["misalignment"].degrees, -TURN, atol=0.4)


def test_after_a_change_of_size_guides_are_turned_as_in_a_pipeline_that_has_seen_no_other_size():
    def pipeline():
        config = small_config(residual=True).model_copy(update={"modality": "nir"})
        return RegisteredPipeline(
            Pipeline(OnlineSuperResolver(config, "cpu"), None, Budget(1), Budget(1)),
            GuideView(0.0, (0.0, 0.0, 0.0), lambda line: None),
            "nir",
            align=True,
        )

    large = pair_of("nir")
    upper_half = (image[: len(image) // 2] for image in (large.source, large.guide))
    small = Pair.from_images(*upper_half, modality="nir")
    changed = pipeline()
    for pair in (large, small):
        turned = changed.process(pair.source, pair.guide, None, None).pair.guide
    assert (turned != small.guide).any()
    alone = pipeline().process(small.source, small.guide, None, None).pair.guide
    np.testing.assert_array_equal(turned, alone)


@pytest.mark.data
@pytest.mark.parametrize("case, left", [("nir_0000_x4_mis", 1.5), ("nir_0005_x4_mis", 3.5)])
def test_a_real_nir_guide_comes_within_a_few_pixels(case, left):
    archive = np.load(real_file("cases", f"{case}.npz"))
    height, width = archive["guide"].shape[:2]
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    grid = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3)

    def moved(homography):
        places = grid @ homography.T
        return places[:, :2] / places[:, 2:] - grid[:, :2]

    found = GlobalRegistration()
    found.find(Pair.from_images(archive["lr"], archive["guide"], modality="nir"), None, metric=False)
    K = np.array([[width, 0, (width - 1) / 2], [0, width, (height - 1) / 2], [0, 0, 1]])
    true, got = (
        moved(np.linalg.inv(archive["hom"])),
        moved(K @ rotation(*np.rad2deg(found.turn)) @ np.linalg.inv(K)),
    )
    assert np.linalg.norm(true, axis=1).mean() > 8
    assert np.linalg.norm(true - got, axis=1).mean() < left
