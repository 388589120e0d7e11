"""Predictions and aligned guides that other programs left in a folder."""

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile
from small_pairs import scene, small_pair

from robself.datasets.case import Case
from robself.errors import InputError
from robself.image_files import write_colour, write_values
from robself.methods import Settings
from robself.methods.predictions import prealigned, predictions_method

TRUTH, GUIDE = scene()
PAIR = small_pair()
CASE = Case("art_1", PAIR.source, GUIDE, TRUTH, homography=np.eye(3))


def run(folder, case=CASE.name, **settings):
    return predictions_method("sgnet", folder).run(PAIR, Settings(case=case, **settings))


def written(path, image):
    if path.suffix == ".npz":
        np.savez(path, sr=image, other=np.zeros(3))
    else:
        write_values(path, image)


@pytest.mark.parametrize("kind", ["npy", "npz", "tif", "tiff", "pfm"])
def test_a_prediction_of_floats_is_taken_as_it_is(tmp_path, kind):
    image = TRUTH - 950.25  # also below zero: a wrong answer is an answer
    image[3, 4:6] = np.nan, 0
    written(tmp_path / f"art_1.{kind}", image)
    estimate = run(tmp_path)
    np.testing.assert_array_equal(estimate.sr, image)
    assert estimate.sr.dtype == np.float32
    assert estimate.info == {"file": f"art_1.{kind}"}


@pytest.mark.parametrize(("modality", "expected"), [("depth", np.nan), ("nir", 0)])
def test_zero_in_a_png_is_no_depth_but_black_in_nir(tmp_path, modality, expected):
    image = np.rint(TRUTH).astype(np.uint16)
    image[3, 4] = 0
    cv2.imwrite(str(tmp_path / "art_1.png"), image)
    sr = run(tmp_path, modality=modality).sr
    np.testing.assert_array_equal(sr[3, 4], np.float32(expected))
    image[3, 4] = sr[3, 4] = 1
    np.testing.assert_array_equal(sr, image)


def test_an_npz_of_one_array_may_call_it_anything(tmp_path):
    np.savez(tmp_path / "art_1.npz", prediction=TRUTH)
    np.testing.assert_array_equal(run(tmp_path).sr, TRUTH)


def test_a_case_without_prediction_is_named_with_what_was_expected(tmp_path):
    np.save(tmp_path / "art_10.npy", TRUTH)
    expected = f"{tmp_path}: nothing for case 'art_1', expected one file art_1.* of .png, .npy"
    with pytest.raises(InputError, match=re.escape(expected)):
        run(tmp_path)


def test_two_predictions_of_one_case_are_one_too_many(tmp_path):
    np.save(tmp_path / "art_1.npy", TRUTH)
    tifffile.imwrite(tmp_path / "art_1.tif", TRUTH)
    with pytest.raises(InputError, match=re.escape("art_1.npy and art_1.tif for case 'art_1'")):
        run(tmp_path)


def test_a_prediction_of_another_size_is_refused(tmp_path):
    np.save(tmp_path / "art_1.npy", TRUTH[:-1])
    with pytest.raises(InputError, match=r"art_1\.npy: 24x17, expected the guide's size 24x18"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"a": TRUTH, "b": TRUTH}, "arrays a, b, expected one, or one named sr"),
        ({}, "arrays none, expected one"),
        ({"sr": np.zeros((18, 24, 3))}, r"shape \(18, 24, 3\) of float64, expected \(H, W\) numbers"),
        ({"sr": np.array([["a"]])}, r"shape \(1, 1\) of <U1, expected \(H, W\) numbers"),
    ],
)
def test_an_npz_that_holds_no_image_says_what_it_holds(tmp_path, arrays, complaint):
    np.savez(tmp_path / "art_1.npz", **arrays)
    with pytest.raises(InputError, match=f"art_1.npz: {complaint}"):
        run(tmp_path)


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_npz_is_refused(tmp_path, data):
    (tmp_path / "art_1.npz").write_bytes(data)
    with pytest.raises(InputError, match=r"art_1\.npz: damaged or of another kind"):
        run(tmp_path)


def test_a_folder_that_is_none_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(InputError, match=f"predictions of sgnet: {tmp_path}/none is no folder"):
        predictions_method("sgnet", tmp_path / "none")
    with pytest.raises(InputError, match=f"prealigned guides: {tmp_path}/none is no folder"):
        prealigned(CASE, tmp_path / "none")


def test_a_guide_aligned_elsewhere_takes_the_guides_place_and_nothing_else(tmp_path):
    aligned = GUIDE[::-1].copy()
    write_colour(tmp_path / "art_1.png", aligned)
    case = prealigned(CASE, tmp_path)
    np.testing.assert_array_equal(case.guide, aligned)
    assert case.homography is None
    assert replace(case, guide=CASE.guide, homography=CASE.homography) == CASE


def test_an_aligned_guide_that_is_missing_or_of_another_size_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"art_1\.png: cannot be read"):
        prealigned(CASE, tmp_path)
    write_colour(tmp_path / "art_1.png", GUIDE[:, :-2])
    with pytest.raises(InputError, match=r"art_1\.png: 22x18, expected the guide's size 24x18"):
        prealigned(CASE, tmp_path)
