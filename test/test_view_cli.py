"""`robself view` and `robself replay --rerun` as a user types them."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rrd_files import needs_rerun, rows_of
from test_cli import START, TOPICS, files, names, read_until, run  # noqa: F401  a fixture
from test_faults_disk import disk_with_room_for, refused

from robself.camera_model import CameraModel
from robself.recording import RecordingWriter

SR = "/frames/depth/sr"


def results(path, frames=2, size=(18, 24)):
    """A bag of the node's super-resolved depth and its camera."""
    height, width = size
    camera = CameraModel(width, height, np.array([[300.0, 0, width / 2], [0, 300.0, height / 2], [0, 0, 1]]))
    image = np.full(size, 1500, np.uint16)
    with RecordingWriter(path) as writer:
        for index in range(frames):
            header = {"stamp_ns": START + index * 10**8, "frame_id": "depth"}
            writer.write_image("/robself_node/sr/image", image, "16UC1", **header)
            writer.write_camera_info("/robself_node/sr/camera_info", camera, **header)
    return path


@needs_rerun
def test_a_replay_writes_what_view_shows_of_it(files, capfd):  # noqa: F811
    quick = ["--first-iterations", "1", "--iterations", "1", "--pictures", "0"]
    assert run(["replay", "rec.mcap", *TOPICS, *quick, "-o", "out", "--rerun", "out/run.rrd"]) == 0
    assert names(files / "out") == ["metrics.json", "report.html", "run.rrd", "sr.mcap"]
    assert run(["view", "out", "--save", "again.rrd"]) == 0
    assert "12/12 images" in capfd.readouterr().err
    first, again = (rows_of(file) for file in ("out/run.rrd", "again.rrd"))
    assert len(first[SR]) == len(first["/frames/rgb/guide"]) == len(first["/frames/depth/source"]) == 2
    assert first == again


BAD = {
    "nothing": ("none --save a.rrd", "none: no such recording"),
    "empty folder": ("empty --save a.rrd", "empty: not a recording, expected a rosbag2 folder"),
    "no topic": ("rec.mcap --save a.rrd", "rec.mcap: no topic '/robself_node/sr/image', expected one of: /depth"),
    "no source": ("sr.mcap --source-topic /deph --save a.rrd", "sr.mcap: no topic '/deph', expected one of"),
    "damaged": ("broken.mcap --save a.rrd", "broken.mcap: cannot be read"),
    "further on": ("bad.mcap --save a.rrd", "bad.mcap: /robself_node/sr/image at 1700000000000000000 ns: image"),
    "recording": ("sr.mcap --recording gone.mcap --source-topic /d --save a.rrd", "gone.mcap: no such recording"),
    "metrics": ("odd --save a.rrd", "odd/metrics.json: no metrics of a run"),
    "place": ("sr.mcap --save no/a.rrd", "no/a.rrd: cannot be written: there is no folder no"),
    "no display": ("sr.mcap", "the viewer needs a display, and none of DISPLAY, WAYLAND_DISPLAY"),
    "no viewer": ("sr.mcap", "robself: the viewer failed: Error: "),
}  # fmt: skip


@needs_rerun
@pytest.mark.parametrize(("line", "complaint"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_code_2(files, capfd, monkeypatch, line, complaint):  # noqa: F811
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    if "failed" in complaint:
        monkeypatch.setenv("DISPLAY", ":987")  # of nobody
    monkeypatch.setattr("tempfile.tempdir", str(files))
    Path("empty").mkdir()
    Path("broken.mcap").write_bytes(b"no mcap at all")
    results("sr.mcap")
    results("odd/sr.mcap")
    Path("odd/metrics.json").write_text("no JSON")
    write_bad("bad.mcap")
    before = names(files)
    assert complaint in refused(capfd, ["view", *line.split()])
    assert names(files) == before


def write_bad(path):
    """Depth of an encoding that is none."""
    from rosbags.typesys import Stores, get_typestore

    types = get_typestore(Stores.ROS2_JAZZY)
    make = types.types
    stamp = make["builtin_interfaces/msg/Time"](sec=START // 10**9, nanosec=0)
    header = make["std_msgs/msg/Header"](stamp=stamp, frame_id="depth")
    image = make["sensor_msgs/msg/Image"](
        header=header, height=2, width=2, encoding="odd", is_bigendian=0, step=2, data=np.zeros(4, np.uint8)
    )
    with RecordingWriter(path) as writer:
        data = types.serialize_cdr(image, "sensor_msgs/msg/Image")
        writer.write_serialized("/robself_node/sr/image", "sensor_msgs/msg/Image", data, time_ns=START)


def test_without_the_package_the_extra_is_named(files, capfd, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "rerun_bindings", None)
    results("sr.mcap")
    before = names(files)
    for command in (
        ["view", "sr.mcap", "--save", "a.rrd"],
        ["replay", "rec.mcap", *TOPICS, "-o", "out", "--rerun", "out/a.rrd"],
    ):
        assert "pip install 'robself[view]'" in refused(capfd, command)
        assert names(files) == before


@needs_rerun
def test_a_full_disk_is_told_and_the_file_before_is_kept(files, capfd):  # noqa: F811
    results("sr.mcap", 4, (200, 300))
    Path("a.rrd").write_bytes(b"before")
    before = names(files)
    with disk_with_room_for(20_000):
        line = refused(capfd, ["view", "sr.mcap", "--save", "a.rrd"])
    assert line == "robself: a.rrd: cannot be written: File too large"
    assert names(files) == before and Path("a.rrd").read_bytes() == b"before"


@needs_rerun
def test_ctrl_c_leaves_nothing(tmp_path):
    results(tmp_path / "sr.mcap", 60, (480, 640))
    terminal, its_side = pty.openpty()
    command = [sys.executable, "-m", "robself", "view", "sr.mcap", "--save", "a.rrd"]
    process = subprocess.Popen(command, stderr=its_side, cwd=tmp_path)
    os.close(its_side)
    shown = read_until(terminal, b"/60 images")
    process.send_signal(signal.SIGINT)
    shown += read_until(terminal, None)
    assert process.wait(timeout=60) == 130
    assert b"robself: interrupted" in shown.splitlines()[-1] and b"Traceback" not in shown
    assert names(tmp_path) == ["sr.mcap"]
