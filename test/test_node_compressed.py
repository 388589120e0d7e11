"""A node with a compressed guide and a compressedDepth source, over DDS."""

import struct

import cv2
import numpy as np
import pytest
from node_process import NodeProcess
from robot import DEPTH_METRES, GUIDE_SIZE, SOURCE_SIZE, Robot, camera_info, compressed, pixels_of, values_of

from robself import compressed_depth, picture
from robself_ros.sensors import sibling_camera_info

pytestmark = pytest.mark.ros
SOURCE, GUIDE = "/rig/depth/image_rect_raw/compressedDepth", "/rig/color/image_raw/compressed"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    remappings = [
        text
        for role, topic in (("source", "/rig/depth/image_rect_raw"), ("guide", "/rig/color/image_raw"))
        for text in (
            "-r",
            f"{role}/image:={topic}",
            "-r",
            f"{role}/camera_info:={sibling_camera_info(topic)}",
        )
    ]
    transports = {"source.transport": "compressedDepth", "guide.transport": "compressed"}
    with NodeProcess(tmp_path_factory.mktemp("node"), transports, *remappings).wait_until_active() as node:
        yield node


@pytest.fixture(scope="module")
def robot(node):
    with Robot(node.domain, source_topic=SOURCE, guide_topic=GUIDE).meet() as robot:
        yield robot


def source(robot, encoding="16UC1", codec="png"):
    return compressed(*compressed_depth.encode(pixels_of(robot.source(encoding)), encoding, codec))


def guide(robot, kind="jpeg"):
    """Noise, reddish."""
    pixels = pixels_of(robot.guide()) // 2
    pixels[..., 0] += 120
    data = cv2.imencode(f".{kind}", pixels[..., ::-1])[1].tobytes()
    return compressed(f"rgb8; {kind} compressed bgr8", data)


@pytest.mark.parametrize("encoding, unit", [("16UC1", 1e-3), ("32FC1", 1.0)])
@pytest.mark.parametrize("codec", ["png", "rvl"])
def test_compressed_depth_is_super_resolved_in_its_encoding(robot, encoding, unit, codec):
    stamp = robot.exchange(source(robot, encoding, codec), guide(robot))
    sr = robot.result(stamp, "sr")
    assert (sr.encoding, sr.height, sr.width) == (encoding, *GUIDE_SIZE)
    assert sr.header.frame_id == "source_optical_frame"
    metres = pixels_of(sr) * unit
    assert metres.min() == pytest.approx(DEPTH_METRES[0], abs=0.2)
    assert metres.max() == pytest.approx(DEPTH_METRES[1], abs=0.2)


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_reddish_guide_stays_reddish(robot, kind):
    aligned = pixels_of(robot.result(robot.exchange(source(robot), guide(robot, kind)), "guide_aligned"))
    red, _, blue = aligned.reshape(-1, 3).mean(axis=0)
    assert red > blue + 80


def test_the_camera_info_beside_the_base_topic_is_found(robot):
    robot.send("source", camera_info(SOURCE_SIZE, 30.0), robot.stamp())
    robot.report("source", lambda status: values_of(status)["camera_info"] == "yes")
    stamp = robot.exchange(source(robot), guide(robot))
    assert robot.result(stamp, "camera_info").width == GUIDE_SIZE[1]


def test_images_that_cannot_be_used_are_counted_and_told_with_topic_and_format(robot, node):
    before = values_of(robot.report("processing"))
    cut = guide(robot)
    cut.data = cut.data[:200]
    wrong = compressed(
        "16UC1; jpeg compressed ", cv2.imencode(".jpg", np.zeros((18, 24), np.uint8))[1].tobytes()
    )
    robot.send("source", wrong, robot.stamp())
    robot.send("guide", compressed("jpeg", b"no picture"), robot.stamp())
    robot.send_pair(source(robot), cut)
    assert not {"rejected: source encoding", "rejected: guide data"} & set(before)
    robot.report("processing", lambda status: "rejected: guide data" in values_of(status))
    node.wait_until_it_says(
        f"an image on {SOURCE} was left out: encoding 'mono8' (format '16UC1; jpeg compressed '), expected 16UC1"
    )
    node.wait_until_it_says(
        f"an image on {GUIDE} was left out: 10 bytes beginning with 6e 6f 20 70, expected JPEG"
    )
    assert "Traceback" not in node.said
    assert robot.result(robot.exchange(source(robot), guide(robot))).dropped_rejected == 3


HUGE_PNG = picture.PNG + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 100_000, 100_000, 16, 0, 0, 0, 0, 0)
CUT_PNG = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (36, 48, 3), np.uint8))[1].tobytes()[
    :-40
]


@pytest.mark.parametrize(
    "role, image_format, data, cause, why",
    [
        (
            "guide",
            "rgb8; png compressed bgr8",
            HUGE_PNG,
            "guide data",
            "PNG: size 100000x100000, expected both",
        ),
        ("guide", "jpeg", bytes(range(256)) * 40, "guide data", "expected JPEG or PNG"),
        ("guide", "png", b"", "guide data", "0 bytes beginning with none"),
        ("guide", "png", CUT_PNG, "content", "PNG: cut short after"),
        ("source", "16UC1; compressedDepth png", bytes(12) + HUGE_PNG, "source data", "size 100000x100000"),
        (
            "source",
            "16UC1; compressedDepth rvl",
            struct.pack("<iffII", 0, 0, 0, 100_000, 100_000),
            "source data",
            "RVL: size 100000x100000, expected both",
        ),
        (
            "source",
            "16UC1; compressedDepth rvl",
            struct.pack("<iffII", 0, 0, 0, 5000, 5000) + bytes(40),
            "content",
            "RVL: data end after 0 of 25000000 pixels",
        ),
        (
            "source",
            "16UC1; compressedDepth rvl",
            struct.pack("<iffII", 0, 0, 0, 8, 8) + bytes(2**20),
            "content",
            "RVL: 1048576 bytes, expected at most 264 for 64 pixels",
        ),
        ("source", "16UC1; compressedDepth png", b"\0", "source data", "1 bytes, expected at least 12"),
        ("source", "", b"garbage", "source data", "7 bytes beginning with 67 61 72 62"),
    ],
    ids=[
        "huge PNG",
        "no JPEG",
        "nothing",
        "cut PNG",
        "huge PNG of depth",
        "huge RVL",
        "empty RVL",
        "long RVL",
        "one byte",
        "garbage",
    ],
)
def test_after_data_that_cannot_be_unpacked_the_next_pair_is_good(
    robot, node, role, image_format, data, cause, why
):
    def count(status):
        return int(values_of(status).get(f"rejected: {cause}", 0))

    before, stamp = count(robot.report("processing")), robot.stamp()
    wrong = {"source": source(robot), "guide": guide(robot)} | {role: compressed(image_format, data)}
    for name, message in wrong.items():
        robot.send(name, message, stamp)
    report = robot.report("processing", lambda status: count(status) > before)
    assert why in values_of(report)["last rejected"]
    sr = pixels_of(robot.result(robot.exchange(source(robot), guide(robot)), "sr"))
    assert sr.min() > 900 and sr.max() < 3200
    assert "Traceback" not in node.said


def test_the_diagnostics_name_the_topics_that_are_listened_to(robot):
    for role, topic in (("source", SOURCE), ("guide", GUIDE)):
        assert values_of(robot.report(role))["topic"] == topic
