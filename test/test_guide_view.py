"""The guide brought to the source's view and the SR size, or taken as it is."""

import numpy as np
import pytest

from robself.camera_model import CameraModel
from robself.errors import InputError
from robself.extrinsics import rotation
from robself.guide_view import GuideView
from robself.resampling import resized

SOURCE_SIZE, GUIDE_SIZE = (18, 24), (54, 72)
DRAW = np.random.default_rng(0)


@pytest.fixture
def said():
    return []


def camera(size, focal_length):
    height, width = size
    K = [[focal_length, 0, (width - 1) / 2], [0, focal_length, (height - 1) / 2], [0, 0, 1]]
    return CameraModel(width, height, np.array(K, float))


def guide(size=GUIDE_SIZE):
    return DRAW.integers(1, 255, (*size, 3), np.uint8)


def test_without_cameras_the_guide_is_taken_as_it_is_and_said_once(said):
    view, image = GuideView(0.0, (0, 0, 0), said.append), guide()
    for _ in range(2):
        taken, valid = view(image, SOURCE_SIZE, None, camera(GUIDE_SIZE, 60.0))
        assert taken is image
        assert valid is None
    assert not view.report.registered and view.report.doubtful
    assert said == [
        "the guide is taken as it is: it must show the source's view; both camera_info are needed to register it"
    ]


def test_a_same_view_that_the_user_vouches_for_is_no_doubt(said):
    view = GuideView(0.0, (0, 0, 0), said.append, warn=pytest.fail, same_view=True)
    view(guide(), SOURCE_SIZE, None, None)
    assert said == ["the guide is taken as it is: it must show the source's view"]
    assert not view.report.doubtful


@pytest.mark.parametrize("factor, size", [(2.0, (36, 48)), (4.0, (72, 96)), (1.5, (27, 36))])
def test_without_cameras_a_factor_sets_the_size(said, factor, size):
    taken, _ = GuideView(factor, (0, 0, 0), said.append)(guide(), SOURCE_SIZE, None, None)
    assert taken.shape == (*size, 3)
    assert taken.dtype == np.uint8


def test_shrinking_a_guide_averages(said):
    stripes = np.zeros((*GUIDE_SIZE, 3), np.uint8)
    stripes[:, ::3] = 240
    taken, _ = GuideView(1.0, (0, 0, 0), said.append)(stripes, SOURCE_SIZE, None, None)
    assert (taken == 80).all()


def test_cameras_of_one_view_give_the_guide_itself(said):
    view, image = GuideView(0.0, (0, 0, 1e-9), said.append), guide()
    taken, valid = view(image, SOURCE_SIZE, camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, 60.0))
    assert valid.all()
    np.testing.assert_array_equal(taken, image)
    assert view.report.registered
    assert said == [
        "the guide is registered into the source's view at 72x54, seeing 100 % of it, turned as the parameters say"
    ]


def test_a_narrow_guide_is_invalid_around(said):
    view = GuideView(3.0, (0, 0, 0), said.append)
    taken, valid = view(guide(), SOURCE_SIZE, camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, 120.0))
    assert 0.2 < valid.mean() < 0.3
    assert valid[27, 36]
    assert not taken[~valid].any()


def test_the_size_of_a_registered_guide_follows_from_its_angular_resolution(said):
    """A guide of three times the pixels over half the angle is six times as fine."""
    cameras = camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, 120.0)
    view = GuideView(0.0, (0, 0, 0), said.append)
    taken, _ = view(guide(), SOURCE_SIZE, *cameras)
    assert taken.shape[:2] == (6 * 18, 6 * 24)
    assert view.report.gap == pytest.approx(6, rel=0.01)
    taken, _ = GuideView(0.0, (0, 0, 0), said.append, factor_max=4.0)(guide(), SOURCE_SIZE, *cameras)
    assert taken.shape[:2] == (4 * 18, 4 * 24)


def test_without_cameras_the_size_is_bounded_too(said):
    taken, _ = GuideView(0.0, (0, 0, 0), said.append, factor_max=2.0)(guide(), SOURCE_SIZE, None, None)
    assert taken.shape[:2] == (36, 48)


