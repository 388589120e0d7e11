"""Runs as files for the Rerun viewer, read back by its own reader."""

import cv2
import numpy as np
import pytest
from rrd_files import needs_rerun, pixels, rows_of
from test_replay import (
    DEPTH_CAMERA,
    GUIDE,
    PERIOD,
    RGB_CAMERA,
    SOURCE,
    START,
    TOPICS,
    colour,
    replay,
    write_bag,
)

from robself.camera_model import CameraModel
from robself.errors import RecordingError
from robself.output_topics import displacement_topic
from robself.recording import RecordingWriter
from robself.viewing import ViewedRun, find_run, write_rrd
from robself.viewing.pictures import MOST_POINTS, direction_colours, points

pytestmark = needs_rerun
DEPTH, RGB = "/frames/depth_optical", "/frames/rgb_optical"
STAMPS = [START + index * PERIOD for index in range(3)]


@pytest.fixture(scope="module")
def viewed(tmp_path_factory):
    """What a replay of three pairs wrote, and what is shown of it."""
    folder = tmp_path_factory.mktemp("viewed")
    bag = write_bag(
        folder / "in.mcap",
        guides={index: colour((36, 48), index) for index in range(3)},
        cameras={"/depth/camera_info": DEPTH_CAMERA, "/rgb/camera_info": RGB_CAMERA},
    )
    _, reader = replay(bag, folder / "out", factor=2.0, displacement=True)
    write_rrd(folder / "run.rrd", find_run(folder / "out"))
    return reader, rows_of(folder / "run.rrd")


def test_everything_is_shown_at_its_stamp(viewed):
    _, rows = viewed
    images = "source", "sr", "guide_aligned", "translated", "confidence", "displacement", "points", "camera"
    curves = "consistency_before", "consistency_after", "latency_seconds", "processing_seconds", "mode"
    statuses = {f"/status/{name}" for name in (*curves, "iterations", "said")}
    assert rows.keys() == {f"{DEPTH}/{name}" for name in images} | {f"{RGB}/guide"} | statuses
    for entity, its in rows.items():
        late = 5 * 10**6 if entity.endswith("/guide") else 0
        assert [stamp for stamp, _ in its] == [stamp + late for stamp in STAMPS], entity


def test_depth_is_shown_as_it_was_recorded_in_millimetres(viewed):
    reader, rows = viewed
    for name, topic in (("sr", TOPICS.sr), ("translated", TOPICS.translated)):
        for image, (_, row) in zip(reader.images(topic), rows[f"{DEPTH}/{name}"], strict=True):
            np.testing.assert_array_equal(pixels(row, np.uint16), image.array)
            assert row["DepthImage:meter"] == [1000.0]
    assert pixels(rows[f"{DEPTH}/source"][1][1], np.uint16)[4, 5] == 1250


def test_each_point_is_where_the_camera_sees_its_pixel(viewed):
    reader, rows = viewed
    infos = (message.content for message in reader.messages([TOPICS.camera_info]))
    images = zip(reader.images(TOPICS.sr), reader.images(TOPICS.guide_aligned), infos, strict=True)
    for (sr, guide, info), (_, row) in zip(images, rows[f"{DEPTH}/points"], strict=True):
        cloud = np.array(row["Points3D:positions"])
        assert len(cloud) == (sr.array > 0).sum()
        seen, _ = cv2.projectPoints(cloud, np.zeros(3), np.zeros(3), info.k.reshape(3, 3), info.d)
        columns, lines = np.rint(seen.reshape(-1, 2)).astype(int).T
        np.testing.assert_allclose(seen.reshape(-1, 2), np.c_[columns, lines], atol=1e-3)
        np.testing.assert_allclose(cloud[:, 2], sr.array[lines, columns] / 1000, rtol=1e-6)
        red = np.array(row["Points3D:colors"]) >> 24
        np.testing.assert_array_equal(red, guide.array[lines, columns, 0])


