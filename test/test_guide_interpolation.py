"""A registered pixel is interpolated between the guide's four nearest, written out by hand."""

import cv2
import numpy as np

from robself.camera_model import CameraModel
from robself.extrinsics import Extrinsics
from robself.geometry import GuideRegistration

# Of white noise, rounding a position to 1/32 px, as OpenCV before 5 does, makes up to 8 levels a pixel.
ROUNDING = 0.51 if int(cv2.__version__.split(".")[0]) >= 5 else 8.0


def camera(width, height, focal):
    return CameraModel(
        width, height, np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    )


def interpolated(image, x, y):
    """Bilinear; beyond the outermost pixels' centres, their value."""
    height, width = image.shape[:2]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    across, down = (x - left)[..., None], (y - top)[..., None]
    upper, lower = (image[row, left] * (1 - across) + image[row, left + 1] * across for row in (top, top + 1))
    return upper * (1 - down) + lower * down


def test_noise_is_interpolated_where_the_guide_sees_up_to_its_border_and_black_elsewhere():
    turn = cv2.Rodrigues(np.deg2rad([1.5, -2.0, 0.7]))[0]
    source, guide = camera(80, 60, 60.0), camera(128, 96, 100.0)
    noise = np.random.default_rng(0).integers(1, 256, (96, 128, 3), np.uint8)
    registered, seen = GuideRegistration(source, guide, Extrinsics(turn), (90, 120)).apply(noise)
    rows, columns = np.mgrid[:90, :120]
    rays = source.scaled(120, 90).rays(np.stack([columns, rows], axis=-1).reshape(-1, 2)) @ turn.T
    x, y = guide.pixels(rays).T.reshape(2, 90, 120)
    expected = interpolated(noise.astype(float), x, y)
    assert 0.5 < seen.mean() < 1
    assert ((x < 0) | (y < 0) | (x > 127) | (y > 95))[seen].any()
    assert np.abs(registered - expected)[seen].max() < ROUNDING
    assert (registered[~seen] == 0).all()