@pytest.mark.parametrize("factor", [0.0, 2.0])
@pytest.mark.parametrize("focal_length", [20.5, 15.0])
def test_a_guide_that_is_not_finer_is_doubted_with_the_reason(said, factor, focal_length):
    """As many pixels as before, but over so wide an angle that each sees no less than a source pixel."""
    view = GuideView(factor, (0, 0, 0), pytest.fail, warn=said.append)
    taken, _ = view(guide(), SOURCE_SIZE, camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, focal_length))
    assert view.report.passes_through
    assert taken.shape[:2] == SOURCE_SIZE
    assert f"no resolution gap: the guide is {focal_length / 20:.2f} times as fine as the source" in said[0]


def test_a_guide_smaller_than_the_source_is_not_finer_where_no_camera_tells(said):
    view = GuideView(0.0, (0, 0, 0), said.append)
    taken, _ = view(guide((9, 12)), SOURCE_SIZE, None, None)
    assert view.report.passes_through and taken.shape[:2] == SOURCE_SIZE


def test_an_unknown_rotation_is_assumed_and_warned_of_once(said):
    view = GuideView(0.0, (0, 0, 0), pytest.fail, warn=said.append)
    for _ in range(2):
        view(guide(), SOURCE_SIZE, camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, 60.0))
    (line,) = said
    assert "the rotation from '' to '' is unknown (no static transform, no extrinsics.rpy)" in line


def test_a_turned_guide_is_turned_back(said):
    """The guide camera looks 10 degrees to the right: what it sees in its middle is right in the source."""
    image = np.ones((*GUIDE_SIZE, 3), np.uint8)
    image[:, 35:37] = 255
    yaw_of_the_ray = -np.deg2rad(10)  # about y, down: turns the source's rays into the guide's
    view = GuideView(0.0, (0.0, yaw_of_the_ray, 0.0), said.append)
    taken, _ = view(image, SOURCE_SIZE, camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, 60.0))
    column = taken[27, :, 0].argmax()
    assert column == pytest.approx(35.5 + 60.0 * np.tan(np.deg2rad(10)), abs=1.0)


def test_the_map_is_computed_anew_when_a_camera_changes(said):
    view = GuideView(0.0, (0, 0, 0), said.append)
    for focal_length in (60.0, 60.0, 90.0):
        view(guide(), SOURCE_SIZE, camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, focal_length))
    assert len(said) == 2


def test_cameras_that_look_elsewhere_are_an_input_error_each_time(said):
    view = GuideView(0.0, (0.0, np.pi, 0.0), said.append)
    for _ in range(2):
        with pytest.raises(InputError, match="sees nothing of the source"):
            view(guide(), SOURCE_SIZE, camera(SOURCE_SIZE, 20.0), camera(GUIDE_SIZE, 60.0))


def test_rotations_are_about_the_fixed_axes_roll_first():
    np.testing.assert_allclose(rotation(0, 0, np.pi / 2) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation(np.pi / 2, 0, np.pi / 2) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation(0.1, 0.2, 0.3) @ rotation(0.1, 0.2, 0.3).T, np.eye(3), atol=1e-12)


def test_a_super_resolved_image_that_would_be_too_large_is_an_input_error_before_it_is_made(said):
    view = GuideView(16.0, (0, 0, 0), said.append)
    for _ in range(2):
        with pytest.raises(
            InputError, match="16 times the source: size 16000x16000, expected both > 0 and at most"
        ):
            view(guide((1100, 1100)), (1000, 1000), None, None)
    assert view(guide(), SOURCE_SIZE, None, None)[0].shape == (288, 384, 3)


def test_a_guide_of_which_the_source_sees_little_is_reduced_to_a_pixel_at_least(said):
    cameras = camera((17, 24), 1.0), camera((18, 48), 40.0)
    taken, valid = GuideView(1.0, (0, 0, 0), said.append)(guide((18, 48)), (17, 24), *cameras)
    assert taken.shape == (17, 24, 3) and valid.any()


@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
def test_a_guide_of_one_pixel_is_that_colour_everywhere(size):
    colour = np.array([[[7, 8, 9]]], np.uint8)
    assert np.array_equal(resized(colour, size), np.broadcast_to(colour, (*size, 3)))
