"""camera_info kept as it comes, and given out where it fits."""

import threading
import time

import pytest
from robot import camera_info

from robself_ros.cameras import Cameras

SIZE = (18, 24)


@pytest.fixture
def said():
    return []


@pytest.fixture
def cameras(said):
    return Cameras({"source": False, "guide": True}, said.append)


def test_there_is_no_camera_before_its_camera_info(cameras, said):
    assert not cameras.has("source")
    assert cameras.of("source", SIZE) is None
    assert said == []


def test_the_latest_camera_info_holds(cameras):
    cameras.take("source", camera_info(SIZE, 30.0))
    cameras.take("source", camera_info(SIZE, 40.0))
    assert cameras.has("source")
    assert cameras.of("source", SIZE).model.K[0, 0] == 40.0


def test_a_rectified_image_is_described_by_p(cameras):
    info = camera_info(SIZE, 30.0, d=(0.1, 0.0, 0.0, 0.0, 0.0))
    info.p[0] = info.p[5] = 20.0
    for role in ("source", "guide"):
        cameras.take(role, info)
    raw, rectified = cameras.of("source", SIZE).model, cameras.of("guide", SIZE).model
    assert (raw.K[0, 0], bool(raw.D)) == (30.0, True)
    assert (rectified.K[0, 0], bool(rectified.D)) == (20.0, False)


def test_a_camera_info_of_another_size_is_not_used_and_said_once(cameras, said):
    cameras.take("source", camera_info((36, 48), 30.0))
    assert cameras.of("source", SIZE) is None
    assert cameras.of("source", SIZE) is None
    assert said == ["the source's camera_info is not used: it is of 48x36 images, these are 24x18"]


def test_an_uncalibrated_camera_info_is_not_used_and_said_once(cameras, said):
    info = camera_info(SIZE, 30.0)
    info.k = [0.0] * 9
    cameras.take("guide", info)
    assert cameras.of("guide", SIZE) is None
    assert cameras.of("guide", SIZE) is None
    (line,) = said
    assert "focal lengths 0, 0, expected > 0 (is it calibrated?)" in line


def test_what_mends_itself_and_breaks_again_is_said_again(cameras, said):
    for focal_length_size in ((36, 48), SIZE, (36, 48)):
        cameras.take("source", camera_info(focal_length_size, 30.0))
        cameras.of("source", SIZE)
    assert len(said) == 2


def test_waiting_ends_when_both_have_come(cameras):
    threading.Timer(
        0.1, lambda: [cameras.take(r, camera_info(SIZE, 30.0)) for r in ("source", "guide")]
    ).start()
    begin = time.monotonic()
    cameras.wait_for(("source", "guide"), begin + 60.0, lambda: False)
    assert time.monotonic() - begin < 30.0
    assert cameras.has("source") and cameras.has("guide")


@pytest.mark.parametrize("seconds, stopped", [(0.0, False), (60.0, True)], ids=["deadline", "stop"])
def test_waiting_ends_without_them_too(cameras, seconds, stopped):
    begin = time.monotonic()
    cameras.wait_for(("source",), begin + seconds, lambda: stopped)
    assert time.monotonic() - begin < 30.0


@pytest.mark.parametrize("focal_length", [0.0, -30.0])
def test_a_rectified_camera_without_a_focal_length_is_not_used(cameras, said, focal_length):
    info = camera_info(SIZE, 30.0)
    info.p[0] = info.p[5] = focal_length
    info.p[3] = 1.0  # P is there, so that K does not stand for it
    cameras.take("guide", info)
    assert cameras.of("guide", SIZE) is None
    assert cameras.trouble("guide") in said[0]
    cameras.take("guide", camera_info(SIZE, 30.0))
    assert cameras.of("guide", SIZE) and cameras.trouble("guide") is None
