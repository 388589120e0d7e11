"""Camera models and the guide's registration, against projections written out by hand."""

import math
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from robself.errors import InputError
from robself.extrinsics import Extrinsics
from robself.geometry import CameraModel, GuideRegistration, is_rectified

LENSES = {
    "ideal": ("plumb_bob", ()),
    "plumb_bob": ("plumb_bob", (-0.28, 0.09, 0.0012, -0.0008, -0.01)),
    "rational": ("rational_polynomial", (0.45, -0.2, 0.0006, -0.0002, 0.03, 0.7, -0.1, 0.01)),
    "equidistant": ("equidistant", (-0.03, 0.012, -0.004, 0.0006)),
}


def camera(width, height, focal, lens="ideal", **changes):
    model, D = LENSES[lens]
    K = [[focal, 0, width / 2 - 3.2], [0, focal * 1.02, height / 2 + 1.7], [0, 0, 1]]
    return CameraModel(width, height, np.array(K, float), D, model, **changes)


def rotation(degrees_x=0.0, degrees_y=0.0, degrees_z=0.0):
    return cv2.Rodrigues(np.deg2rad([degrees_x, degrees_y, degrees_z]))[0]


def distort(x, y, model, D):
    """The lens models as CameraInfo and OpenCV's documentation write them, one point at a time."""
    if not D:
        return x, y
    if model == "equidistant":
        r = math.hypot(x, y)
        theta = math.atan(r)
        stretched = theta * (1 + D[0] * theta**2 + D[1] * theta**4 + D[2] * theta**6 + D[3] * theta**8)
        return (x, y) if r == 0 else (x * stretched / r, y * stretched / r)
    k1, k2, p1, p2, k3, k4, k5, k6 = (*D, 0, 0, 0, 0)[:8]
    r2 = x * x + y * y
    radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


def undistort(xd, yd, model, D):
    x, y = xd, yd
    for _ in range(500):
        dx, dy = distort(x, y, model, D)
        x, y = x + 0.5 * (xd - dx), y + 0.5 * (yd - dy)
    return x, y


def literal_guide_position(column, row, source, guide, R):
    """Source pixel -> ray -> guide pixel, without the product's code or OpenCV."""
    x, y = (column - source.K[0, 2]) / source.K[0, 0], (row - source.K[1, 2]) / source.K[1, 1]
    ray = R @ [*undistort(x, y, source.model, source.D), 1.0]
    xd, yd = distort(ray[0] / ray[2], ray[1] / ray[2], guide.model, guide.D)
    return guide.K[0, 0] * xd + guide.K[0, 2], guide.K[1, 1] * yd + guide.K[1, 2]


@pytest.mark.parametrize("source_lens", LENSES)
@pytest.mark.parametrize("guide_lens", LENSES)
def test_every_registered_pixel_comes_from_where_the_literal_projection_says(source_lens, guide_lens):
    source, guide = camera(96, 72, 80, source_lens), camera(400, 300, 330, guide_lens)
    R = rotation(1.5, -2.0, 0.7)
    size = (144, 192)
    rows, columns = np.mgrid[: guide.height, : guide.width]
    # A picture whose colour is its position, twice: coarse in red and green, so that a pixel is 0.6 levels.
    ramp = np.stack([columns * 0.6, rows * 0.8, 0 * rows], axis=-1).astype(np.uint8)
    ramp_truth = lambda u, v: np.array([u * 0.6, v * 0.8])  # noqa: E731

    registered, valid = GuideRegistration(source, guide, Extrinsics(R), size).apply(ramp)

    scaled = source.scaled(size[1], size[0])
    for row, column in [(0, 0), (0, 191), (143, 0), (143, 191), (71, 95), (30, 150), (110, 40)]:
        u, v = literal_guide_position(column, row, scaled, guide, R)
        inside = -0.5 <= u <= guide.width - 0.5 and -0.5 <= v <= guide.height - 0.5
        assert valid[row, column] == inside
        if inside:
            # Truncation to uint8 and interpolation cost up to about one level each.
            assert np.abs(registered[row, column, :2] - ramp_truth(u, v)).max() < 1.6


