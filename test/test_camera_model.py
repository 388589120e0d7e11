"""How far out a lens model has rays, and what of a CameraInfo is refused, at its borders."""

import math

import numpy as np
import pytest

from robself.errors import InputError
from robself.geometry import CameraModel, is_rectified

K = np.array([[100.0, 0, 160], [0, 100.0, 120], [0, 0, 1]])
# Where each term alone lets the image fold back, by the derivative of the radius in the image: tan of the angle.
FOLDS = [
    ("plumb_bob", (-0.3, 0, 0, 0), 1 / math.sqrt(3 * 0.3)),
    ("plumb_bob", (0, -0.3, 0, 0), (5 * 0.3) ** (-1 / 4)),
    ("plumb_bob", (0, 0, 0, 0, -0.3), (7 * 0.3) ** (-1 / 6)),
    ("rational_polynomial", (0, 0, 0, 0, 0, 0.5, 0, 0), 0.5 ** (-1 / 2)),
    ("rational_polynomial", (0, 0, 0, 0, 0, 0, 0.5, 0), (3 * 0.5) ** (-1 / 4)),
    ("rational_polynomial", (0, 0, 0, 0, 0, 0, 0, 0.5), (5 * 0.5) ** (-1 / 6)),
    ("equidistant", (-0.3, 0, 0, 0), math.tan((3 * 0.3) ** (-1 / 2))),
    ("equidistant", (0, -0.3, 0, 0), math.tan((5 * 0.3) ** (-1 / 4))),
    ("equidistant", (0, 0, -0.3, 0), math.tan((7 * 0.3) ** (-1 / 6))),
    ("equidistant", (0, 0, 0, -0.3), math.tan((9 * 0.3) ** (-1 / 8))),
    ("plumb_bob", (), math.tan(math.radians(89))),
    ("plumb_bob", (0.1, 0, 0, 0), math.tan(math.radians(89))),
    ("equidistant", (0.1, 0, 0, 0), math.tan(math.radians(89))),
]


def camera(**changes):
    return CameraModel(**{"width": 320, "height": 240, "K": K, **changes})


@pytest.mark.parametrize(("model", "D", "fold"), FOLDS)
def test_a_lens_has_pixels_up_to_its_fold_and_at_most_89_degrees(model, D, fold):
    lens = camera(D=D, model=model)
    near, far = np.array([[0.6, 0.8, 1.0]]), np.array([[0.8, 0.6, 1.0]])  # of radius 1
    for ray, scale, seen in ((near, 0.99, True), (far, 1.01, False)):
        assert np.isfinite(lens.pixels(ray * [scale * fold, scale * fold, 1.0])).all() == seen


@pytest.mark.parametrize("size", [(1, 240), (320, 1)])
def test_the_smallest_camera_has_one_row_or_column(size):
    smallest = camera(width=size[0], height=size[1])
    assert smallest.image_size == size[::-1]
    assert smallest.scaled(1, 1).image_size == (1, 1)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"width": 0}, "size 0x240, expected both > 0"),
        ({"height": 0}, "size 320x0, expected both > 0"),
        ({"K": np.diag([0.0, 1, 1])}, "focal lengths 0, 1, expected > 0"),
        ({"K": np.diag([1.0, 0, 1])}, "focal lengths 1, 0, expected > 0"),
        ({"K": np.eye(2)}, r"K is .*, expected \(3, 3\) finite numbers"),
        ({"R": np.full((3, 3), np.inf)}, r"R is .*, expected \(3, 3\) finite numbers"),
        ({"P": np.zeros((3, 3))}, r"P is .*, expected \(3, 4\) finite numbers"),
        ({"D": (np.nan, 0, 0, 0)}, r"D is .*, expected \(0, 4, 5\) finite numbers"),
        ({"D": (0.1,) * 5, "model": "equidistant"}, r"D is .*, expected \(0, 4\) finite numbers"),
        ({"D": (0.1,) * 5, "model": "rational_polynomial"}, r"expected \(0, 8, 12, 14\) finite numbers"),
        ({"binning": (0, 1)}, r"binning \(0, 1\), expected >= 1"),
        ({"binning": (1, 0)}, r"binning \(1, 0\), expected >= 1"),
        ({"roi": (-1, 0, 10, 10)}, "roi .* leaves the sensor's 320x240"),
        ({"roi": (0, -1, 10, 10)}, "roi .* leaves"),
        ({"roi": (0, 0, 0, 10)}, "roi .* leaves"),
        ({"roi": (0, 0, 10, 0)}, "roi .* leaves"),
        ({"roi": (20, 0, 301, 10)}, "roi .* leaves"),
        ({"roi": (0, 20, 10, 221)}, "roi .* leaves"),
    ],
)
def test_what_no_camera_has_is_refused(changes, complaint):
    with pytest.raises(InputError, match=f"camera_info of 'depth': .*{complaint}"):
        camera(frame_id="depth", **changes)


@pytest.mark.parametrize("roi", [(20, 0, 300, 240), (0, 20, 320, 220), (319, 239, 1, 1)])
def test_a_region_may_reach_the_sensors_border(roi):
    assert camera(roi=roi).image_size == roi[:1:-1]


@pytest.mark.parametrize("number", [4, 5, 8, 12, 14])
def test_every_number_of_coefficients_that_ros_names_is_taken(number):
    model = "plumb_bob" if number < 8 else "rational_polynomial"
    D = (0.01,) * number
    lens = camera(D=D, model=model)
    assert lens.D == D
    assert lens.camera_info_fields()["d"] == list(D)
    np.testing.assert_allclose(lens.pixels(lens.rays(np.array([[100.0, 90.0]]))), [[100.0, 90.0]], atol=1e-3)


@pytest.mark.parametrize(
    ("model", "zeros"), [("plumb_bob", 5), ("rational_polynomial", 8), ("equidistant", 4)]
)
def test_an_ideal_lens_is_told_by_as_many_zeros_as_its_model_has(model, zeros):
    fields = camera(model=model).camera_info_fields()
    assert (fields["distortion_model"], fields["d"]) == (model, [0.0] * zeros)


def test_a_region_and_binning_are_told_as_they_are():
    fields = camera(roi=(10, 20, 30, 40), binning=(2, 4)).camera_info_fields()
    assert (fields["binning_x"], fields["binning_y"]) == (2, 4)
    assert fields["roi"] == {"x_offset": 10, "y_offset": 20, "width": 30, "height": 40, "do_rectify": False}
    assert camera().camera_info_fields()["roi"] == dict.fromkeys(fields["roi"], 0)


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0)])
def test_no_camera_is_scaled_to_nothing(width, height):
    with pytest.raises(InputError, match=f"size {width}x{height} to scale a camera to, expected both > 0"):
        camera().scaled(width, height)


def test_cameras_that_are_alike_in_every_number_are_the_same():
    assert camera() == camera() and hash(camera()) == hash(camera())
    assert camera() != camera(D=(0.1, 0, 0, 0))
    assert camera() != camera(P=np.c_[K, [1, 0, 0]])
    assert camera() != "a camera"


def test_a_camera_of_other_images_says_why():
    assert camera().misfit((240, 320)) is None
    assert camera().misfit((120, 160)) == "it is of 320x240 images, these are 160x120"


def test_a_rectified_name_counts_at_the_end_of_a_topic_alone():
    assert not is_rectified("/robot/image_rect_table/depth/image_raw")
