"""Datasets of every kind, in the layouts that docs/datasets.md shows, made here and read as cases."""

import pickle

import cv2
import numpy as np
import pytest
from small_pairs import scene

from robself.datasets import open_dataset
from robself.datasets.degradation import block_mean
from robself.errors import ConfigError, DatasetError, InputError
from robself.image_files import write_colour, write_values

SIZE = (36, 48)


def put_source(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_values(path, values)


def put_guide(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_colour(path, rgb)


def put_disparity(path, values):
    """An 8-bit PNG as Middlebury's, 0 = unknown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values.astype(np.uint8))


@pytest.fixture
def middlebury(tmp_path):
    for index, name in enumerate(["Wood1", "Aloe", "Cloth3"]):
        depth, guide = scene(SIZE, near=60 + 10 * index, far=200)
        disparity = np.rint(depth)
        disparity[:9, :6] = 0
        put_disparity(tmp_path / name / "disp1.png", disparity)
        put_guide(tmp_path / name / "view1.png", guide)
        put_guide(tmp_path / name / "view5.png", guide)
    (tmp_path / "no_truth").mkdir()
    put_guide(tmp_path / "no_truth" / "view1.png", guide)
    return tmp_path


def put_archive(path, *, scale=4, hom=None, seed_edge=0.45, **extra):
    depth, guide = scene(SIZE, edge=seed_edge)
    content = {"lr": block_mean(depth, scale), "guide": guide, "gt": depth, "scale": scale} | extra
    if hom is not None:
        content["hom"] = hom
    np.savez(path, **{key: value for key, value in content.items() if value is not None})


@pytest.fixture
def archives(tmp_path):
    hom = np.array([[1.01, 0.02, -3], [-0.01, 0.99, 2], [1e-5, 0, 1]])
    for name, edge in {"Art": 0.4, "Midd": 0.5}.items():
        for scale in (2, 4):
            put_archive(tmp_path / f"{name}_x{scale}_mis.npz", scale=scale, hom=hom, seed_edge=edge)
            put_archive(tmp_path / f"{name}_x{scale}_aligned.npz", scale=scale, hom=np.eye(3), seed_edge=edge)
    put_archive(tmp_path / "real_nir_1.npz", scale=3)
    return tmp_path


# Middlebury


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


# One's own pairs


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
    dataset = open_dataset(archives, protocol="task1", scale=3, only="[!r]*")
    assert dataset.names == ["Art", "Midd"]
    case = dataset.load("Art")
    depth, guide = scene(SIZE, edge=0.4)
    np.testing.assert_array_equal(case.truth, depth)
    np.testing.assert_array_equal(case.source, block_mean(depth, 3))
    assert (case.guide != guide).any() and case.homography is not None


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


# RealMisSR


def put_group(folder, modality, near):
    depth, guide = scene((48, 64), near=near)
    by_two = block_mean(depth, 2)
    if modality == "depth":
        raw = block_mean(depth, 4)
        put_source(folder / "lr_filled.png", raw)
        raw[0, 0] = np.nan
        put_source(folder / "lr_raw.png", raw)
    else:
        put_source(folder / "lr.png", block_mean(depth, 4) - block_mean(depth, 4).min())
    put_source(folder / f"x2_{modality}.png", by_two)
    put_guide(folder / "x2_rgb.png", np.ascontiguousarray(guide[::2, ::2]))
    put_guide(folder / "x4_rgb.png", guide)


@pytest.fixture
def realmissr(tmp_path):
    for subset, modality in {"RGB-Depth": "depth", "RGB-NIR": "nir"}.items():
        for group, count in {"simple": 2, "complex": 3}.items():
            for index in range(count):
                put_group(tmp_path / subset / group / f"{index + 1:03d}", modality, 500 + 100 * index)
    return tmp_path


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


# TUM RGB-D


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


# What all have in common


def test_a_folder_that_no_loader_knows_is_told_in_one_line(tmp_path):
    with pytest.raises(DatasetError) as told:
        open_dataset(tmp_path)
    line = str(told.value)
    assert line.startswith(str(tmp_path)) and "\n" not in line
    for looked_for in ("SCENE/disp1.png", "RGB-Depth", "rgb.txt", "NAME.npz", ".mcap"):
        assert looked_for in line
    with pytest.raises(DatasetError, match="nowhere: no such folder or file"):
        open_dataset(tmp_path / "nowhere")


def test_a_loader_can_be_forced(middlebury):
    put_archive(middlebury / "mine.npz")
    assert open_dataset(middlebury).loader == "middlebury"
    assert open_dataset(middlebury, loader="pairs").names == ["mine"]
    with pytest.raises(ConfigError, match="loader: 'kitti' is unknown, expected one of recording, "):
        open_dataset(middlebury, loader="kitti")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "task2"}, "protocol: 'task2', but middlebury takes task1"),
        ({"group": "simple"}, "group: 'simple' means nothing to middlebury data"),
        ({"source_topic": "/depth"}, "source_topic: '/depth' means nothing"),
    ],
)
def test_options_of_another_loader_are_refused(middlebury, options, message):
    with pytest.raises(ConfigError, match=message):
        open_dataset(middlebury, **options)


def test_pairs_as_they_are_are_not_moved(archives):
    with pytest.raises(ConfigError, match="move guides only under protocol task1"):
        open_dataset(archives, rotation_degrees=2.0)


def test_real_misalignment_cannot_be_asked_away(realmissr):
    with pytest.raises(ConfigError, match="misaligned: False means nothing to realmissr data"):
        open_dataset(realmissr, misaligned=False)


def test_no_case_as_asked_for_is_told(middlebury, archives):
    with pytest.raises(DatasetError, match=r"no case that matches 'Teddy\*'"):
        open_dataset(middlebury, loader="middlebury", only="Teddy*")
    (archives / "real_nir_1.npz").unlink()
    with pytest.raises(DatasetError, match="none of 8 names is marked as asked for: _x8 or no scale, _mis"):
        open_dataset(archives, loader="pairs", scale=8)
    with pytest.raises(DatasetError, match="no case 'Teddy' among 3"):
        open_dataset(middlebury, loader="middlebury").load("Teddy")


def test_datasets_survive_pickling_and_load_the_same(middlebury):
    dataset = open_dataset(middlebury, crop=(24, 24))
    other = pickle.loads(pickle.dumps(dataset))
    assert (other.names, other.facts) == (dataset.names, dataset.facts)
    mine, its = dataset.load("Wood1"), other.load("Wood1")
    for name in ("source", "guide", "truth", "homography"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(its, name))


def test_facts_open_the_same_dataset_again(middlebury):
    dataset = open_dataset(middlebury, scale=2, rotation_degrees=5.0, crop=(24, 32), limit=2, only="*o*")
    facts = {key: value for key, value in dataset.facts.items() if key != "misalignment"}
    again = open_dataset(facts.pop("path"), **facts)
    assert again.names == dataset.names == ["Aloe", "Cloth3"]
    np.testing.assert_array_equal(again.load("Aloe").guide, dataset.load("Aloe").guide)


def test_a_crop_is_the_middle_on_every_grid(middlebury):
    whole = open_dataset(middlebury).load("Aloe")
    cropped = open_dataset(middlebury, crop=(19, 26)).load("Aloe")
    # 19x26 px are 4x6 source pixels: rows 2 to 5 of 9, columns 3 to 8 of 12.
    np.testing.assert_array_equal(cropped.source, whole.source[2:6, 3:9])
    np.testing.assert_array_equal(cropped.truth, whole.truth[8:24, 12:36])
    np.testing.assert_array_equal(cropped.guide, whole.guide[8:24, 12:36])
    here, there = (
        cv2.perspectiveTransform(np.array([[point]], float), case.homography)[0, 0]
        for case, point in ((whole, (20, 15)), (cropped, (20 - 12, 15 - 8)))
    )
    np.testing.assert_allclose(there, here - (12, 8), atol=1e-9)


def test_crops_that_cannot_be_made_are_refused(middlebury, archives):
    with pytest.raises(DatasetError, match="Aloe: crop 64x64 of 48x36 is not possible"):
        open_dataset(middlebury, loader="middlebury", crop=(64, 64)).load("Aloe")
    put_archive(archives / "uneven.npz", lr=np.ones((10, 12), np.float32))
    with pytest.raises(DatasetError, match="uneven: cannot be cropped: 48x36 is no whole multiple of 12x10"):
        open_dataset(archives, loader="pairs", crop=(8, 8)).load("uneven")


def test_a_damaged_image_is_told_by_name(middlebury):
    (middlebury / "Aloe" / "disp1.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"Aloe/disp1\.png: damaged"):
        open_dataset(middlebury).load("Aloe")
