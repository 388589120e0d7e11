"""Recordings that are damaged, empty or compressed in unknown ways: one line and code 2, and nothing is left."""

from pathlib import Path

import numpy as np
import pytest
from foreign_bags import write_bag
from rosbags.rosbag2 import CompressionMode
from test_cli import TOPICS
from test_recording import START, colour, depth, three_pairs

from robself.cli import run

CONTAINERS = ("mcap", "sqlite3", "ros1")
QUICK = ["--first-iterations", "1", "--iterations", "1", "--pictures", "0"]


@pytest.fixture
def refused(tmp_path, capfd, monkeypatch):
    """A function: a recording -> the one line by which `robself replay` refuses it."""
    monkeypatch.chdir(tmp_path)

    def line(bag, topics=TOPICS):
        assert run(["replay", str(bag), *topics, "-o", "out", *QUICK]) == 2
        out, err = capfd.readouterr()
        assert err.count("robself: ") == 1 and out == "" and "Traceback" not in err
        assert not list(Path().glob("out/sr.mcap")) and not list(Path().glob("out/.*"))
        last = err.splitlines()[-1]
        assert last.startswith(f"robself: {bag}: ")
        return last.removeprefix(f"robself: {bag}: ")

    return line


def data_file(bag):
    return bag if bag.is_file() else next(path for path in bag.iterdir() if path.suffix in (".mcap", ".db3"))


def written(container, fill=three_pairs, compression=CompressionMode.NONE):
    return write_bag(Path("bag"), fill, container, compression)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_recording_cut_anywhere_is_refused(refused, container):
    bag = written(container)
    file = data_file(bag)
    content = file.read_bytes()
    for share in (0, 0.002, 0.1, 0.6, 0.95):
        file.write_bytes(content[: int(share * len(content))])
        assert refused(bag)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_recording_whose_bytes_are_overwritten_is_refused_or_read(tmp_path, monkeypatch, capfd, container):
    monkeypatch.chdir(tmp_path)
    bag = written(container)
    file, draw = data_file(bag), np.random.default_rng(0)
    content = file.read_bytes()
    for _ in range(12):
        spoiled = np.frombuffer(content, np.uint8).copy()
        spoiled[draw.integers(0, len(content), 20)] = draw.integers(0, 256, 20)
        file.write_bytes(spoiled.tobytes())
        code = run(["replay", str(bag), *TOPICS, "-o", "out", *QUICK])
        err = capfd.readouterr().err
        assert (code, err.count("robself: ")) in ((0, 0), (2, 1)), err
        assert "Traceback" not in err


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_recording_without_messages_is_told_so(refused, container):
    assert "no topic '/depth/image_raw', expected one of: none at all" in refused(written(container, bool))


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_missing_topic_is_told_beside_those_that_exist(refused, container):
    bag = written(container, lambda bag: bag.image("/depth/image_raw", depth(1), "16UC1", START))
    assert refused(bag).startswith(
        "no topic '/rgb/image_raw', expected one of: /depth/image_raw [sensor_msgs/msg/Image]"
    )


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_topic_of_another_type_is_told_with_it(refused, container):
    topics = [*TOPICS[:3], "/depth/camera_info"]
    assert refused(written(container), topics) == (
        "topic '/depth/camera_info' is sensor_msgs/msg/CameraInfo, expected sensor_msgs/msg/Image or "
        "sensor_msgs/msg/CompressedImage"
    )


@pytest.mark.parametrize("topic", ["/depth/image_raw", "/rgb/image_raw"])
def test_an_unknown_encoding_is_told(refused, topic):
    def fill(bag):
        for name, image, encoding in (
            ("/depth/image_raw", depth(1), "16UC1"),
            ("/rgb/image_raw", colour(1), "rgb8"),
        ):
            bag.image(name, image, "16XC1" if name == topic else encoding, START)

    assert "'16XC1'" in refused(written("mcap", fill))


def test_an_unknown_image_compression_is_told_with_its_topic(refused):
    def fill(bag):
        bag.image("/depth/image_raw", depth(1), "16UC1", START)
        bag.compressed("/rgb/image_raw/compressed", "zoom", b"xx", START)

    line = refused(written("mcap", fill), [*TOPICS[:3], "/rgb/image_raw/compressed"])
    assert line.startswith("/rgb/image_raw/compressed at ")
    assert line.endswith(": 2 bytes beginning with 78 78, expected JPEG or PNG")


UNKNOWN = {
    "mcap chunk": ("mcap", CompressionMode.STORAGE, b"\x04\0\0\0zstd", b"\x04\0\0\0zoom", data_file),
    "mcap file": ("mcap", CompressionMode.FILE, b"zstd", b"zoom", lambda bag: bag / "metadata.yaml"),
    "message": ("sqlite3", CompressionMode.MESSAGE, b"zstd", b"zoom", lambda bag: bag / "metadata.yaml"),
    "ros1 chunk": ("ros1", CompressionMode.STORAGE, b"compression=lz4", b"compression=zoo", data_file),
}


@pytest.mark.parametrize(("container", "mode", "known", "unknown", "place"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_compression_of_the_recording_is_named(refused, container, mode, known, unknown, place):
    bag = written(container, compression=mode)
    file = place(bag)
    file.write_bytes(file.read_bytes().replace(known, unknown))
    assert "zoo" in refused(bag)
