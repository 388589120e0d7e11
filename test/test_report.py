"""Reports made from what went in and what came out."""

import json
import math
import re

import cv2
import numpy as np
import pytest
from report_pictures import limits_by_colours, pictures

from robself.errors import OutputError, RecordingError
from robself.output_topics import output_topics
from robself.recording import RecordingWriter
from robself.report import RecordedRun, save_comparison, write_report
from robself.report.frames import MatchedRun
from robself.report.pictures import inspection_figure
from robself.upsampling import bicubic

START, PERIOD = 1_700_000_000 * 10**9, 10**8
SIZE, LOW = (36, 48), (9, 12)
SOURCE, GUIDE, TRUTH = "/depth/image_raw", "/rgb/image_raw", "/truth/image_raw"
TOPICS = output_topics()


def scene():
    """(36, 48) metres: a box before a wall, on a steep floor."""
    truth = np.full(SIZE, 3.0, np.float32)
    truth[24:] = np.linspace(3.0, 0.7, 12)[:, None]
    truth[10:22, 14:30] = 1.5
    return truth


def pooled(image):
    return image.reshape(9, 4, 12, 4).mean(axis=(1, 3)).astype(np.float32)


def stamp(index):
    return START + index * PERIOD


def write_input(path, frames, *, source=SOURCE, source_holes=(), truth=None, truth_every=1, encoding="32FC1"):
    with RecordingWriter(path) as writer:
        for index in range(frames):
            values = pooled(scene())
            for hole in source_holes:
                values[hole] = np.nan
            if encoding == "mono8":
                values = (50 * values).astype(np.uint8)
            writer.write_image(source, values, encoding, stamp_ns=stamp(index))
            writer.write_image(GUIDE, np.full((*SIZE, 3), 9, np.uint8), "rgb8", stamp_ns=stamp(index))
            if truth is not None and index % truth_every == 0:
                writer.write_image(TRUTH, truth, "32FC1", stamp_ns=stamp(index))
    return path


def write_output(path, stamps, sr, *, encoding="32FC1", unit="m", **status):
    with RecordingWriter(path) as writer:
        for at in stamps:
            writer.write_image(TOPICS.sr, sr, encoding, stamp_ns=at)
            writer.write_image(TOPICS.guide_aligned, np.full((*SIZE, 3), 99, np.uint8), "rgb8", stamp_ns=at)
            content = {name: value(at) if callable(value) else value for name, value in status.items()}
            writer.write_status(TOPICS.status, {"consistency_unit": unit, **content}, stamp_ns=at)
    return path


@pytest.fixture
def run(tmp_path):
    """Three frames whose SR is 0.1 m too far everywhere."""
    return RecordedRun(
        write_input(tmp_path / "in.mcap", 3, truth=scene()),
        write_output(tmp_path / "sr.mcap", map(stamp, range(3)), scene() + np.float32(0.1)),
        SOURCE,
        GUIDE,
        TRUTH,
    )


def test_errors_are_those_of_bicubic_and_sr_over_the_same_pixels(tmp_path):
    truth, sr = scene(), scene() + np.float32(0.1)
    truth[0:5], sr[5:10] = np.nan, np.nan
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 1, source_holes=[(4, 4)], truth=truth),
        write_output(tmp_path / "sr.mcap", [START], sr),
        SOURCE,
        GUIDE,
        TRUTH,
    )
    frame = write_report(run, tmp_path / "out", pictures=0)["frames"][0]

    low = pooled(scene())
    valid = np.ones(LOW, bool)
    valid[4, 4] = False
    judged = np.kron(valid, np.ones((4, 4))).astype(bool)
    judged[:10] = False
    difference = (bicubic(low, valid, SIZE) - scene())[judged]
    assert frame["judged_pixels"] == judged.sum() == 26 * 48 - 16
    assert frame["bicubic"]["rmse"] == pytest.approx(np.sqrt(np.mean(difference**2)), rel=1e-5)
    assert frame["bicubic"]["mae"] == pytest.approx(np.abs(difference).mean(), rel=1e-5)
    assert frame["sr"]["rmse"] == pytest.approx(0.1, rel=1e-5)


