"""Recordings in every container, read and written without ROS."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from foreign_bags import SECOND, write_bag
from rosbags.rosbag2 import CompressionMode
from rosbags.typesys import Stores, get_typestore

from robself.camera_model import CameraModel
from robself.errors import InputError, OutputError, RecordingError
from robself.recording import RecordingReader, RecordingWriter

START = 1_700_000_000 * SECOND
CAMERA = CameraModel(
    8, 6, np.array([[9.0, 0, 3.5], [0, 9.5, 2.5], [0, 0, 1]]), (-0.1, 0.02, 0.0, 0.0, 0.0), frame_id="depth"
)


def depth(value):
    return np.full((6, 8), value, np.uint16)


def colour(value):
    return np.full((12, 16, 3), value, np.uint8)


def three_pairs(bag):
    for index in range(3):
        stamp = START + index * SECOND // 10
        bag.camera_info("/depth/camera_info", CAMERA, stamp)
        bag.image("/depth/image_raw", depth(1000 + index), "16UC1", stamp)
        bag.image("/rgb/image_raw", colour(10 + index), "rgb8", stamp + 5_000_000, frame_id="rgb")


CONTAINERS = [
    ("mcap", CompressionMode.NONE),
    ("mcap", CompressionMode.STORAGE),
    ("mcap", CompressionMode.FILE),
    ("mcap", CompressionMode.MESSAGE),
    ("sqlite3", CompressionMode.NONE),
    ("sqlite3", CompressionMode.MESSAGE),
    ("ros1", CompressionMode.NONE),
    ("ros1", CompressionMode.STORAGE),
]


@pytest.mark.parametrize(("container", "compression"), CONTAINERS)
def test_images_are_read_from_every_container(tmp_path, container, compression):
    reader = RecordingReader(write_bag(tmp_path / "bag", three_pairs, container, compression))
    assert reader.topics["/depth/image_raw"] == ("sensor_msgs/msg/Image", 3)
    images = list(reader.images("/depth/image_raw"))
    assert [image.stamp_ns - START for image in images] == [0, SECOND // 10, SECOND // 5]
    for index, image in enumerate(images):
        np.testing.assert_array_equal(image.array, depth(1000 + index))
        assert (image.array.dtype, image.encoding, image.frame_id) == (np.uint16, "16UC1", "depth")


@pytest.mark.parametrize("container", ["mcap", "sqlite3", "ros1"])
def test_pairs_carry_their_camera_from_every_container(tmp_path, container):
    reader = RecordingReader(write_bag(tmp_path / "bag", three_pairs, container))
    pairs = list(reader.pairs("/depth/image_raw", "/rgb/image_raw"))
    assert [(pair.source.array[0, 0], pair.guide.array[0, 0, 0]) for pair in pairs] == [
        (1000, 10),
        (1001, 11),
        (1002, 12),
    ]
    assert all(pair.source_camera == CAMERA for pair in pairs)
    assert all(pair.guide_camera is None and pair.truth is None for pair in pairs)


@pytest.mark.parametrize(("container", "suffix"), [("mcap", ".mcap"), ("sqlite3", ".db3")])
def test_a_bare_file_without_metadata_is_read_too(tmp_path, container, suffix):
    folder = write_bag(tmp_path / "bag", three_pairs, container)
    bare = shutil.move(next(folder.glob(f"*{suffix}")), tmp_path / f"bare{suffix}")
    shutil.rmtree(folder)
    assert len(list(RecordingReader(bare).images("/rgb/image_raw"))) == 3


def test_guides_of_any_colour_encoding_become_rgb(tmp_path):
    red = np.zeros((2, 4, 3), np.uint8)
    red[..., 0] = 200

    def fill(bag):
        alpha = np.full((2, 4, 1), 255, np.uint8)
        bag.image("/rgb8", red, "rgb8", START)
        bag.image("/bgr8", red[..., ::-1], "bgr8", START)
        bag.image("/rgba8", np.concatenate([red, alpha], axis=2), "rgba8", START)
        bag.image("/bgra8", np.concatenate([red[..., ::-1], alpha], axis=2), "bgra8", START)

    reader = RecordingReader(write_bag(tmp_path / "bag", fill))
    for topic in reader.topics:
        np.testing.assert_array_equal(next(reader.images(topic)).rgb, red)


def test_padded_rows_and_big_endian_depth_are_read_by_their_values(tmp_path):
    values = np.arange(48, dtype=np.uint16).reshape(6, 8) + 1000
    padded = np.full((6, 20), 0xEE, np.uint8)
    padded[:, :16] = values.astype(">u2").view(np.uint8)

    def fill(bag):
        bag.image("/depth", values, "16UC1", START, step=20, is_bigendian=1, data=padded.reshape(-1))

    array = next(RecordingReader(write_bag(tmp_path / "bag", fill)).images("/depth")).array
    np.testing.assert_array_equal(array, values)
    assert array.dtype == np.uint16 and array.flags.writeable


def test_pairs_come_in_the_order_of_their_stamps_however_the_topics_arrived(tmp_path):
    def fill(bag):
        for index in range(4):
            bag.image("/rgb", colour(index), "rgb8", START + index * SECOND, time_ns=START + index)
        for index in range(4):
            bag.image("/depth", depth(index), "16UC1", START + index * SECOND, time_ns=START + 100 + index)

    pairs = list(RecordingReader(write_bag(tmp_path / "bag", fill)).pairs("/depth", "/rgb"))
    assert [(pair.source.array[0, 0], pair.guide.array[0, 0, 0]) for pair in pairs] == [
        (i, i) for i in range(4)
    ]


def test_stamps_further_apart_than_the_slop_make_no_pair(tmp_path):
    reader = RecordingReader(write_bag(tmp_path / "bag", three_pairs))
    assert list(reader.pairs("/depth/image_raw", "/rgb/image_raw", slop_seconds=0.004)) == []
    assert len(list(reader.pairs("/depth/image_raw", "/rgb/image_raw", slop_seconds=0.006))) == 3


def test_the_truth_belongs_to_exactly_its_stamp(tmp_path):
    def fill(bag):
        three_pairs(bag)
        bag.image("/truth", np.full((6, 8), 2.5, np.float32), "32FC1", START + SECOND // 10)
        bag.image("/truth", np.full((6, 8), 3.5, np.float32), "32FC1", START + SECOND // 5 + 1)

    reader = RecordingReader(write_bag(tmp_path / "bag", fill))
    truths = [pair.truth for pair in reader.pairs("/depth/image_raw", "/rgb/image_raw", "/truth")]
    assert truths[0] is None and truths[2] is None
    assert truths[1].array[0, 0] == 2.5


def test_the_camera_is_the_one_last_told_before_the_image(tmp_path):
    zoomed = CameraModel(8, 6, CAMERA.K * [[2], [2], [1]], frame_id="depth")

    def fill(bag):
        bag.image("/depth/image_raw", depth(1), "16UC1", START)
        bag.camera_info("/depth/camera_info", CAMERA, START + 1)
        for index, camera in enumerate((CAMERA, zoomed, zoomed), start=1):
            bag.camera_info("/depth/camera_info", camera, START + index * SECOND)
            bag.image("/depth/image_raw", depth(1), "16UC1", START + index * SECOND)
        for index in range(4):
            bag.image("/rgb", colour(1), "rgb8", START + index * SECOND)

    pairs = list(RecordingReader(write_bag(tmp_path / "bag", fill)).pairs("/depth/image_raw", "/rgb"))
    assert [pair.source_camera for pair in pairs] == [CAMERA, CAMERA, zoomed, zoomed]
    assert pairs[2].source_camera is pairs[3].source_camera, "one object as long as nothing changes"


def test_camera_info_below_the_image_topic_is_found_too(tmp_path):
    def fill(bag):
        bag.image("/zed/rect/image", depth(1), "16UC1", START)
        bag.camera_info("/zed/rect/image/camera_info", CAMERA, START)

    reader = RecordingReader(write_bag(tmp_path / "bag", fill))
    [(_, camera)] = reader.cameras("/zed/rect/image")
    assert camera.D == (), "a rectified topic has no distortion left"


def test_an_uncalibrated_camera_is_left_out_with_one_warning(tmp_path, caplog):
    def fill(bag):
        for index in range(3):
            bag.image("/depth/image_raw", depth(1), "16UC1", START + index)
            bag.camera_info("/depth/camera_info", CAMERA, START + index, k=[0.0] * 9)

    reader = RecordingReader(write_bag(tmp_path / "bag", fill))
    assert list(reader.cameras("/depth/image_raw")) == []
    assert caplog.text.count("focal lengths 0, 0, expected > 0") == 1


@pytest.mark.parametrize("container", ["mcap", "sqlite3", "ros1"])
def test_messages_can_be_published_again_from_every_container(tmp_path, container):
    types = get_typestore(Stores.ROS2_JAZZY)
    reader = RecordingReader(write_bag(tmp_path / "bag", three_pairs, container))
    messages = list(reader.serialized(["/depth/image_raw", "/depth/camera_info"]))
    assert [message.topic for message in messages[:2]] == ["/depth/camera_info", "/depth/image_raw"]
    assert len(messages) == 6 and messages[0].time_ns == START
    contents = [types.deserialize_cdr(message.data, message.type) for message in messages]
    assert CameraModel.from_camera_info(contents[0]) == CAMERA
    assert contents[5].header.frame_id == "depth" and contents[5].data[:2].view(np.uint16)[0] == 1002


def test_a_missing_topic_is_named_beside_those_that_exist(tmp_path):
    reader = RecordingReader(write_bag(tmp_path / "bag", three_pairs))
    with pytest.raises(
        RecordingError, match=r"no topic '/nir', .*/depth/image_raw \[sensor_msgs/msg/Image\]"
    ):
        reader.pairs("/depth/image_raw", "/nir")


def test_a_topic_of_another_type_is_named_with_its_type(tmp_path):
    reader = RecordingReader(write_bag(tmp_path / "bag", three_pairs))
    with pytest.raises(RecordingError, match="'/depth/camera_info' is sensor_msgs/msg/CameraInfo, expected"):
        reader.images("/depth/camera_info")


def test_an_image_shorter_than_it_says_is_refused_with_its_topic_and_stamp(tmp_path):
    def fill(bag):
        bag.image("/depth", depth(1), "16UC1", START, data=np.zeros(90, np.uint8))

    with pytest.raises(RecordingError, match=f"/depth at {START} ns: 90 bytes, expected step .* = 96 for"):
        list(RecordingReader(write_bag(tmp_path / "bag", fill)).images("/depth"))


@pytest.mark.parametrize("name", ["missing.mcap", "notes.txt", "empty_folder"])
def test_what_is_no_recording_is_refused(tmp_path, name):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty_folder").mkdir()
    with pytest.raises(RecordingError, match=name):
        RecordingReader(tmp_path / name)


@pytest.mark.parametrize("suffix", [".mcap", ".db3", ".bag"])
def test_a_file_of_rubbish_is_refused(tmp_path, suffix):
    rubbish = tmp_path / f"rubbish{suffix}"
    rubbish.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(RecordingError, match=f"rubbish{suffix}: cannot be read"):
        RecordingReader(rubbish)


def test_a_recording_cut_short_is_an_error_not_a_short_answer(tmp_path):
    path = tmp_path / "whole.mcap"
    noise = np.random.default_rng(0)
    with RecordingWriter(path) as writer:
        for index in range(20):
            image = noise.integers(0, 256, (200, 200, 3), np.uint8)
            writer.write_image("/rgb", image, "rgb8", stamp_ns=START + index)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(RecordingError, match=r"whole\.mcap"):
        list(RecordingReader(path).images("/rgb"))


# --- writing


@pytest.mark.parametrize("name", ["out.mcap", "folder"])
def test_what_is_written_is_read_again(tmp_path, name):
    metres = np.array([[1.25, np.nan]], np.float32)
    with RecordingWriter(tmp_path / "new" / name) as writer:
        writer.write_image("/depth/image_raw", depth(1234), "16UC1", stamp_ns=START + 7, frame_id="depth")
        writer.write_image("/rgb", colour(5), "rgb8", stamp_ns=START + 8, frame_id="rgb")
        writer.write_image("/truth", metres, "32FC1", stamp_ns=START + 9, frame_id="depth")
        writer.write_camera_info("/depth/camera_info", CAMERA, stamp_ns=START + 7)
    reader = RecordingReader(tmp_path / "new" / name)
    [image] = reader.images("/depth/image_raw")
    np.testing.assert_array_equal(image.array, depth(1234))
    assert (image.stamp_ns, image.frame_id) == (START + 7, "depth")
    np.testing.assert_array_equal(next(reader.images("/truth")).array, metres)
    assert list(reader.cameras("/depth/image_raw")) == [(START + 7, CAMERA)]
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name], "nothing temporary is left"


def test_a_recording_has_its_name_only_once_it_is_complete(tmp_path):
    path = tmp_path / "out.mcap"
    with RecordingWriter(path) as writer:
        writer.write_image("/depth", depth(1), "16UC1", stamp_ns=START)
        assert not path.exists()
    assert path.exists()


def test_an_error_in_the_block_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), RecordingWriter(tmp_path / "out.mcap") as writer:
        writer.write_image("/depth", depth(1), "16UC1", stamp_ns=START)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_file_is_replaced_and_survives_a_failed_attempt(tmp_path):
    path = tmp_path / "out.mcap"
    for value in (1, 2):
        with RecordingWriter(path) as writer:
            writer.write_image("/depth", depth(value), "16UC1", stamp_ns=START)
    with pytest.raises(InputError), RecordingWriter(path) as writer:
        writer.write_image("/depth", colour(3), "16UC1", stamp_ns=START)
    assert next(RecordingReader(path).images("/depth")).array[0, 0] == 2


def test_an_existing_folder_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(OutputError, match="mine: exists already"):
        RecordingWriter(tmp_path / "mine")


def test_a_place_that_is_no_folder_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        RecordingWriter(tmp_path / "file" / "out.mcap")


def test_a_full_disk_is_an_output_error_and_leaves_nothing_behind(tmp_path):
    """The file size is limited in a process of its own, which the writer meets as it meets a full disk."""
    program = f"""
