"""Middlebury, RealMisSR and TUM RGB-D, made here in their layouts and read as cases."""

import numpy as np
import pytest
from dataset_folders import SIZE, put_guide, put_source
from small_pairs import scene

from robself.datasets import open_dataset
from robself.datasets.degradation import block_mean
from robself.errors import ConfigError, DatasetError


def test_middlebury_scenes_become_pairs_of_task1(middlebury):
    dataset = open_dataset(middlebury, scale=4)
    assert (dataset.loader, dataset.names) == ("middlebury", ["Aloe", "Cloth3", "Wood1"])
    case = dataset.load("Aloe")
    assert (case.name, case.modality, case.unit) == ("Aloe", "depth", "disparity")
    assert (case.source.shape, case.truth.shape, case.guide.shape) == ((9, 12), SIZE, (*SIZE, 3))
    assert np.isnan(case.truth[:9, :6]).all() and np.isfinite(case.truth[9:]).all()
    assert np.isnan(case.source[:2, 0]).all() and np.isfinite(case.source[2, 0])
    np.testing.assert_array_equal(case.source, block_mean(case.truth, 4))
    assert case.homography.shape == (3, 3)


def test_a_guide_is_moved_alike_at_every_scale_and_not_at_all_when_aligned(middlebury):
    by_two, by_four = (open_dataset(middlebury, scale=scale).load("Aloe") for scale in (2, 4))
    np.testing.assert_array_equal(by_two.guide, by_four.guide)
    aligned = open_dataset(middlebury, misaligned=False).load("Aloe")
    np.testing.assert_array_equal(aligned.guide, scene(SIZE)[1])
    assert aligned.homography is None and (aligned.guide != by_four.guide).any()


def test_a_curve_over_translation_begins_at_the_aligned_guide(middlebury):
    still = open_dataset(middlebury, translation_px=0.0).load("Aloe")
    np.testing.assert_array_equal(still.guide, scene(SIZE)[1])
    far = open_dataset(middlebury, translation_px=20.0)
    homography = far.load("Aloe").homography
    assert np.hypot(*homography[:2, 2]) == pytest.approx(20, abs=1e-3)
    assert far.facts["misalignment"] == {"exact_translation_px": 20.0, "exact_rotation_degrees": 0.0}


def test_realmissr_has_a_truth_at_x2_and_none_at_x4(realmissr):
    by_two, by_four = (open_dataset(realmissr, scale=scale) for scale in (2, 4))
    assert by_two.loader == "realmissr"
    assert by_two.names == by_four.names == ["complex_001", "complex_002", "complex_003"]
    case = by_two.load("complex_002")
    assert (case.source.shape, case.guide.shape, case.truth.shape) == ((12, 16), (24, 32, 3), (24, 32))
    assert (case.group, case.modality) == ("complex", "depth")
    assert by_four.load("complex_002").guide.shape == (48, 64, 3)
    assert by_four.load("complex_002").truth is None


def test_realmissr_gives_the_filled_depth_or_else_the_raw_one(realmissr):
    dataset = open_dataset(realmissr)
    assert np.isfinite(dataset.load("complex_001").source).all()
    (realmissr / "RGB-Depth" / "complex" / "001" / "lr_filled.png").unlink()
    assert np.isnan(dataset.load("complex_001").source).sum() == 1


def test_realmissr_near_infrared_may_be_dark(realmissr):
    dataset = open_dataset(realmissr, protocol="task3", scale=2, group="all")
    assert len(dataset.names) == 5 and {name.split("_")[0] for name in dataset.names} == {"simple", "complex"}
    case = dataset.load("simple_001")
    assert (case.modality, case.group, case.source.min()) == ("nir", "simple", 0)


def test_realmissr_files_that_are_missing_or_of_another_size_are_told(realmissr):
    folder = realmissr / "RGB-Depth" / "complex" / "001"
    dataset = open_dataset(realmissr, scale=2)
    put_guide(folder / "x2_rgb.png", scene((48, 64))[1])
    with pytest.raises(DatasetError, match=r"x2_rgb\.png: 64x48, expected 32x24, 2 times lr_filled\.png"):
        dataset.load("complex_001")
    (folder / "x2_rgb.png").unlink()
    with pytest.raises(DatasetError, match=r"001: has no x2_rgb\.\*"):
        dataset.load("complex_001")
    with pytest.raises(ConfigError, match="scale: 8, but RealMisSR has guides for 2 and 4"):
        open_dataset(realmissr, scale=8)
    with pytest.raises(ConfigError, match="group: 'hard' is unknown"):
        open_dataset(realmissr, group="hard")


@pytest.fixture
def tum(tmp_path):
    """Five depth images; colour 5 ms later, but 30 ms for the third."""
    depth, guide = scene(SIZE, near=5000, far=10000)
    depth[0, :3] = 0
    lists = {"rgb": ["# color images"], "depth": ["# depth maps"]}
    for index in range(5):
        late = 0.030 if index == 2 else 0.005
        for kind, time in (("depth", 100 + 0.1 * index), ("rgb", 100 + 0.1 * index + late)):
            file = f"{kind}/1305031{time:.6f}.png"
            lists[kind].append(f"1305031{time:.6f} {file}")
            if kind == "depth":
                put_source(tmp_path / file, depth)
            else:
                put_guide(tmp_path / file, guide)
    for kind, lines in lists.items():
        (tmp_path / f"{kind}.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_tum_images_are_paired_by_their_stamps_and_depth_is_in_metres(tum):
    dataset = open_dataset(tum, scale=4, misaligned=False)
    assert dataset.loader == "tum"
    assert dataset.names == [f"1305031100_{tenth}00000" for tenth in (0, 1, 3, 4)]
    case = dataset.load("1305031100_100000")
    expected = scene(SIZE, near=5000, far=10000)[0] / 5000
    np.testing.assert_allclose(case.truth[1:], np.rint(expected[1:] * 5000) / 5000, rtol=1e-6)
    assert np.argwhere(np.isnan(case.truth)).tolist() == [[0, 0], [0, 1], [0, 2]]
    assert case.unit == "m" and np.isfinite(case.source).all()
    np.testing.assert_array_equal(case.guide, scene(SIZE)[1])


def test_tum_folders_without_lists_give_the_same_pairs(tum):
    listed = open_dataset(tum)
    for kind in ("rgb", "depth"):
        (tum / f"{kind}.txt").unlink()
    assert open_dataset(tum).names == listed.names
    assert open_dataset(tum, every=2).names == listed.names[::2]


def test_tum_sequences_without_pairs_or_stamps_are_told(tum):
    (tum / "rgb.txt").write_text("1305031999.5 rgb/late.png\n")
    with pytest.raises(DatasetError, match=r"no depth image has a colour image within 0\.02 s"):
        open_dataset(tum)
    (tum / "rgb.txt").write_text("yesterday rgb/late.png\n")
    with pytest.raises(DatasetError, match=r"rgb\.txt: an entry is not named by a time in seconds"):
        open_dataset(tum)
