import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from robself.camera_model import CameraModel
from robself.demo import Demo, run_demo
from robself.demo.stream import pace_on
from robself.errors import ConfigError, RecordingError, RobSelfError
from robself.output_topics import output_topics
from robself.recording import RecordingReader, RecordingWriter

pytestmark = pytest.mark.ros
PATIENCE_SECONDS = 120.0
FRAMES = 3
TOPICS = {"source_topic": "/depth/image_raw", "guide_topic": "/rgb/image_raw", "gt_topic": "/truth/image_raw"}
RESULTS = {"report.html", "metrics.json", "sr.mcap", "node.log"}


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A box that moves over a slanted floor: 24x18 depth, 48x36 colour and truth, after 0, 8 and 12 s."""
    path = tmp_path_factory.mktemp("bag") / "in.mcap"
    camera = CameraModel(width=24, height=18, K=np.array([[20, 0, 11.5], [0, 20, 8.5], [0, 0, 1.0]]))
    with RecordingWriter(path) as writer:
        for index, second in enumerate((0, 8, 12)):
            header = {"stamp_ns": (1_700_000_000 + second) * 10**9, "frame_id": "camera"}
            truth = np.tile(np.linspace(1, 3, 48, dtype=np.float32), (36, 1))
            truth[11:26, 13 + index : 28 + index] = 0.8
            depth = np.uint16(1000 * truth.reshape(18, 2, 24, 2).mean(axis=(1, 3)))
            rgb = np.repeat((80 * truth).astype(np.uint8)[..., None], 3, axis=2)
            writer.write_camera_info("/depth/camera_info", camera, **header)
            writer.write_image("/depth/image_raw", depth, "16UC1", **header)
            writer.write_image("/truth/image_raw", truth, "32FC1", **header)
            writer.write_camera_info("/rgb/camera_info", camera.scaled(48, 36), **header)
            writer.write_image("/rgb/image_raw", rgb, "rgb8", **header)
    return path


@pytest.fixture(scope="module")
def demo(bag, tmp_path_factory) -> Demo:
    """Of that recording, into a folder that holds an older report and something of the user's."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    folder.mkdir()
    for name in ("report.html", "metrics.json", "notes.txt", "recording.mcap"):
        (folder / name).write_text("older")
    return run_demo(folder, bag=bag, **TOPICS, device="cpu", iterations=2)


def test_every_pair_goes_through_the_node(demo):
    summary = demo.metrics["summary"]
    assert summary["pairs"] == {"in": FRAMES, "used": FRAMES, "dropped": {}}
    assert [frame["iterations"] for frame in demo.metrics["frames"]] == [2] * FRAMES
    assert summary["rmse"]["frames"] == FRAMES
    assert [frame["sr_size"] for frame in demo.metrics["frames"]] == [[48, 36]] * FRAMES


def test_latency_is_real_time_although_the_stamps_are_old(demo):
    for frame in demo.metrics["frames"]:
        assert -0.2 < frame["latency_seconds"] - frame["processing_seconds"] < 5


def test_what_the_node_published_is_recorded_under_the_stamps_of_its_sources(bag, demo):
    sources = [image.stamp_ns for image in RecordingReader(bag).images("/depth/image_raw")]
    recording = RecordingReader(demo.report.with_name("sr.mcap"))
    for topic in output_topics():
        assert [message.time_ns for message in recording.messages([topic])] == sources, topic


def test_a_demo_replaces_its_own_files_and_no_other(demo):
    folder = demo.report.parent
    assert {file.name for file in folder.iterdir()} == {*RESULTS, "notes.txt", "recording.mcap"}
    assert json.loads((folder / "metrics.json").read_text())["summary"]["pairs"]["used"] == FRAMES
    assert demo.report.read_text().startswith("<!")
    for name in ("notes.txt", "recording.mcap"):
        assert (folder / name).read_text() == "older"


def test_the_table_tells_counts_latency_and_errors(demo):
    rows = dict(zip(*(list(column.cells) for column in demo.table().columns), strict=True))
    assert (rows["pairs in"], rows["pairs used"], rows["pairs dropped"]) == ("3", "3", "0")
    assert re.fullmatch(r"\d+\.\d\d s", rows["latency p95"])
    assert float(rows["RobSelf / bicubic"]) == pytest.approx(
        float(rows["RMSE RobSelf"].split()[0]) / float(rows["RMSE bicubic"].split()[0]), abs=0.01
    )