import resource, numpy as np
from robself.errors import OutputError
from robself.recording import RecordingWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
try:
    with RecordingWriter({str(tmp_path / "out.mcap")!r}) as writer:
        for index in range(8):
            writer.write_image("/rgb", noise, "rgb8", stamp_ns=index)
except OutputError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "out.mcap: cannot be written: [Errno 27]" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_closed_recording_takes_nothing_more(tmp_path):
    writer = RecordingWriter(tmp_path / "out.mcap")
    writer.close()
    writer.close()
    with pytest.raises(OutputError, match="is closed"):
        writer.write_image("/depth", depth(1), "16UC1", stamp_ns=START)


def test_a_topic_keeps_its_type(tmp_path):
    with RecordingWriter(tmp_path / "out.mcap") as writer:
        writer.write_image("/depth", depth(1), "16UC1", stamp_ns=START)
        with pytest.raises(
            OutputError, match="/depth is sensor_msgs/msg/Image, got a sensor_msgs/msg/CameraInfo"
        ):
            writer.write_camera_info("/depth", CAMERA, stamp_ns=START)


def test_status_messages_are_readable_without_ros_installed(tmp_path):
    values = {"mode": 1, "warm": True, "iterations": 120, "consistency_unit": "m", "device": "cpu"}
    with RecordingWriter(tmp_path / "out.mcap") as writer:
        writer.write_status("/status", values, stamp_ns=START + 5, frame_id="depth")
        with pytest.raises(OutputError, match="robself_ros/msg/Status has no mood, only"):
            writer.write_status("/status", {"mood": 1}, stamp_ns=START)
    reader = RecordingReader(tmp_path / "out.mcap")
    assert reader.topics["/status"] == ("robself_ros/msg/Status", 1)
    [message] = reader.messages(["/status"])
    assert {name: getattr(message.content, name) for name in values} == values
    assert message.content.latency_seconds == 0 and message.content.header.frame_id == "depth"
    assert message.content.TRACK == 1


def test_messages_as_they_came_over_dds_are_written_unchanged(tmp_path):
    types = get_typestore(Stores.ROS2_JAZZY)
    text = types.types["std_msgs/msg/String"](data="hello")
    data = bytes(types.serialize_cdr(text, "std_msgs/msg/String"))
    with RecordingWriter(tmp_path / "out.mcap") as writer:
        writer.write_serialized("/chatter", "std_msgs/msg/String", data, time_ns=START)
        with pytest.raises(OutputError, match="/x is foreign_msgs/msg/Y, of which no definition is known"):
            writer.write_serialized("/x", "foreign_msgs/msg/Y", data, time_ns=START)
    [message] = RecordingReader(tmp_path / "out.mcap").messages()
    assert message[:3] == ("/chatter", "std_msgs/msg/String", START)
    assert message.content.data == "hello"