def test_the_summary_is_over_the_frames_that_have_a_truth(tmp_path):
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 3, truth=scene(), truth_every=2),
        write_output(tmp_path / "sr.mcap", map(stamp, range(3)), scene() + np.float32(0.1)),
        SOURCE,
        GUIDE,
        TRUTH,
    )
    metrics = write_report(run, tmp_path / "out", pictures=0)
    rmse = metrics["summary"]["rmse"]
    assert [frame["sr"] is None for frame in metrics["frames"]] == [False, True, False]
    assert rmse["frames"] == 2
    assert rmse["sr"]["mean"] == pytest.approx(0.1, rel=1e-5) and rmse["sr"]["std"] == pytest.approx(
        0, abs=1e-9
    )
    assert rmse["ratio"] == pytest.approx(0.1 / rmse["bicubic"]["mean"], rel=1e-5)
    assert metrics["summary"]["unit"] == "m"


def test_frames_are_matched_by_stamp_and_every_pair_is_accounted_for(tmp_path):
    stranger = START + PERIOD // 2
    stamps = [stamp(1), stranger, stamp(4)]
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 6, truth=scene()),
        write_output(tmp_path / "sr.mcap", sorted(stamps), scene(), dropped_replaced=1, dropped_stale=2),
        SOURCE,
        GUIDE,
        TRUTH,
    )
    metrics = write_report(run, tmp_path / "out", pictures=0)
    assert [frame["stamp_ns"] for frame in metrics["frames"]] == [stamp(1), stamp(4)]
    assert metrics["summary"]["pairs"] == {
        "in": 6,
        "used": 2,
        "dropped": {"replaced": 1, "stale": 2, "unaccounted": 1},
    }
    assert metrics["summary"]["outputs_without_a_pair"] == 1


def test_causes_that_are_told_take_the_place_of_the_counted_ones(tmp_path):
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 3),
        write_output(tmp_path / "sr.mcap", [START], scene(), dropped_replaced=2),
        SOURCE,
        GUIDE,
    )
    summary = write_report(run, tmp_path / "out", dropped={"no valid pixel": 2}, pictures=0)["summary"]
    assert summary["pairs"]["dropped"] == {"no valid pixel": 2}


def test_what_the_status_says_is_in_the_frames_and_the_summary(tmp_path):
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 5),
        write_output(
            tmp_path / "sr.mcap",
            map(stamp, range(5)),
            scene(),
            mode=lambda at: int(at != START),
            warm=lambda at: at != START,
            fallback=lambda at: at == stamp(3),
            iterations=lambda at: 0 if at != START else 40,
            consistency_before=0.5,
            consistency_after=0.25,
            latency_seconds=lambda at: (at - START) / 10**9 + 1,
            processing_seconds=0.5,
            device="cpu",
        ),
        SOURCE,
        GUIDE,
    )
    metrics = write_report(run, tmp_path / "out", pictures=0)
    first, last, summary = metrics["frames"][0], metrics["frames"][-1], metrics["summary"]
    assert (first["mode"], first["warm"], first["iterations"]) == ("keyframe", False, 40)
    assert (last["mode"], last["warm"], last["iterations"]) == ("track", True, 0)
    assert (summary["keyframes"], summary["tracked"], summary["fallbacks"]) == (1, 4, 1)
    assert summary["latency_seconds"]["p50"] == pytest.approx(1.2)
    assert summary["latency_seconds"]["p95"] == pytest.approx(1.38)
    assert summary["consistency"]["before"]["mean"] == 0.5 and summary["consistency"]["after"]["mean"] == 0.25
    assert (summary["device"], summary["iterations"]) == ("cpu", 40)


