"""Recordings of compressed images, read and replayed like those of raw ones."""

import cv2
import numpy as np
import pytest
from foreign_bags import SECOND, write_bag

from robself import compressed_depth
from robself.camera_model import CameraModel
from robself.cli import run
from robself.demo.stream import recorded
from robself.errors import RecordingError
from robself.output_topics import output_topics
from robself.recording import RecordingReader
from robself.replay import Replay
from robself.replay_settings import ReplaySettings

START = 1_700_000_000 * SECOND
LOW, SIZE = (9, 12), (18, 24)
SOURCE, GUIDE = "/camera/depth/rect/image/compressedDepth", "/camera/color/image_raw/compressed"
CONTAINERS = ["mcap", "sqlite3", "ros1"]
CAMERA = CameraModel(12, 9, np.array([[10.0, 0, 5.5], [0, 10.0, 4.0], [0, 0, 1]]), (-0.1, 0.01, 0, 0, 0))


def depth_m():
    depth = np.full(LOW, 2.0, np.float32)
    depth[3:7, 3:7], depth[0, 0] = 1.25, np.nan
    return depth


def millimetres():
    return np.nan_to_num(1000 * depth_m()).astype(np.uint16)


def colour():
    """Reddish."""
    rows, columns = np.indices(SIZE)
    image = np.stack([128 + rows * 5, columns * 4, rows + columns], -1).astype(np.uint8)
    image[6:14, 6:14] = 220
    return image


def jpeg():
    return cv2.imencode(".jpg", colour()[..., ::-1])[1].tobytes()


def rig(depth=None):
    """Fills a bag with two pairs; depth is the format and data of the compressed source."""
    image_format, data = depth or compressed_depth.encode(millimetres(), "16UC1", "rvl")

    def fill(bag):
        for stamp in (START, START + SECOND // 10):
            bag.camera_info("/camera/depth/rect/camera_info", CAMERA, stamp)
            bag.compressed(SOURCE, image_format, data, stamp)
            bag.compressed(GUIDE, "rgb8; jpeg compressed bgr8", jpeg(), stamp + 5_000_000, frame_id="rgb")

    return fill


@pytest.mark.parametrize("container", CONTAINERS)
def test_compressed_images_are_unpacked_from_every_container(tmp_path, container):
    (pair, _) = RecordingReader(write_bag(tmp_path / "bag", rig(), container)).pairs(SOURCE, GUIDE)
    np.testing.assert_array_equal(pair.source.array, millimetres())
    assert (pair.source.encoding, pair.source.frame_id, pair.source.stamp_ns) == ("16UC1", "depth", START)
    assert pair.guide.encoding == "rgb8"
    assert np.abs(pair.guide.rgb.astype(int) - colour()).mean() < 8


def test_the_camera_beside_the_base_topic_is_that_of_the_rectified_image(tmp_path):
    (pair, _) = RecordingReader(write_bag(tmp_path / "bag", rig())).pairs(SOURCE, GUIDE)
    assert pair.source_camera == CAMERA.rectified()
    assert pair.guide_camera is None


@pytest.mark.parametrize("container", ["mcap", "ros1"])
def test_compressed_topics_are_replayed(tmp_path, container):
    bag = write_bag(tmp_path / "bag", rig(), container)
    settings = ReplaySettings(first_iterations=3, iterations=1, pictures=1)
    metrics = Replay(bag, SOURCE, GUIDE, settings=settings).run(tmp_path / "out")
    assert metrics["summary"]["pairs"]["used"] == 2
    results = RecordingReader(tmp_path / "out" / "sr.mcap")
    first, _ = results.images(output_topics().sr)
    assert (first.encoding, first.array.shape) == ("16UC1", SIZE)
    assert np.median(first.array) == pytest.approx(2000, abs=200)
    assert first.array.max() < 2500
    aligned, _ = results.images(output_topics().guide_aligned)
    assert aligned.array[..., 0].mean() > aligned.array[..., 2].mean() + 80


@pytest.mark.parametrize("codec", ["png", "rvl"])
def test_metres_are_replayed_as_metres(tmp_path, codec):
    bag = write_bag(tmp_path / "bag", rig(compressed_depth.encode(depth_m(), "32FC1", codec)))
    (pair, _) = RecordingReader(bag).pairs(SOURCE, GUIDE)
    assert pair.source.encoding == "32FC1"
    np.testing.assert_allclose(pair.source.array, depth_m(), rtol=1e-3)


def test_a_truncated_image_is_told_with_its_topic_and_stamp(tmp_path):
    image_format, data = compressed_depth.encode(millimetres(), "16UC1", "png")
    reader = RecordingReader(write_bag(tmp_path / "bag", rig((image_format, data[:-9]))))
    with pytest.raises(RecordingError, match=f"{SOURCE} at {START} ns: PNG: cut short after"):
        next(reader.images(SOURCE))


def test_compressed_topics_are_offered_to_whom_gives_none(tmp_path, capsys):
    def fill(bag):
        rig()(bag)
        bag.compressed("/camera/odd/compressed", "tiff", b"II*\0 no", START)

    bag = write_bag(tmp_path / "bag", fill)
    assert run(["replay", str(bag), "-o", str(tmp_path / "out")]) == 2
    offered = capsys.readouterr().err
    assert f"{SOURCE}  16UC1 12x9, 2 images" in offered
    assert f"{GUIDE}  rgb8 24x18, 2 images" in offered
    assert (
        "/camera/odd/compressed  7 bytes beginning with 49 49 2a 00, expected JPEG or PNG, 1 images"
        in offered
    )


def test_a_demo_of_compressed_topics_plays_them_and_tells_the_node_so(tmp_path):
    stream = recorded(write_bag(tmp_path / "bag", rig()), SOURCE, GUIDE, None, {})
    assert stream.topics == {
        "source/image": SOURCE,
        "source/camera_info": "/camera/depth/rect/camera_info",
        "guide/image": GUIDE,
    }
    assert stream.remappings["source/image"] == "/camera/depth/rect/image"
    assert stream.remappings["guide/image"] == "/camera/color/image_raw"
    assert stream.remappings["source/camera_info"] == "/camera/depth/rect/camera_info"
    transports = {name: stream.parameters[name] for name in ("source.transport", "guide.transport")}
    assert transports == {"source.transport": "compressedDepth", "guide.transport": "compressed"}
    assert stream.parameters["modality"] == "depth"
