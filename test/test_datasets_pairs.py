"""Folders of one's own pairs, as archives and as images."""

import cv2
import numpy as np
import pytest
from dataset_folders import SIZE, put_archive, put_guide, put_source
from small_pairs import scene

from robself.datasets import open_dataset
from robself.datasets.degradation import block_mean
from robself.errors import DatasetError


def test_archives_are_chosen_by_the_marks_in_their_names(archives):
    def names(**options):
        return open_dataset(archives, **options).names

    assert names(scale=4) == ["Art_x4_mis", "Midd_x4_mis", "real_nir_1"]
    assert names(scale=2, misaligned=False) == ["Art_x2_aligned", "Midd_x2_aligned", "real_nir_1"]
    assert names(only="Art*") == ["Art_x2_mis", "Art_x4_mis"]
    assert names(limit=1) == ["Art_x2_mis"]


def test_an_archive_is_read_as_it_is(archives):
    dataset = open_dataset(archives)
    with np.load(archives / "Art_x4_mis.npz") as archive:
        case = dataset.load("Art_x4_mis")
        for mine, key in ((case.source, "lr"), (case.truth, "gt"), (case.guide, "guide")):
            np.testing.assert_array_equal(mine, archive[key])
        # The archive leads from the moved guide to the target, a case the other way.
        there = cv2.perspectiveTransform(np.array([[(10.0, 20.0)]]), case.homography)
        back = cv2.perspectiveTransform(there, archive["hom"])
    np.testing.assert_allclose(back, [[(10, 20)]])
    assert open_dataset(archives, misaligned=False).load("Art_x4_aligned").homography is None


def test_near_infrared_is_known_by_its_name_or_said(archives):
    assert open_dataset(archives).load("real_nir_1").modality == "nir"
    assert open_dataset(archives).load("Art_x4_mis").modality == "depth"
    assert open_dataset(archives, modality="nir").load("Art_x4_mis").modality == "nir"


def test_an_archive_may_tell_its_unit_and_lack_a_truth(tmp_path):
    put_archive(tmp_path / "one.npz", gt=None, unit="mm")
    case = open_dataset(tmp_path).load("one")
    assert (case.truth, case.unit) == (None, "mm")


def test_task1_takes_each_scene_of_the_archives_once_from_its_aligned_guide(archives):
    (archives / "Art_x2_aligned.npz").unlink()  # the first that is left of it is a moved one
    dataset = open_dataset(archives, protocol="task1", scale=3, only="[!r]*", misaligned=False)
    assert dataset.names == ["Art", "Midd"]
    case = dataset.load("Art")
    depth, guide = scene(SIZE, edge=0.4)
    np.testing.assert_array_equal(case.truth, depth)
    np.testing.assert_array_equal(case.source, block_mean(depth, 3))
    np.testing.assert_array_equal(case.guide, guide)
    moved = open_dataset(archives, protocol="task1", scale=3).load("Art")
    assert (moved.guide != guide).any() and moved.homography is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"guide": None}, "broken.npz: has lr, gt, scale, expected guide"),
        ({"lr": np.zeros((2, 2, 2), np.float32)}, "broken.npz: lr: source: shape"),
        ({"guide": np.zeros((4, 4, 3), np.float32)}, "broken.npz: guide: guide: type float32"),
        ({"lr": None}, "broken: has no source"),
        ({"gt": np.ones((9, 9), np.float32)}, "broken: truth 9x9, guide 48x36, expected the same size"),
        ({"hom": np.zeros((3, 3))}, "expected an invertible 3x3"),
    ],
)
def test_a_broken_archive_is_told_by_name(tmp_path, content, message):
    put_archive(tmp_path / "broken.npz", **content)
    with pytest.raises(DatasetError, match=message):
        open_dataset(tmp_path).load("broken")


def test_a_file_that_is_no_archive_is_told_by_name(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    with pytest.raises(DatasetError, match=r"broken\.npz: cannot be read"):
        open_dataset(tmp_path).load("broken")


@pytest.fixture
def images(tmp_path):
    depth, guide = scene(SIZE)
    source = block_mean(depth, 4)
    source[0, 0] = np.nan
    put_source(tmp_path / "source" / "b.png", source)
    put_source(tmp_path / "source" / "a.tiff", source)
    put_guide(tmp_path / "guide" / "a.png", guide)
    put_guide(tmp_path / "guide" / "b.bmp", guide)
    put_source(tmp_path / "truth" / "a.npy", depth)
    (tmp_path / "source" / ".hidden").write_text("no image")
    return tmp_path


def test_images_in_folders_are_paired_by_name(images):
    dataset = open_dataset(images)
    assert (dataset.loader, dataset.names) == ("pairs", ["a", "b"])
    with_truth, without = dataset.load("a"), dataset.load("b")
    np.testing.assert_array_equal(with_truth.truth, scene(SIZE)[0])
    np.testing.assert_array_equal(with_truth.guide, scene(SIZE)[1])
    assert without.truth is None
    for case in (with_truth, without):  # a hole, whichever the file has for it
        assert np.argwhere(np.isnan(case.source)).tolist() == [[0, 0]]


def test_true_images_with_aligned_guides_are_enough_for_task1(images):
    (images / "source" / "a.tiff").unlink()
    dataset = open_dataset(images, protocol="task1", scale=6)
    assert dataset.names == ["a"]
    assert dataset.load("a").source.shape == (6, 8)


def test_a_source_without_a_guide_is_told(images):
    (images / "guide" / "b.bmp").unlink()
    with pytest.raises(DatasetError, match=r"guide: has no b\.\*"):
        open_dataset(images).load("b")


def test_two_files_of_one_name_are_refused(images):
    put_source(images / "source" / "a.npy", np.ones((9, 12)))
    with pytest.raises(DatasetError, match=r"a\.npy and a\.tiff, expected one"):
        open_dataset(images)