@pytest.mark.parametrize("lens", LENSES)
def test_pixels_and_rays_are_inverse_to_each_other(lens):
    model = camera(320, 240, 260, lens)
    pixels = np.stack(np.meshgrid(np.arange(0, 320, 7.5), np.arange(0, 240, 7.5)), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(model.pixels(model.rays(pixels)), pixels, atol=1e-3)


@pytest.mark.parametrize("lens", LENSES)
def test_pixels_are_projected_as_the_lens_model_is_written(lens):
    model = camera(320, 240, 260, lens)
    for x, y in [(0.0, 0.0), (0.3, -0.2), (-0.4, 0.35)]:
        xd, yd = distort(x, y, model.model, model.D)
        expected = [model.K[0, 0] * xd + model.K[0, 2], model.K[1, 1] * yd + model.K[1, 2]]
        np.testing.assert_allclose(model.pixels(np.array([[x, y, 1.0]]) * 3)[0], expected, atol=1e-6)


def test_rays_from_behind_have_no_pixel():
    model = camera(320, 240, 260, "equidistant")
    assert np.isnan(model.pixels(np.array([[0.1, 0.0, -1.0], [0.0, 0.0, 0.0]]))).all()


def test_rays_beyond_the_fold_of_the_lens_polynomial_have_no_pixel():
    model = camera(320, 240, 260, "plumb_bob")
    barrel = CameraModel(320, 240, model.K, (-0.3, 0.0, 0.0, 0.0))
    fold = 1 / math.sqrt(3 * 0.3)
    assert np.isfinite(barrel.pixels(np.array([[0.97 * fold, 0, 1.0]]))).all()
    far_out = np.array([[1.7 * fold, 0, 1.0]])
    assert 0 < barrel.K[0, 0] * distort(*far_out[0, :2], "plumb_bob", barrel.D)[0] + barrel.K[0, 2] < 320
    assert np.isnan(barrel.pixels(far_out)).all(), "it must not fold back into the image"


def test_scaled_camera_keeps_pixel_centres_of_average_pooling():
    low = camera(96, 72, 85.3)
    high = low.scaled(384, 288)
    for column, row in [(0, 0), (95, 71), (40, 17)]:
        block = np.array([(4 * column + i, 4 * row + j) for j in range(4) for i in range(4)], float)
        np.testing.assert_allclose(
            high.rays(block).mean(axis=0), low.rays(np.array([[column, row]], float))[0], atol=1e-12
        )


def test_scaled_camera_scales_axes_on_their_own_and_p_with_its_baseline():
    P = np.array([[80, 0, 47, -12.0], [0, 82, 35, 3.0], [0, 0, 1, 0]])
    scaled = camera(96, 72, 85, P=P, frame_id="depth").scaled(192, 288)
    assert (scaled.width, scaled.height, scaled.frame_id) == (192, 288, "depth")
    np.testing.assert_allclose(scaled.P[0], [160, 0, 2 * 47.5 - 0.5, -24])
    np.testing.assert_allclose(scaled.P[1], [0, 328, 4 * 35.5 - 0.5, 12])


def test_scaling_there_and_back_changes_nothing():
    low = camera(97, 73, 85.3, "plumb_bob")
    back = low.scaled(313, 201).scaled(97, 73)
    np.testing.assert_allclose(back.K, low.K, atol=1e-9)
    np.testing.assert_allclose(back.P, low.P, atol=1e-9)
    assert back.D == low.D


def test_region_and_binning_see_the_same_scene_as_the_part_of_the_full_image():
    full = camera(640, 480, 500)
    part = CameraModel(640, 480, full.K, binning=(2, 2), roi=(100, 60, 320, 240))
    assert part.image_size == (120, 160)
    delivered = part.delivered()
    assert (delivered.width, delivered.height) == (160, 120)
    # The binned pixel (10, 20) averages the full pixels (120, 100) ... (121, 101).
    expected = full.rays(np.array([[100 + 20.5, 60 + 40.5]]))
    np.testing.assert_allclose(delivered.rays(np.array([[10.0, 20.0]])), expected, atol=1e-12)
    scaled = part.scaled(320, 240)
    assert scaled.image_size == (240, 320) and scaled.roi == (200, 120, 640, 480)


def test_identical_cameras_leave_the_guide_as_it_is():
    model = camera(64, 48, 60)
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    registered, valid = GuideRegistration(model, model).apply(image)
    np.testing.assert_array_equal(registered, image)
    assert valid.all()


def test_what_the_guide_does_not_see_is_marked_and_black():
    source, guide = camera(64, 48, 40), camera(256, 192, 400)
    registered, valid = GuideRegistration(source, guide, size=(96, 128)).apply(
        np.full((192, 256, 3), 200, np.uint8)
    )
    assert 0.05 < valid.mean() < 0.5
    assert (registered[valid] == 200).all()
    assert (registered[~valid] == 0).all()


def test_a_minified_guide_is_averaged_not_sampled():
    source, guide = camera(96, 72, 80), camera(960, 720, 800)
    checkerboard = np.where(np.indices((720, 960)).sum(axis=0) % 2, 255, 0).astype(np.uint8)
    registered, valid = GuideRegistration(source, guide).apply(checkerboard)
    inside = registered[2:-2, 2:-2][valid[2:-2, 2:-2]].astype(float)
    assert np.abs(inside - 127.5).max() < 20


def test_a_minified_guide_keeps_its_place():
    source, guide = camera(96, 72, 80), camera(960, 720, 800)
    image = np.zeros((720, 960, 3), np.uint8)
    image[300:340, 500:533] = 255
    registered, _ = GuideRegistration(source, guide).apply(image)
    brightness = registered[..., 0].astype(float)
    rows, columns = np.indices(brightness.shape)
    place = np.array([(columns * brightness).sum(), (rows * brightness).sum()]) / brightness.sum()
    expected = source.pixels(guide.rays(np.array([[516.0, 319.5]])))[0]
    np.testing.assert_allclose(place, expected, atol=0.05)


def test_the_shift_of_a_small_rotation_is_the_focal_length_times_its_angle():
    model = camera(320, 240, 300)
    image = np.zeros((240, 320, 3), np.uint8)
    image[110:130, 150:154] = 255
    registered, _ = GuideRegistration(model, model, Extrinsics(rotation(degrees_y=1.0))).apply(image)
    columns = np.flatnonzero(registered[120, :, 0] > 127)
    # A ray turned by +1 degree about y lands further right in the guide, so the bar appears further left.
    assert columns.mean() == pytest.approx(151.5 - 300 * math.tan(math.radians(1)), abs=0.6)


def test_grey_guides_become_three_channels():
    model = camera(64, 48, 60)
    registered, _ = GuideRegistration(model, model).apply(np.full((48, 64), 9, np.uint8))
    assert registered.shape == (48, 64, 3) and (registered == 9).all()


def test_a_guide_of_another_size_than_its_camera_info_is_refused():
    registration = GuideRegistration(camera(64, 48, 60), camera(128, 96, 120))
    with pytest.raises(InputError, match=r"expected uint8 of shape \(96, 128, 3\) as its camera_info says"):
        registration.apply(np.zeros((48, 64, 3), np.uint8))


def test_a_guide_that_looks_elsewhere_is_refused():
    with pytest.raises(InputError, match="sees nothing"):
        GuideRegistration(camera(64, 48, 60), camera(128, 96, 120), Extrinsics(rotation(degrees_y=120)))


def test_a_matrix_that_is_no_rotation_is_refused():
    with pytest.raises(InputError, match="expected a 3x3 rotation"):
        Extrinsics(np.eye(3) * 2)


def test_at_the_working_distance_the_baseline_leaves_no_parallax():
    """A wall at 1.5 m; the guide sits 50 mm to the right, 10 mm down, and is turned: by hand, point by point."""
    source, guide, R = camera(96, 72, 80), camera(400, 300, 330), rotation(1.5, -2.0, 0.7)
    extrinsics = Extrinsics(R, -R @ [0.05, 0.01, 0.0])
    columns = np.broadcast_to(np.arange(400.0), (300, 400))
    image = np.repeat((columns * 0.6)[..., None], 3, axis=2).astype(np.uint8)
    registered, _ = GuideRegistration(source, guide, extrinsics, distance=1.5).apply(image)
    infinite, _ = GuideRegistration(source, guide, extrinsics).apply(image)
    for row, column in [(20, 30), (60, 80), (36, 48)]:
        point = 1.5 * np.array([(column - 44.8) / 80, (row - 37.7) / 81.6, 1.0])
        x, _, z = R @ (point - [0.05, 0.01, 0.0])
        assert registered[row, column, 0] == pytest.approx(0.6 * (330 * x / z + 196.8), abs=1.6)
        assert abs(infinite[row, column, 0] - 0.6 * (330 * x / z + 196.8)) > 5


@pytest.mark.parametrize("size, step", [((72, 96), 330 / 80), ((144, 192), 330 / 160)])
def test_the_step_of_the_guide_is_the_ratio_of_angular_resolutions(size, step):
    registration = GuideRegistration(camera(96, 72, 80), camera(400, 300, 330), size=size)
    assert registration.guide_step == pytest.approx(step, rel=0.03)


def test_one_row_tells_the_step_along_it_and_one_pixel_none():
    source, guide = camera(96, 72, 80), camera(400, 300, 330)
    for size, step in (((72, 1), 330 / 80), ((1, 96), 330 / 80), ((1, 1), 1.0)):
        assert GuideRegistration(source, guide, size=size).guide_step == pytest.approx(step, rel=0.03)


@pytest.mark.parametrize(("shift", "unseen"), [(-0.5, 0), (0.5, 0), (-0.75, 95), (0.75, 95)])
def test_the_guide_sees_up_to_the_border_of_its_outermost_pixels(shift, unseen):
    """Sizes and focal lengths are powers of two, so that positions are exact."""
    source, guide = (
        CameraModel(64, 32, np.array([[64.0, 0, 32 + dx], [0, 64.0, 16 + dx], [0, 0, 1]]))
        for dx in (0.0, shift)
    )
    assert (~GuideRegistration(source, guide).guide_valid).sum() == unseen


def camera_info(upper_case=False, **changes):
    """A CameraInfo as rclpy (k, d, r, p) or ROS 1 (K, D, R, P) spells it."""
    matrices = {
        "k": [85.0, 0, 47, 0, 86, 35, 0, 0, 1],
        "d": [-0.1, 0.02, 0.001, 0.002, 0.0],
        "r": [1.0, 0, 0, 0, 1, 0, 0, 0, 1],
        "p": [84.0, 0, 46, 0, 0, 85, 34, 0, 0, 0, 1, 0],
    } | changes
    names = ("width", "height", "distortion_model", "binning_x", "binning_y")
    scalars = dict(zip(names, (96, 72, "plumb_bob", 0, 0), strict=True))
    scalars |= {name: matrices.pop(name) for name in list(matrices) if name in scalars}
    if upper_case:
        matrices = {name.upper(): value for name, value in matrices.items()}
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0, do_rectify=False)
    return SimpleNamespace(header=SimpleNamespace(frame_id="depth_optical"), roi=roi, **scalars, **matrices)