def test_the_camera_and_the_status_are_those_of_the_recording(viewed):
    reader, rows = viewed
    (_, camera), *_ = rows[f"{DEPTH}/camera"]
    assert camera["Pinhole:image_from_camera"] == [[20, 0, 0, 0, 20, 0, 11.5, 8.5, 1]]  # by columns
    assert camera["Pinhole:resolution"] == [[24, 18]]
    statuses = [message.content for message in reader.messages([TOPICS.status])]
    for name in ("consistency_after", "latency_seconds", "iterations", "mode"):
        shown = [row["Scalars:scalars"] for _, row in rows[f"/status/{name}"]]
        assert shown == [[getattr(status, name)] for status in statuses]
    (line,) = rows["/status/said"][2][1]["TextLog:text"]
    assert line.startswith("keyframe warm: 1 iterations, consistency ") and " m, latency " in line


def test_displacement_and_confidence_are_those_of_the_recording(viewed):
    reader, rows = viewed
    (moved, *_), (sure, *_) = map(list, map(reader.images, (displacement_topic(), TOPICS.confidence)))
    assert (moved.encoding, moved.array.shape) == ("32FC2", (18, 24, 2))
    shown = pixels(rows[f"{DEPTH}/displacement"][0][1], np.uint8, "Image")
    np.testing.assert_array_equal(shown, direction_colours(moved.array))
    shown = pixels(rows[f"{DEPTH}/confidence"][0][1], np.float32, "Image")
    np.testing.assert_array_equal(shown, sure.array)


def node_bag(path, encoding="32FC1", frame_id="depth_optical", camera=None, unit="m", frames=1):
    """A node's results and its source in one bag; (4, 6) pixels."""
    values = np.full((4, 6), 1.5, np.float32) if encoding == "32FC1" else np.full((4, 6), 150, np.uint8)
    with RecordingWriter(path) as writer:
        for stamp in STAMPS[:frames]:
            header = {"stamp_ns": stamp, "frame_id": frame_id}
            writer.write_image("/depth/image_rect", values, encoding, **header)
            writer.write_image("/n/sr/image", values, encoding, **header)
            if camera:
                writer.write_camera_info("/n/sr/camera_info", camera, **header)
            writer.write_status("/n/status", {"consistency_unit": unit, "fallback": True}, **header)
    return path


def shown(bag, **topics):
    file = bag.with_suffix(".rrd")
    write_rrd(file, ViewedRun(bag, node="/n", **topics))
    return rows_of(file)


def test_a_nodes_recording_is_shown_in_metres(tmp_path):
    rows = shown(node_bag(tmp_path / "bag.mcap"), source_topic="/depth/image_rect")
    assert f"{DEPTH}/points" not in rows  # no camera_info
    for name in ("source", "sr"):
        ((stamp, row),) = rows[f"{DEPTH}/{name}"]
        assert stamp == START and (pixels(row, np.float32) == 1.5).all() and row["DepthImage:meter"] == [1.0]
    ((_, said),) = rows["/status/said"]
    assert said["TextLog:level"] == ["WARN"] and said["TextLog:text"][0].startswith("FALLBACK keyframe cold")


def test_points_of_a_rectified_source_follow_its_projection(tmp_path):
    P = np.array([[4.0, 0, 2.0, 0], [0, 4.0, 1.0, 0], [0, 0, 1, 0]])
    camera = CameraModel(6, 4, np.array([[5.0, 0, 2.5], [0, 5.0, 1.5], [0, 0, 1]]), (-0.1, 0, 0, 0, 0), P=P)
    rows = shown(node_bag(tmp_path / "bag.mcap", camera=camera), source_topic="/depth/image_rect")
    cloud = np.array(rows[f"{DEPTH}/points"][0][1]["Points3D:positions"]).reshape(4, 6, 3)
    np.testing.assert_allclose(cloud[3, 5], [1.5 * 3 / 4, 1.5 * 2 / 4, 1.5], rtol=1e-6)


