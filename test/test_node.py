"""What one node does with the images of two cameras, over DDS."""

import re

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from robot import (
    DEPTH_METRES,
    GUIDE_SIZE,
    RELIABLE,
    SOURCE_SIZE,
    Robot,
    image,
    pixels_of,
    values_of,
)
from robself_ros.msg import Status

from robself.status import MODES
from robself_ros.conversions import guide_encodings

pytestmark = pytest.mark.ros
PASS_THROUGH = MODES["pass_through"]


@pytest.fixture(scope="module")
def robot(node):
    """Met, and past its first keyframe."""
    with Robot(node.domain).meet() as robot:
        robot.exchange()
        yield robot


@pytest.fixture(autouse=True)
def anew(robot):
    assert robot.reset().success


def test_sr_has_the_sources_stamp_frame_and_encoding_and_the_guides_size(robot):
    sr = robot.result(robot.exchange(), "sr")
    assert sr.header.frame_id == "source_optical_frame"
    assert sr.encoding == "16UC1"
    assert (sr.height, sr.width) == GUIDE_SIZE


@pytest.mark.parametrize("encoding, unit", [("16UC1", 1e-3), ("mono16", 1e-3), ("32FC1", 1.0)])
def test_depth_keeps_its_encoding_and_its_unit(robot, encoding, unit):
    stamp = robot.exchange(robot.source(encoding))
    for name in ("sr", "translated"):
        message = robot.result(stamp, name)
        assert message.encoding == encoding
        assert message.is_bigendian == 0
    metres = pixels_of(robot.result(stamp, "sr")) * unit
    assert metres.min() == pytest.approx(DEPTH_METRES[0], abs=0.2)
    assert metres.max() == pytest.approx(DEPTH_METRES[1], abs=0.2)


def test_holes_stay_holes(robot):
    source = robot.source("32FC1")
    metres = pixels_of(source).copy()
    metres[:, :12] = np.nan
    source.data = metres.tobytes()
    sr = pixels_of(robot.result(robot.exchange(source), "sr"))
    assert np.isnan(sr[:, :20]).all()
    assert np.isfinite(sr[:, 28:]).all()


def test_padded_rows_and_big_endian_pixels_are_read(robot):
    source = robot.source("16UC1")
    rows = pixels_of(source).astype(">u2").view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, 7)), constant_values=255)
    source.data, source.step, source.is_bigendian = padded.tobytes(), padded.shape[1], 1
    sr = pixels_of(robot.result(robot.exchange(source), "sr"))
    assert sr.min() > 900 and sr.max() < 3200