@pytest.mark.parametrize("upper_case", [False, True])
def test_camera_info_of_both_ros_generations_is_understood(upper_case):
    model = CameraModel.from_camera_info(camera_info(upper_case))
    assert (model.width, model.height, model.frame_id) == (96, 72, "depth_optical")
    assert model.K[1, 1] == 86 and model.P[0, 2] == 46 and model.D == (-0.1, 0.02, 0.001, 0.002, 0.0)


def test_camera_info_fields_are_those_of_the_message():
    fields = CameraModel.from_camera_info(camera_info()).camera_info_fields()
    original = camera_info()
    for name in ("width", "height", "distortion_model", "k", "d", "r", "p"):
        assert fields[name] == getattr(original, name)
    assert fields["roi"]["width"] == 0


def test_a_rectified_image_is_described_by_p_alone():
    rectified = CameraModel.from_camera_info(camera_info()).rectified()
    assert rectified.D == () and rectified.K[0, 0] == 84 and rectified.K[0, 2] == 46


def test_without_a_projection_the_rectified_image_is_as_k_says():
    model = CameraModel.from_camera_info(camera_info(p=[0.0] * 12))
    np.testing.assert_array_equal(model.P, np.c_[model.K, np.zeros(3)])


def test_zeros_for_distortion_mean_an_ideal_lens_whatever_their_number():
    for zeros in ([], [0.0] * 4, [0.0] * 5, [0.0] * 7):
        assert CameraModel.from_camera_info(camera_info(d=zeros, distortion_model="")).D == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"k": [0.0] * 9}, "focal lengths 0, 0, expected > 0"),
        ({"width": 0}, "size 0x72"),
        ({"distortion_model": "fov"}, "model 'fov', expected one of plumb_bob"),
        ({"d": [0.1, 0.2]}, r"expected \(0, 4, 5\) finite numbers for plumb_bob"),
        ({"k": [float("nan")] * 9}, "K is .* finite numbers"),
    ],
)
def test_an_unusable_camera_info_is_refused_with_its_reason(changes, complaint):
    with pytest.raises(InputError, match=complaint):
        CameraModel.from_camera_info(camera_info(**changes))


@pytest.mark.parametrize(
    ("topic", "rectified"),
    [
        ("/camera/camera/depth/image_rect_raw", True),
        ("/zed/zed_node/rgb/color/rect/image", True),
        ("/camera/color/image_raw", False),
        ("/rect_table/depth/image_raw", False),
    ],
)
def test_rectified_topics_are_known_by_their_name(topic, rectified):
    assert is_rectified(topic) == rectified