def test_without_statuses_there_still_is_a_report(tmp_path):
    with RecordingWriter(tmp_path / "sr.mcap") as writer:
        writer.write_image(TOPICS.sr, scene(), "32FC1", stamp_ns=START)
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 1, truth=scene()), tmp_path / "sr.mcap", SOURCE, GUIDE, TRUTH
    )
    metrics = write_report(run, tmp_path / "out")
    assert metrics["frames"][0]["mode"] is None and metrics["frames"][0]["sr"]["rmse"] == 0
    assert len(pictures(tmp_path / "out")) == 1


def test_nir_is_judged_in_counts(tmp_path):
    with RecordingWriter(tmp_path / "in.mcap") as writer:
        writer.write_image(SOURCE, np.full(LOW, 100, np.uint8), "mono8", stamp_ns=START)
        writer.write_image(GUIDE, np.zeros((*SIZE, 3), np.uint8), "rgb8", stamp_ns=START)
        writer.write_image(TRUTH, np.full(SIZE, 103, np.uint8), "mono8", stamp_ns=START)
    sr = np.full(SIZE, 104, np.uint8)
    write_output(tmp_path / "sr.mcap", [START], sr, encoding="mono8", unit="intensity")
    run = RecordedRun(tmp_path / "in.mcap", tmp_path / "sr.mcap", SOURCE, GUIDE, TRUTH)
    metrics = write_report(run, tmp_path / "out", pictures=0)
    assert metrics["summary"]["unit"] == "intensity"
    assert metrics["frames"][0]["bicubic"]["rmse"] == 3 and metrics["frames"][0]["sr"]["mae"] == 1


def test_a_truth_of_another_size_is_taken_by_its_nearest_pixel(tmp_path):
    finer = np.kron(scene(), np.ones((3, 3), np.float32))
    # Moved by less than half a pixel of the SR image: the pixel at each centre stays the same.
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 1, truth=np.roll(finer, 1, axis=(0, 1))),
        write_output(tmp_path / "sr.mcap", [START], scene()),
        SOURCE,
        GUIDE,
        TRUTH,
    )
    metrics = write_report(run, tmp_path / "out", pictures=0)
    assert metrics["summary"]["truth_size"] == [144, 108]
    assert metrics["frames"][0]["sr"]["rmse"] == 0


def test_depths_out_of_range_are_no_measurement(tmp_path):
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 1, truth=scene()),
        write_output(tmp_path / "sr.mcap", [START], scene()),
        SOURCE,
        GUIDE,
        TRUTH,
        depth_max=1.6,
    )
    measured = (pooled(scene()) <= 1.6).sum()
    assert 0 < measured < pooled(scene()).size
    assert write_report(run, tmp_path / "out", pictures=0)["frames"][0]["judged_pixels"] == 16 * measured


def test_only_the_pairs_up_to_the_limit_are_looked_at(run, tmp_path):
    limited = RecordedRun(run.input_bag, run.output_bag, SOURCE, GUIDE, TRUTH, limit=2)
    assert write_report(limited, tmp_path / "out", pictures=0)["summary"]["pairs"]["in"] == 2


def test_metrics_json_is_what_is_returned_and_strict(tmp_path):
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 1),
        write_output(tmp_path / "sr.mcap", [START], scene(), latency_seconds=math.nan),
        SOURCE,
        GUIDE,
    )
    metrics = write_report(run, tmp_path / "deep" / "out", settings={"preset": "robot"}, pictures=0)

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = (tmp_path / "deep" / "out" / "metrics.json").read_text()
    written = json.loads(text, parse_constant=refuse)
    assert written["frames"][0]["latency_seconds"] is None and written["summary"]["rmse"] is None
    assert written["summary"]["settings"] == {"preset": "robot"}
    assert written["frames"][0]["stamp_ns"] == metrics["frames"][0]["stamp_ns"] == START