@pytest.mark.parametrize("encoding", guide_encodings())
def test_a_guide_of_any_encoding_is_aligned_as_rgb_in_the_sources_frame(robot, encoding):
    guide = image(np.tile(red_tile(encoding), (GUIDE_SIZE[0] // 2, GUIDE_SIZE[1] // 2, 1)), encoding)
    aligned = robot.result(robot.exchange(guide=guide), "guide_aligned")
    assert aligned.encoding == "rgb8"
    assert (aligned.height, aligned.width) == GUIDE_SIZE
    assert aligned.header.frame_id == "source_optical_frame"
    seen = (76, 76, 76) if encoding in ("mono8", "8UC1", "mono16") else (255, 0, 0)
    assert np.abs(pixels_of(aligned).astype(int) - seen).max() <= 3


def red_tile(encoding):
    """(2, 2, channels): what a camera of that encoding sends of a red wall."""
    if encoding.startswith("bayer"):
        full = 65535 if encoding.endswith("16") else 255
        mosaic = [full if letter == "r" else 0 for letter in encoding[len("bayer_") :][:4]]
        return np.array(mosaic, np.uint16 if full > 255 else np.uint8).reshape(2, 2, 1)
    if encoding.startswith(("yu", "uy")):  # BT.601: Y 81, U 90, V 240
        luminance_first = encoding in ("yuyv", "yuv422_yuy2")
        pairs = [(81, 90), (81, 240)] if luminance_first else [(90, 81), (240, 81)]
        return np.array([pairs, pairs], np.uint8)
    grey = {"mono8": np.uint8(76), "8UC1": np.uint8(76), "mono16": np.uint16(76 * 257)}
    if encoding in grey:
        return np.full((2, 2, 1), grey[encoding])
    red = {"rgb8": (255, 0, 0), "8UC3": (255, 0, 0), "bgr8": (0, 0, 255)}
    red |= {"rgba8": (255, 0, 0, 9), "bgra8": (0, 0, 255, 9)}
    return np.full((2, 2, len(red[encoding])), red[encoding], np.uint8)


def test_the_first_keyframe_is_cold_and_the_second_warm(robot):
    first = robot.result(robot.exchange())
    second = robot.result(robot.exchange())
    assert (first.mode, first.warm, first.iterations) == (Status.KEYFRAME, False, 3)
    assert (second.mode, second.warm, second.iterations) == (Status.KEYFRAME, True, 1)


def test_the_status_tells_what_it_took(robot):
    status = robot.result(robot.exchange())
    assert status.header.frame_id == "source_optical_frame"
    assert status.consistency_unit == "m"
    assert 0 <= status.consistency_after < 0.1
    assert 0 <= status.consistency_before < np.inf
    assert 0 < status.processing_seconds <= status.latency_seconds < 30
    assert status.device == "cpu" or status.device.startswith("cuda")


def test_one_stamp_gives_one_output(robot):
    stamp = robot.exchange()
    robot.send_pair(stamp=stamp)
    later = robot.exchange()
    robot.result(later, "sr")
    for name in ("sr", "status"):
        assert len([one for one in robot.came[name] if one.header == robot.find(stamp, name).header]) == 1


def test_images_are_paired_by_stamp_not_by_arrival(robot):
    robot.exchange()
    early, late = robot.stamp(), robot.stamp() + 100_000_000
    robot.send("source", robot.source(), early)
    robot.send("source", robot.source(), late)
    robot.send("guide", robot.guide(), early + 5_000_000)
    assert robot.result(early)
    robot.send("guide", robot.guide(), late - 5_000_000)
    assert robot.result(late)


def test_malformed_images_are_counted_by_cause_and_the_next_one_is_used(robot):
    causes = {
        "source step": {"step": 40},
        "source data": {"height": 19},
        "source size": {"width": 0},
        "source is_bigendian": {"is_bigendian": 2},
        "source encoding": {"encoding": "bayer_rggb8"},
        "guide encoding": {"encoding": "32FC1"},
    }
    before = rejected(robot)
    for cause, fields in causes.items():
        role = cause.partition(" ")[0]
        robot.send(role, getattr(robot, role)(**fields), robot.stamp())
    expected = before | {cause: before.get(cause, 0) + 1 for cause in causes}
    robot.wait_for(lambda: rejected(robot) == expected, f"{expected}")
    assert robot.result(robot.exchange()).dropped_rejected == sum(expected.values())


def test_a_malformed_image_is_said_once(robot, node):
    for _ in range(3):
        robot.send_pair(guide=robot.guide(step=41))
    robot.exchange()
    assert node.said.count("an image on /guide/image was left out: step 41, expected at least 144") == 1
    assert "Traceback" not in node.said


def test_a_source_passes_through_unchanged_where_the_guide_is_not_finer(robot, node):
    source = robot.source()
    stamp = robot.exchange(source, robot.guide(size=SOURCE_SIZE))
    status = robot.result(stamp)
    assert (status.mode, status.iterations, status.fallback) == (PASS_THROUGH, 0, False)
    np.testing.assert_array_equal(pixels_of(robot.result(stamp, "sr")), pixels_of(source))
    node.wait_until_it_says("no resolution gap: the guide is 1.00 times as fine as the source")
    robot.report("registration", lambda report: "no resolution gap" in report.message)
    robot.exchange()
    robot.report("registration", lambda report: "no resolution gap" not in report.message)


def test_a_same_view_that_was_assumed_is_said_once_and_in_diagnostics(robot, node):
    robot.exchange()
    report = robot.report("registration")
    assert report.level == DiagnosticStatus.WARN
    line = "the guide is taken as it is: it must show the source's view; both camera_info are needed"
    assert line in report.message and values_of(report)["registered"] == "no"
    said = node.said.count(line)
    robot.exchange()
    assert node.said.count(line) == said


def test_a_source_without_a_valid_pixel_is_counted(robot, node):
    before = robot.result(robot.exchange()).dropped_rejected
    blind = robot.source()
    blind.data = bytes(len(blind.data))
    robot.send_pair(blind)
    node.wait_until_it_says("none of its 432 pixels is valid")
    assert robot.result(robot.exchange()).dropped_rejected == before + 1


def test_reset_makes_the_next_keyframe_cold(robot):
    robot.exchange()
    resets = robot.result(robot.exchange()).resets
    answer = robot.reset()
    status = robot.result(robot.exchange())
    assert answer.success
    assert (status.warm, status.resets, status.reset_reason) == (False, resets + 1, "~/reset was called")


def test_stamps_that_go_back_start_anew(robot):
    stamp = robot.exchange()
    robot.exchange()
    earlier = stamp - 10 * 10**9
    robot.send_pair(stamp=earlier)
    status = robot.result(earlier)
    assert not status.warm
    assert re.search(r"stamps went back by \d\d\.", status.reset_reason)  # 10 s and the time between both
    assert robot.result(robot.exchange()).warm


@pytest.mark.parametrize(
    "looks, told",
    [
        ({"size": (20, 24)}, "source changed: height from 18 to 20"),
        ({"encoding": "32FC1"}, "source changed: encoding from '16UC1' to '32FC1'"),
        ({"frame_id": "elsewhere"}, "source changed: frame_id from 'source_optical_frame' to 'elsewhere'"),
    ],
)
def test_a_source_that_changes_starts_anew(robot, looks, told):
    robot.exchange()
    assert robot.result(robot.exchange()).warm
    stamp = robot.exchange(robot.source(**looks))
    status = robot.result(stamp)
    assert told in status.reset_reason
    assert not status.warm
    robot.exchange()


def test_reliable_cameras_are_served_like_best_effort_ones(node):
    with Robot(node.domain, listens_to=("status",), camera_qos=RELIABLE).meet() as other:
        assert other.exchange()


def rejected(robot):
    """Counts by cause, as the node reports them now."""
    values = values_of(robot.report("processing"))
    return {key.removeprefix("rejected: "): int(n) for key, n in values.items() if key.startswith("rejected")}
