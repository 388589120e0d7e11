"""NIR and infrared sources: intensities of any width."""

import numpy as np
import pytest
from node_process import NodeProcess
from robot import Robot, pixels_of

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def robot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node")
    with (
        NodeProcess(folder, {"modality": "nir", "preset": "task3_x2"}).wait_until_active() as node,
        Robot(node.domain).meet() as robot,
    ):
        yield robot


@pytest.mark.parametrize("encoding", ["mono8", "8UC1", "mono16", "16UC1"])
def test_nir_keeps_its_encoding_and_its_counts(robot, encoding):
    source = robot.source(encoding)
    counts = pixels_of(source).astype(float)
    stamp = robot.exchange(source)
    for name in ("sr", "translated"):
        assert robot.result(stamp, name).encoding == encoding
    sr = pixels_of(robot.result(stamp, "sr")).astype(float)
    assert sr.mean() == pytest.approx(counts.mean(), rel=0.05)
    assert robot.result(stamp).consistency_unit == "intensity"


def test_black_is_a_measurement(robot):
    source = robot.source("mono8")
    source.data = np.zeros(len(source.data), np.uint8).tobytes()[:-1] + b"\x01"
    assert robot.exchange(source)


def test_depth_is_no_intensity(robot):
    before = robot.result(robot.exchange(robot.source("mono8"))).dropped_rejected
    robot.send_pair(robot.source("32FC1"))
    assert robot.result(robot.exchange(robot.source("mono8"))).dropped_rejected == before + 1