def test_the_page_needs_nothing_beside_it(run, tmp_path):
    write_report(run, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert not re.search(r"<script|<link|@import|url\(", page)
    assert all(source.startswith("data:image/") for source in re.findall(r'(?:src|href)="([^"]*)"', page))
    shown = pictures(tmp_path / "out")
    assert len(shown) == 3 and all(picture.std() > 20 for picture in shown)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["metrics.json", "report.html"]


def test_a_long_run_is_pictured_from_its_first_to_its_last_frame(tmp_path):
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 10),
        write_output(tmp_path / "sr.mcap", map(stamp, range(10)), scene()),
        SOURCE,
        GUIDE,
    )
    write_report(run, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert re.findall(r"Frame (\d+) of 10", page) == ["1", "4", "7", "10"]


def test_names_from_a_recording_cannot_become_markup(tmp_path):
    topic = "/depth/<img src=x onerror=alert(1)>/image"
    run = RecordedRun(
        write_input(tmp_path / "in.mcap", 1, source=topic),
        write_output(tmp_path / "sr.mcap", [START], scene(), device="<b>cpu</b>"),
        topic,
        GUIDE,
    )
    write_report(
        run, tmp_path / "out", dropped={"<i>odd</i>": 1}, settings={"preset": "<u>x</u>"}, pictures=0
    )
    page = (tmp_path / "out" / "report.html").read_text()
    assert "&lt;img src=x" in page and "&lt;b&gt;cpu" in page and "&lt;i&gt;odd" in page
    assert not re.search(r"<(img src=x|b>|i>|u>)", page)


def test_images_and_errors_are_drawn_on_common_scales(run):
    (frame, *_) = [step.frame for step in MatchedRun(run)]
    figure = inspection_figure(frame, "depth")
    ranges = limits_by_colours(figure)
    assert {name: len(limits) for name, limits in ranges.items()} == {"turbo": 1, "inferno": 1}
    bars = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert set(bars) == {"depth (m)", "absolute error (mm)"}
    assert any("RMSE 100 mm" in axis.get_title() for axis in figure.axes)


def test_the_crop_is_where_the_edges_are(run):
    (frame, *_) = [step.frame for step in MatchedRun(run)]
    crops = [
        image.get_array()
        for axis in inspection_figure(frame, "depth").axes
        for image in axis.images
        if image.get_array().shape[:2] == (11, 14)
    ]
    assert len(crops) == 7  # source, bicubic, SR, truth, guide and two errors
    truth = crops[3]
    assert set(np.unique(truth)) == {np.float32(1.5), np.float32(3.0)}


def test_a_comparison_is_one_picture(run, tmp_path):
    save_comparison(tmp_path / "picture.png", run)
    picture = cv2.imread(str(tmp_path / "picture.png"))
    assert picture.shape[1] > picture.shape[0] > 300 and picture.std() > 20


def test_a_frame_that_does_not_exist_cannot_be_compared(run, tmp_path):
    with pytest.raises(RecordingError, match=r"sr\.mcap: no frame 7"):
        save_comparison(tmp_path / "picture.png", run, frame=7)
    assert not (tmp_path / "picture.png").exists()


def test_an_output_without_super_resolved_images_is_told(tmp_path):
    with RecordingWriter(tmp_path / "sr.mcap") as writer:
        writer.write_image("/other", scene(), "32FC1", stamp_ns=START)
    run = RecordedRun(write_input(tmp_path / "in.mcap", 1), tmp_path / "sr.mcap", SOURCE, GUIDE)
    with pytest.raises(RecordingError, match=r"sr\.mcap: no topic '/robself_node/sr/image'"):
        write_report(run, tmp_path / "out", pictures=0)
    assert not (tmp_path / "out").exists()


def test_a_report_that_cannot_be_written_is_told(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/out: cannot be made: Not a directory"):
        write_report(run, tmp_path / "file" / "out", pictures=0)
