"""What datasets of every kind have in common: how they are recognised, chosen from, cropped and sent."""

import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from dataset_folders import put_archive

from robself.datasets import LOADERS, open_dataset
from robself.datasets.misalignment import CORNER_SHARE, ROTATION_DEGREES, TRANSLATION_PX
from robself.errors import ConfigError, DatasetError, InputError


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


def test_the_documentation_has_every_loader_with_its_protocols_and_the_ranges():
    page = (Path(__file__).parent.parent / "docs" / "datasets.md").read_text(encoding="utf-8")
    for name, loader in LOADERS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| [`{name}`]"))
        assert re.findall(r"`(task\d|pairs)`", row.split("|")[3]) == list(loader.PROTOCOLS)
    for words in (
        f"up to {TRANSLATION_PX:g} px",
        f"rotation of up to {ROTATION_DEGREES:g} degrees",
        f"up to {100 * CORNER_SHARE:g} %",
    ):
        assert words in " ".join(page.split())
