import signal

import pytest
from builtin_interfaces.msg import Time
from recorded_streams import DEPTH, FRAMES, RGB, record_streams
from ros_processes import Program
from sensor_msgs.msg import Image

from robself.recording import RecordingReader
from robself_ros.serialized_header import stamp_ns

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return record_streams(tmp_path_factory.mktemp("bag") / "in.mcap")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_what_is_played_is_recorded_byte_for_byte(bag, tmp_path, ending):
    out = tmp_path / "out.mcap"
    with (
        Program(tmp_path, "recorder", out, DEPTH, RGB) as recorder,
        Program(tmp_path, "player", bag) as player,
    ):
        assert player.ends() == 0, player.log.read_text()
        assert not out.exists()
        assert recorder.stop(ending) == 0, recorder.log.read_text()
    for topic in (DEPTH, RGB):
        played, recorded = (
            [(message.type, message.time_ns, bytes(message.data)) for message in serialized(path, topic)]
            for path in (bag, out)
        )
        assert len(played) == FRAMES
        assert recorded == played


def test_each_message_is_told_once_it_is_recorded(bag, tmp_path):
    with (
        Program(tmp_path, "recorder", tmp_path / "out.mcap", DEPTH) as recorder,
        Program(tmp_path, "player", bag, DEPTH) as player,
    ):
        assert recorder.tells() == {"recording": [DEPTH]}
        told = [recorder.tells() for _ in range(FRAMES)]
        assert player.ends() == 0
        recorder.stop()
    assert told == [{"topic": DEPTH, "stamp_ns": message.time_ns} for message in serialized(bag, DEPTH)]


def test_stopped_before_anything_came_it_leaves_an_empty_recording(tmp_path):
    with Program(tmp_path, "recorder", tmp_path / "out.mcap", "/clock") as recorder:
        with Program(tmp_path, "player", record_streams(tmp_path / "in.mcap"), "--clock"):
            assert recorder.tells() == {"recording": ["/clock"]}
        assert recorder.stop() == 0, recorder.log.read_text()
    assert (tmp_path / "out.mcap").exists()


def test_a_place_that_cannot_be_written_to_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with Program(tmp_path, "recorder", tmp_path / "file" / "out.mcap", DEPTH) as recorder:
        assert recorder.ends() == 2
    (line,) = recorder.log.read_text().splitlines()
    assert "out.mcap: cannot be written" in line


def test_stamps_are_read_in_either_byte_order():
    little = bytes.fromhex("00010000 00f15365 07000000")
    big = bytes.fromhex("00000000 6553f100 00000007")
    assert stamp_ns(Image, little) == stamp_ns(Image, big) == 1_700_000_000_000_000_007


def test_a_message_without_a_header_has_no_stamp():
    assert stamp_ns(Time, bytes(12)) is None


def serialized(path, topic):
    return RecordingReader(path).serialized([topic])
