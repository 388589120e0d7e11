"""NIQE against the numbers that others publish for the same images and the same model."""

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from real_data import real_file

from robself import niqe as niqe_module
from robself.errors import InputError, MissingPackageError
from robself.niqe import image_features, niqe, pristine_model, unavailable

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))


def portrait():
    """Grace Hopper, 512x600, which matplotlib ships: (600, 512) float64."""
    file = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return cv2.imread(str(file), cv2.IMREAD_GRAYSCALE).astype(np.float64)


def blurred(image):
    return cv2.GaussianBlur(image, (0, 0), 2)


def noisy(image):
    return np.clip(image + np.random.default_rng(0).normal(0, 20, image.shape), 0, 255)


def enlarged(image):
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_CUBIC)


# What two other implementations give: BasicSR 1.4.2 (basicsr/metrics/niqe.py, which its authors checked against
# MATLAB R2021a), and within 0.002 of it iqa-torch 1.2.1. They halve the image in float32, hence the tolerance.
@pytest.mark.parametrize(
    ("change", "expected"), [(np.array, 3.634), (blurred, 7.608), (noisy, 9.995), (enlarged, 7.155)]
)
def test_niqe_agrees_with_other_implementations(change, expected):
    assert niqe(change(portrait())) == pytest.approx(expected, abs=0.01)


def test_flat_blocks_count_as_in_other_implementations():
    image = portrait()
    image[:200, :200] = 90
    assert niqe(image) == pytest.approx(6.300, abs=0.01)  # BasicSR 1.4.2


# Published for Set14's baboon (500x480): luminance by MATLAB's rgb2ycbcr 5.72957 (5.7296 of MATLAB R2021a too,
# says basicsr/metrics/niqe.py of BasicSR), the blue channel 5.62525, without a border of 6 px 5.82981 and 6.10074
# (MMagic's tests/test_evaluation/test_metrics/test_niqe.py, which keeps the image as tests/data/image/gt/baboon.png).
@pytest.mark.data
@pytest.mark.parametrize(
    ("weights", "border", "expected"),
    [
        ((24.966, 128.553, 65.481), 0, 5.72957),
        ((24.966, 128.553, 65.481), 6, 6.10074),
        ((255, 0, 0), 0, 5.62525),
        ((255, 0, 0), 6, 5.82981),
    ],
)
def test_niqe_is_the_published_one(weights, border, expected):
    colours = cv2.imread(str(real_file("standard", "baboon.png")))  # Set14's
    image = colours @ (np.array(weights) / 255) + (16 if weights[1] else 0)
    height, width = image.shape
    assert niqe(image[border : height - border, border : width - border]) == pytest.approx(expected, abs=2e-4)


def test_the_model_is_that_of_36_features():
    model = pristine_model()
    assert model.mean.shape == (36,) and model.covariance.shape == (36, 36)
    assert np.linalg.eigvalsh(model.covariance).min() > -1e-9


def test_only_whole_blocks_are_judged():
    image = portrait()
    assert image_features(image).shape == (6 * 5, 36)
    assert niqe(image) == niqe(image[:576, :480])


def test_flat_images_have_no_niqe():
    assert np.isnan(niqe(np.full((192, 192), 7.0)))
    assert np.isnan(niqe(portrait()[:96, :96]))  # one block has no covariance


@pytest.mark.parametrize("shape", [(95, 300), (96,), (96, 96, 3)])
def test_images_that_hold_no_block_are_refused(shape):
    with pytest.raises(InputError, match="expected \\(H, W\\) of at least 96x96"):
        niqe(np.zeros(shape))


def test_holes_are_refused():
    image = portrait()
    image[3, 4] = np.nan
    with pytest.raises(InputError, match="without a finite value"):
        niqe(image)


def test_without_the_models_package_one_line_says_what_to_install(monkeypatch):
    pristine_model.cache_clear()
    monkeypatch.setattr(niqe_module, "_PACKAGES", ("no-such-package",))
    try:
        with pytest.raises(
            MissingPackageError, match=r"expected no-such-package: pip install 'robself\[eval\]'"
        ):
            niqe(portrait())
        assert unavailable().startswith("NIQE: no package with its published model")
    finally:
        pristine_model.cache_clear()
