"""The command line as a user types it."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from robself.cli import run
from robself.provenance import versions
from robself.recording import RecordingReader, RecordingWriter

LOW, SIZE = (9, 12), (18, 24)
TOPICS = ["--source-topic", "/depth/image_raw", "--guide-topic", "/rgb/image_raw"]
START = 1_700_000_000 * 10**9


def millimetres():
    depth = np.full(LOW, 2000, np.uint16)
    depth[3:7, 3:7], depth[0, 0] = 1250, 0
    return depth


def colour():
    rows, columns = np.indices(SIZE)
    image = np.stack([rows * 9, columns * 8, rows + columns], -1).astype(np.uint8)
    image[6:14, 6:14] = 220
    return image


@pytest.fixture
def files(tmp_path, monkeypatch):
    """depth.png (mm), depth_m.npy, rgb.png and rec.mcap in the current folder."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("depth.png", millimetres())
    np.save("depth_m.npy", (millimetres() / 1000).astype(np.float32))
    cv2.imwrite("rgb.png", cv2.cvtColor(colour(), cv2.COLOR_RGB2BGR))
    with RecordingWriter("rec.mcap") as writer:
        for stamp in (START, START + 10**8):
            writer.write_image("/depth/image_raw", millimetres(), "16UC1", stamp_ns=stamp, frame_id="depth")
            writer.write_image("/rgb/image_raw", colour(), "rgb8", stamp_ns=stamp, frame_id="rgb")
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def robself(*arguments, cwd):
    """The command in a process of its own; colcon installs it where only `ros2 run` looks."""
    return subprocess.run(
        [sys.executable, "-m", "robself", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_depth_png_becomes_a_larger_one_in_millimetres(files):
    done = robself("sr", "depth.png", "rgb.png", "-o", "sr.png", "--iterations", 3, cwd=files)
    assert done.returncode == 0, done.stderr
    sr = cv2.imread("sr.png", cv2.IMREAD_UNCHANGED)
    assert (sr.shape, sr.dtype) == (SIZE, np.uint16)
    assert (sr[:2, :2] == 0).all()  # the hole
    assert 1250 < np.median(sr) < 2250
    assert done.stdout.startswith("sr.png: 24x18 from 12x9, 3 iterations in ")
    assert "optimising" in done.stderr


def test_json_is_all_there_is_on_stdout(files, capsys):
    assert run(["sr", "depth_m.npy", "rgb.png", "-o", "sr.npy", "--iterations", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(files / "sr.npy")
    assert (told["source_size"], told["guide_size"], told["sr_size"]) == ([12, 9], [24, 18], [24, 18])
    assert told["info"]["iterations"] == 2 and told["info"]["preset"] == "robot"
    sr = np.load("sr.npy")
    assert sr.dtype == np.float32 and np.isnan(sr[0, 0]) and 1.25 < np.nanmedian(sr) < 2.25  # metres


def test_the_options_reach_the_result(files, capsys):
    options = (
        "--preset task3_x2 --variant de --schedule paper --seed 5 --device cpu --modality depth --scale 1.5"
    )
    assert (
        run(["sr", "depth.png", "rgb.png", "-o", "sr.tif", "--iterations", "1", "--json", *options.split()])
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    expected = {"preset": "task3_x2", "variant": "de", "schedule": "paper", "seed": 5, "modality": "depth"}
    assert expected.items() <= told["info"].items()
    assert told["sr_size"] == [18, 14]


def test_a_budget_ends_the_optimisation(files, capsys):
    assert run(["sr", "depth.png", "rgb.png", "-o", "sr.png", "--budget", "0.5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["info"]["stopped_by"] == "deadline"


def test_by_products_are_written_if_asked_for(files):
    by_products = ["--aligned-guide", "a.png", "--translated", "t.pfm", "--displacement", "d.npy"]
    assert run(["sr", "depth.png", "rgb.png", "-o", "sr.pfm", "--iterations", "1", *by_products]) == 0
    assert cv2.imread("a.png").shape == (*SIZE, 3)
    translated = cv2.imread("t.pfm", cv2.IMREAD_UNCHANGED)
    assert (translated.shape, translated.dtype) == (SIZE, np.float32)
    displacement = np.load("d.npy")
    assert (displacement.shape, displacement.dtype) == ((*SIZE, 2), np.float32)


def test_metres_into_a_png_are_refused_before_the_work_and_scaled_if_so_asked(files, capsys):
    command = ["sr", "depth_m.npy", "rgb.png", "-o", "sr.png", "--iterations", "1"]
    assert run(command) == 2
    assert "--png-scale (1000 turns metres into millimetres)" in capsys.readouterr().err
    assert not Path("sr.png").exists()
    assert run([*command, "--png-scale", "1000"]) == 0
    assert 1250 < np.median(cv2.imread("sr.png", cv2.IMREAD_UNCHANGED)) < 2250


BAD = {
    "no source": ("sr none.png rgb.png -o sr.png", "none.png: cannot be read: No such file"),
    "no image": ("sr rec.mcap rgb.png -o sr.png", "rec.mcap: not a source's file, expected .png"),
    "colour source": ("sr rgb.png rgb.png -o sr.png", "rgb.png: shape (18, 24, 3), expected one image"),
    "no guide": ("sr depth.png depth_m.npy -o sr.png", "depth_m.npy: damaged or of another kind"),
    "small guide": ("sr depth.png small.png -o sr.png", "guide: 6x4 is smaller than the source's 12x9"),
    "empty depth": ("sr empty.png rgb.png -o sr.png", "none of its 108 pixels is valid (source empty.png"),
    "extension": ("sr depth.png rgb.png -o sr.jpg", "sr.jpg: extension '.jpg', expected .png, .npy"),
    "no folder": ("sr depth.png rgb.png -o no/sr.png", "no/sr.png: cannot be written: there is no folder no"),
    "itself": ("sr depth.png rgb.png -o ./depth.png", "depth.png: is named twice"),
    "by-product": ("sr depth.png rgb.png -o sr.png --displacement d.png", "d.png: extension '.png', expected .npy"),
    "preset": ("sr depth.png rgb.png -o sr.png --preset robo", "preset: 'robo' is unknown, expected one of task1_x4"),
    "device": ("sr depth.png rgb.png -o sr.png --device abacus", "device: 'abacus' cannot be used"),
    "budget": ("sr depth.png rgb.png -o sr.png --budget 0", "budget_seconds: 0.0, expected more than 0"),
    "scale": ("sr depth.png rgb.png -o sr.png --scale 0.5", "scale: 0.5, expected at least 1"),
    "number": ("sr depth.png rgb.png -o sr.png --iterations some", "Invalid value for '--iterations'"),
    "output": ("sr depth.png rgb.png", "Missing option '-o' / '--output'"),
    "option": ("sr depth.png rgb.png -o sr.png --preste robot", "No such option: --preste"),
    "command": ("srr depth.png", "No such command 'srr'"),
    "no bag": ("replay none.mcap -o out {topics}", "none.mcap: no such recording"),
    "bad bag": ("replay broken.mcap -o out {topics}", "broken.mcap: cannot be read"),
    "no topic": ("replay rec.mcap -o out --source-topic /deph/image_raw --guide-topic /rgb/image_raw",
                 "did you mean /depth/image_raw?"),
    "type": ("replay typed.mcap -o out --source-topic /depth/camera_info --guide-topic /rgb/image_raw",
             "'/depth/camera_info' is sensor_msgs/msg/CameraInfo, expected sensor_msgs/msg/Image"),
    "place": ("replay rec.mcap -o rgb.png {topics}", "rgb.png/sr.mcap: cannot be written"),
    "range": ("replay rec.mcap -o out --depth-min 3 --depth-max 2 {topics}", "depth_min 3 m, depth_max 2 m"),
    "slop": ("replay rec.mcap -o out --slop 0 {topics}", "slop_seconds: 0.0"),
    "demo": ("demo none.mcap", "none.mcap: no such recording"),
    "picture": ("demo --picture p.jpg", "p.jpg: extension '.jpg', expected .png"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "complaint"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_code_2(files, capfd, line, complaint):
    cv2.imwrite("small.png", np.zeros((4, 6, 3), np.uint8))
    cv2.imwrite("empty.png", np.zeros(LOW, np.uint16))
    Path("broken.mcap").write_bytes(b"no mcap at all")
    write_typed("typed.mcap")
    before = names(files)
    assert run(line.format(topics=" ".join(TOPICS)).split()) == 2
    out, err = capfd.readouterr()
    assert complaint in err
    assert err.count("\n") == 1 and err.startswith("robself: ") and out == ""
    assert names(files) == before


def write_typed(path):
    from robself.camera_model import CameraModel

    with RecordingWriter(path) as writer:
        camera = CameraModel(12, 9, np.array([[10.0, 0, 5.5], [0, 10.0, 4.0], [0, 0, 1]]))
        writer.write_camera_info("/depth/camera_info", camera, stamp_ns=START)
        writer.write_image("/rgb/image_raw", colour(), "rgb8", stamp_ns=START)


def test_a_bag_in_a_bag_and_a_report_out(files):
    command = ["replay", "rec.mcap", *TOPICS, "-o", "out", "--first-iterations", 2, "--iterations", 1]
    done = robself(*command, "--json", cwd=files)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["summary"]["pairs"] == {"in": 2, "used": 2, "dropped": {}}
    assert names(files / "out") == ["metrics.json", "report.html", "sr.mcap"]
    assert told["files"]["sr.mcap"] == str(files / "out" / "sr.mcap")
    reader = RecordingReader("out/sr.mcap")
    assert [image.array.shape for image in reader.images("/robself_node/sr/image")] == [SIZE, SIZE]
    assert "2/2 pairs" in done.stderr and "taken as it is" in done.stderr


def test_a_replay_tells_what_was_dropped(files, capsys):
    with RecordingWriter("holes.mcap") as writer:
        for stamp, depth in ((START, millimetres()), (START + 10**8, np.zeros(LOW, np.uint16))):
            writer.write_image("/depth/image_raw", depth, "16UC1", stamp_ns=stamp)
            writer.write_image("/rgb/image_raw", colour(), "rgb8", stamp_ns=stamp)
    quick = ["--first-iterations", "1", "--pictures", "0"]
    assert run(["replay", "holes.mcap", *TOPICS, "-o", "out", *quick]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 of 2 pairs super-resolved")
    assert "1 dropped: source: none of its 108 pixels is valid" in out
    assert out.endswith(f"report: {files / 'out' / 'report.html'}\n")


@pytest.mark.ros
def test_the_demo_reports_what_the_node_published_and_saves_a_picture(files):
    options = ["--device", "cpu", "--iterations", 2, "-o", "out", "--picture", "picture.png", "--json"]
    done = robself("demo", "rec.mcap", *TOPICS, *options, cwd=files)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["report"] == str(files / "out" / "report.html")
    assert told["summary"]["pairs"]["in"] == 2 and told["summary"]["pairs"]["used"] >= 1
    assert cv2.imread("picture.png").std() > 20


@pytest.mark.parametrize("command", ["replay rec.mcap -o out", "demo rec.mcap"])
def test_without_topics_the_images_are_listed(files, capsys, command):
    assert run(command.split()) == 2
    out, err = capsys.readouterr()
    assert "/depth/image_raw  16UC1 12x9, 2 images" in err and "/rgb/image_raw  rgb8 24x18, 2 images" in err
    assert err.splitlines()[-1].startswith(
        f"robself: which topics? robself {command.split()[0]} rec.mcap --source"
    )
    assert out == "" and "out" not in names(files)


@pytest.mark.parametrize(
    ("command", "bar", "result"),
    [
        ("sr depth.png rgb.png -o sr.png --iterations 100000", b"loss 0", "sr.png"),
        ("replay rec.mcap -o out --first-iterations 100000 {topics}", b"0/2 pairs", "out/sr.mcap"),
    ],
    ids=["sr", "replay"],
)
def test_ctrl_c_at_a_terminal_ends_with_code_130_and_no_result(files, command, bar, result):
    terminal, its_side = pty.openpty()
    line = command.format(topics=" ".join(TOPICS)).split()
    process = subprocess.Popen([sys.executable, "-m", "robself", *line], stderr=its_side, cwd=files)
    os.close(its_side)
    shown = read_until(terminal, bar)
    process.send_signal(signal.SIGINT)
    shown += read_until(terminal, None)
    assert process.wait(timeout=60) == 130
    assert b"robself: interrupted" in shown.splitlines()[-1] and b"Traceback" not in shown
    assert not (files / result).exists()
    assert not list(files.rglob(".*"))  # nothing half-written under another name


def read_until(terminal, awaited):
    """What a program shows until the awaited text comes; None: until it ends."""
    shown = b""
    while awaited is None or awaited not in shown:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # how Linux tells that the other side is closed
            assert awaited is None, shown
            break
    return shown


def test_help_has_examples_and_loads_nothing_heavy(files):
    code = """
import sys
from robself.cli import run
for command in ([], ["sr"], ["replay"], ["view"], ["demo"]):
    run([*command, "--help"])
heavy = {"torch", "matplotlib", "rosbags", "cv2", "jinja2", "rerun"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    for example in (
        "robself sr depth.png rgb.png -o sr.png",
        "robself replay rec.mcap -o out",
        "robself view out --save run.rrd",
        "robself demo\n",
    ):
        assert example in "\n".join(line.strip() for line in done.stdout.splitlines()) + "\n"
    for option in ("--preset", "--png-scale", "--keyframe-every", "--rpy", "--picture"):
        assert option in done.stdout


def test_the_version_is_the_package_s(files, capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"robself {versions()['robself']}\n"


def test_the_package_runs_as_a_module(files):
    done = subprocess.run(
        [sys.executable, "-m", "robself", "sr"], cwd=files, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "robself: Missing argument 'source'. (see robself sr --help)\n"