def test_nir_is_no_depth_and_has_no_points(tmp_path):
    bag = node_bag(tmp_path / "bag.mcap", "mono8", camera=DEPTH_CAMERA.scaled(6, 4), unit="intensity")
    rows = shown(bag)
    ((_, row),) = rows[f"{DEPTH}/sr"]
    assert (pixels(row, np.uint8, "Image") == 150).all() and "DepthImage:meter" not in row
    assert f"{DEPTH}/points" not in rows


@pytest.mark.parametrize("frame_id", ["/tf/with slashes", "", "__reserved", "café"])
def test_any_frame_id_is_one_part_of_a_path(tmp_path, frame_id):
    import rerun as rr

    rows = shown(node_bag(tmp_path / "bag.mcap", frame_id=frame_id))
    part = rr.escape_entity_path_part(frame_id or "(no frame_id)")
    assert f"/frames/{part}/sr" in rows


def test_a_camera_of_another_size_is_told_once_and_gives_no_points(tmp_path):
    bag, said = node_bag(tmp_path / "bag.mcap", camera=DEPTH_CAMERA, frames=2), []
    write_rrd(tmp_path / "run.rrd", ViewedRun(bag, node="/n"), say=said.append)
    assert said == ["the result's camera_info is not used: it is of 12x9 images, these are 6x4"]
    assert f"{DEPTH}/points" not in rows_of(tmp_path / "run.rrd")


def test_a_guide_without_colours_is_told_by_its_topic(tmp_path):
    run = ViewedRun(node_bag(tmp_path / "bag.mcap"), guide_topic="/depth/image_rect", node="/n")
    with pytest.raises(RecordingError, match=r"bag\.mcap: /depth/image_rect: guide encoding '32FC1'"):
        write_rrd(tmp_path / "run.rrd", run)
    assert [path.name for path in tmp_path.iterdir()] == ["bag.mcap"]


def test_a_confidence_that_is_none_is_told_by_its_topic(tmp_path):
    with RecordingWriter(tmp_path / "bag.mcap") as writer:
        writer.write_image("/n/sr/image", np.ones((4, 6), np.float32), "32FC1", stamp_ns=START)
        writer.write_image("/n/confidence/image", colour((4, 6)), "rgb8", stamp_ns=START)
    with pytest.raises(
        RecordingError, match="/n/confidence/image: confidence of encoding 'rgb8', expected 32FC1"
    ):
        shown(tmp_path / "bag.mcap")


def test_inputs_are_those_that_the_replay_names_while_they_are_there(tmp_path):
    bag, said = write_bag(tmp_path / "in.mcap", 1), []
    replay(bag, tmp_path / "out")
    results = tmp_path / "out" / "sr.mcap"
    assert find_run(tmp_path / "out", say=said.append) == ViewedRun(results, bag.resolve(), SOURCE, GUIDE)
    assert find_run(results) == find_run(tmp_path / "out") and said == []
    bag.unlink()
    assert find_run(tmp_path / "out", say=said.append) == ViewedRun(results)
    assert said == [
        f"{bag.resolve()}, from which this was made, is not there: neither source nor guide is shown"
    ]


def test_clouds_of_large_images_are_thinned_out_evenly():
    camera = CameraModel(1000, 700, np.array([[500.0, 0, 499.5], [0, 500.0, 349.5], [0, 0, 1]]))
    cloud, none = points(np.full((700, 1000), 2.0, np.float32), camera, None)
    assert none is None and MOST_POINTS / 4 < len(cloud) <= MOST_POINTS
    np.testing.assert_allclose(cloud[0], [-499.5 * 2 / 500, -349.5 * 2 / 500, 2], rtol=1e-6)
    assert len(np.unique(np.round(np.diff(np.unique(cloud[:, 0])), 4))) == 1


def test_displacements_have_a_colour_for_each_direction():
    directions = np.array([[[1, 0], [-1, 0], [0, 0]]], np.float32)
    assert direction_colours(directions)[0].tolist() == [[255, 0, 0], [0, 255, 255], [255, 255, 255]]
    assert (direction_colours(np.zeros((2, 2, 2), np.float32)) == 255).all()