def test_the_built_in_recording_is_rendered_played_and_reported(tmp_path):
    done = command("demo", "-o", tmp_path, "--frames", 1, "--iterations", 1, "--device", "cpu")
    said, errors = done.communicate(timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, errors
    assert said.splitlines()[-1].endswith(str(tmp_path / "report.html"))
    assert {file.name for file in tmp_path.iterdir()} == {*RESULTS, "recording.mcap"}
    summary = json.loads((tmp_path / "metrics.json").read_text())["summary"]
    assert summary["pairs"] == {"in": 1, "used": 1, "dropped": {}}
    assert summary["truth_size"] == [384, 288]


def test_an_interrupted_demo_leaves_no_process_and_no_results(tmp_path):
    mark = f"demo_of_{tmp_path}"
    running = command("demo", "-o", tmp_path, "--frames", 1, "--device", "cpu", mark=mark)
    wait_for(lambda: "registered" in text_of(tmp_path / "node.log"), "the node at work")
    assert len(marked_processes(mark)) >= 4
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 130, errors
    assert marked_processes(mark) == []
    assert {file.name for file in tmp_path.iterdir()} == {"node.log", "recording.mcap"}


def test_a_node_that_refuses_to_start_is_told_with_what_it_said(bag, tmp_path, capfd):
    with pytest.raises(RobSelfError, match=r"the node ended with exit code 2: .*budget.first_iterations.*-1"):
        run_demo(tmp_path, bag=bag, **TOPICS, device="cpu", iterations=-1)
    assert "budget.first_iterations" in capfd.readouterr().err
    assert {file.name for file in tmp_path.iterdir()} == {"node.log"}


@pytest.mark.parametrize(
    "topics, error, said",
    [
        ({}, ConfigError, "its images are /depth/image_raw, /rgb/image_raw, /truth/image_raw"),
        (TOPICS | {"guide_topic": "/rgb/image"}, RecordingError, "no topic '/rgb/image', expected one of"),
        (TOPICS | {"gt_topic": "/depth/camera_info"}, RecordingError, "is sensor_msgs/msg/CameraInfo"),
    ],
)
def test_topics_that_are_not_there_are_told_before_anything_starts(bag, tmp_path, topics, error, said):
    with pytest.raises(error, match=said):
        run_demo(tmp_path / "out", bag=bag, **topics)
    assert not (tmp_path / "out").exists()


def test_a_recording_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RecordingError, match=r"nowhere.mcap: no such recording"):
        run_demo(tmp_path, bag=tmp_path / "nowhere.mcap", **TOPICS)


def test_a_recording_is_not_replaced_by_its_own_result(bag, tmp_path):
    mine = tmp_path / "sr.mcap"
    mine.write_bytes(bag.read_bytes())
    with pytest.raises(ConfigError, match="expected another output folder"):
        run_demo(tmp_path, bag=mine, **TOPICS)
    assert mine.read_bytes() == bag.read_bytes()


def test_without_ros_the_demo_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    with pytest.raises(RobSelfError, match=r"needs ROS 2: pip install 'robself\[ros\]'"):
        run_demo(tmp_path)


def test_the_demo_itself_needs_no_ros():
    code = "import robself.demo.chain, robself_ros.dds, sys; sys.exit('rclpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def command(*arguments: object, mark: str = "") -> subprocess.Popen:
    """`robself …`, in a session of its own as in a terminal of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "robself", *map(str, arguments)],
        env={**os.environ, "DEMO_MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def marked_processes(mark: str) -> list[str]:
    """Command lines of the processes that have inherited the mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"DEMO_MARK={mark}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has just ended, or is another user's
            continue
    return found


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


@pytest.mark.parametrize("dtype, longer", [(torch.bfloat16, 1), (torch.float32, 5 / 3)])
def test_a_cpu_that_computes_in_float32_has_more_time(monkeypatch, dtype, longer):
    monkeypatch.setattr("robself.demo.stream.compute_type", lambda device: dtype)
    pace = pace_on("cpu", None)
    assert pace.period == pytest.approx(3.0 * longer) and pace.standstill == pytest.approx(75.0 * longer)
