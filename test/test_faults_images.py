"""Images that are wrong, over DDS: told by cause, computed or left out, and the next good pair is good."""

import re
from pathlib import Path

import numpy as np
import pytest
from good_pairs import exchange_good
from robot import SOURCE_SIZE, Robot, image, pixels_of, values_of

pytestmark = pytest.mark.ros
MIB = 2**20
HUGE = {"height": 100_000, "width": 100_000}
NOTHING = np.full(SOURCE_SIZE, np.nan, np.float32)
POINT = NOTHING.copy()
POINT[9, 12] = 1.5


@pytest.fixture(scope="module")
def robot(node):
    """Met, and past its first keyframe."""
    with Robot(node.domain).meet() as robot:
        robot.exchange()
        yield robot


@pytest.fixture(scope="module", autouse=True)
def little_memory(node, robot):
    """All these faults together take less than one of those images would."""
    before = peak(node)
    yield
    assert peak(node) - before < 200 * MIB
    assert "Traceback" not in node.said


def peak(node):
    """Bytes, the most that the process has held."""
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def expect_left_out(robot, cause, why, send):
    """Whether one more is counted by that cause, and the line about it is in /diagnostics."""

    def count(status):
        return int(values_of(status).get(f"rejected: {cause}", 0))

    before = count(robot.report("processing"))
    send()
    report = robot.report("processing", lambda status: count(status) > before)
    assert count(report) == before + 1
    assert why in values_of(report)["last rejected"]


@pytest.mark.parametrize(
    "role, fields, cause, why",
    [
        ("source", {"step": 40}, "source step", "step 40, expected at least 48"),
        ("guide", {"step": 0}, "guide step", "step 0, expected at least 144"),
        ("guide", {"step": 2**32 - 1}, "guide data", "5184 bytes, expected step * height"),
        ("source", {"data": bytes(863)}, "source data", "863 bytes, expected step * height = 48 * 18 = 864"),
        ("source", {"data": b""}, "source data", "0 bytes"),
        ("guide", {"data": bytes(6000)}, "guide data", "6000 bytes, expected step * height"),
        ("source", {"height": 0, "width": 0}, "source size", "size 0x0"),
        (
            "source",
            {**HUGE, "step": 200_000},
            "source size",
            "size 100000x100000, expected both > 0 and at most",
        ),
        ("guide", {**HUGE, "step": 300_000}, "guide size", "size 100000x100000"),
        ("guide", {"height": 1, "width": 2**32 - 1, "step": 2**32 - 1}, "guide size", "size 4294967295x1"),
        ("source", {"encoding": ""}, "source encoding", "encoding '', expected 16UC1"),
        ("source", {"encoding": "64FC1"}, "source encoding", "encoding '64FC1', expected 16UC1"),
        ("guide", {"encoding": "RGB8"}, "guide encoding", "encoding 'RGB8', expected rgb8"),
        ("guide", {"encoding": ""}, "guide encoding", "encoding '', expected rgb8"),
        ("guide", {"is_bigendian": 255}, "guide is_bigendian", "is_bigendian 255, expected 0 or 1"),
    ],
)
def test_an_image_that_is_not_true_of_its_data_is_left_out(robot, role, fields, cause, why):
    message = getattr(robot, role)(**fields)
    expect_left_out(robot, cause, why, lambda: robot.send(role, message, robot.stamp()))
    exchange_good(robot)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30])
def test_a_source_without_a_measurement_is_left_out(robot, value):
    blind = image(np.full(SOURCE_SIZE, value, np.float32), "32FC1")
    expect_left_out(robot, "content", "none of its 432 pixels is valid", lambda: robot.send_pair(blind))
    exchange_good(robot, "32FC1")


@pytest.mark.parametrize(
    "pixels, encoding, why",
    [
        (np.zeros((2, 48), np.uint8), "bayer_rggb8", "size 48x2, expected at least 3x3"),
        (np.zeros((36, 47, 2), np.uint8), "yuv422", "width 47, expected an even one"),
    ],
)
def test_a_guide_that_its_pattern_does_not_allow_is_left_out(robot, pixels, encoding, why):
    expect_left_out(robot, "content", why, lambda: robot.send_pair(guide=image(pixels, encoding)))
    exchange_good(robot)


@pytest.mark.parametrize(
    "source",
    [
        np.full(SOURCE_SIZE, 2, np.float32),
        POINT,
        np.full((1, 1), 2, np.float32),
        np.full((1, 40), 2, np.float32),
    ],
    ids=["constant", "one valid pixel", "1x1", "1 row"],
)
def test_a_source_with_hardly_any_content_is_what_it_shows_and_spoils_nothing(robot, source):
    robot.reset()  # so that the first thing learned is this
    sr = pixels_of(robot.result(robot.exchange(image(source, "32FC1")), "sr"))
    shown = np.nanmean(source)
    np.testing.assert_allclose(sr[np.isfinite(sr)], shown, rtol=0.01)
    assert np.isfinite(sr).mean() == pytest.approx(np.isfinite(source).mean(), abs=1e-6)
    status = exchange_good(robot, "32FC1")
    assert not status.warm


@pytest.mark.parametrize("grey", [0, 200])
def test_a_guide_without_content_spoils_nothing(robot, grey):
    robot.reset()
    robot.exchange(guide=robot.guide(data=bytes([grey]) * 36 * 48 * 3))
    status = exchange_good(robot)
    assert not status.warm
    assert "the guide's values are" in status.reset_reason


@pytest.mark.parametrize("encoding, stored", [("16UC1", ">u2"), ("32FC1", ">f4")])
def test_big_endian_images_are_read_as_they_are_meant(robot, encoding, stored):
    source = robot.source(encoding)
    expected = pixels_of(source)
    source.data, source.is_bigendian = expected.astype(stored).tobytes(), 1
    sr = pixels_of(robot.result(robot.exchange(source), "sr"))
    np.testing.assert_allclose(sr.reshape(18, 2, 24, 2).mean((1, 3)), expected, rtol=0.05)
    exchange_good(robot, encoding)
