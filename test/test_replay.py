"""Recordings super-resolved without ROS."""

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from robself import super_resolve
from robself.camera_model import CameraModel
from robself.errors import ConfigError, OutputError, RecordingError
from robself.output_topics import output_topics
from robself.recording import RecordingReader, RecordingWriter
from robself.replay import Replay
from robself.replay_settings import ReplaySettings

START, PERIOD = 1_700_000_000 * 10**9, 10**8
LOW, SIZE = (9, 12), (18, 24)
SOURCE, GUIDE, TRUTH = "/depth/image_raw", "/rgb/image_raw", "/truth/image_raw"
TOPICS = output_topics()
TF = "tf2_msgs/msg/TFMessage"
QUICK = {"first_iterations": 3, "iterations": 1, "pictures": 0}
DEPTH_CAMERA = CameraModel(
    12,
    9,
    np.array([[10.0, 0, 5.5], [0, 10.0, 4.0], [0, 0, 1]]),
    (-0.1, 0.01, 0, 0, 0),
    frame_id="depth_optical",
)
RGB_CAMERA = CameraModel(
    48, 36, np.array([[40.0, 0, 23.5], [0, 40.0, 17.5], [0, 0, 1]]), frame_id="rgb_optical"
)


def depth_m(index=0):
    """(9, 12) metres with one hole; the box moves by a pixel a frame."""
    depth = np.full(LOW, 2.0, np.float32)
    depth[3:7, 3 + index : 7 + index] = 1.25
    depth[0, 0] = np.nan
    return depth


def millimetres(metres):
    return np.nan_to_num(1000 * metres).astype(np.uint16)


def colour(size=SIZE, index=0):
    rows, columns = np.indices(size)
    image = np.stack([rows * 5, columns * 4, rows + columns], -1).astype(np.uint8)
    image[6:14, 6 + 2 * index : 14 + 2 * index] = 220
    return image


def write_bag(
    path,
    frames=3,
    *,
    sources=None,
    guides=None,
    encoding="16UC1",
    cameras=None,
    truth=None,
    topic=SOURCE,
    turn=None,
):
    """Pairs 5 ms apart; sources and guides by number take the place of the usual ones.

    turn: quaternion (x, y, z, w) of the depth camera in the colour camera's frame, for /tf_static.
    """
    with RecordingWriter(path) as writer:
        if turn:
            writer.write_serialized("/tf_static", TF, static_transform(turn), time_ns=START)
        for index in range(frames):
            stamp = START + index * PERIOD
            source = (sources or {}).get(index, millimetres(depth_m(index)))
            guide = (guides or {}).get(index, colour(index=index))
            for info, camera in (cameras or {}).items():
                writer.write_camera_info(info, camera, stamp_ns=stamp)
            writer.write_image(topic, source, encoding, stamp_ns=stamp, frame_id="depth_optical")
            if truth is not None:
                writer.write_image(TRUTH, *truth, stamp_ns=stamp, frame_id="depth_optical")
            writer.write_image(GUIDE, guide, "rgb8", stamp_ns=stamp + 5 * 10**6, frame_id="rgb_optical")
    return path


def static_transform(turn):
    types = get_typestore(Stores.ROS2_JAZZY)
    make = lambda name, **fields: types.types[name](**fields)  # noqa: E731
    header = make(
        "std_msgs/msg/Header",
        stamp=make("builtin_interfaces/msg/Time", sec=0, nanosec=0),
        frame_id="rgb_optical",
    )
    transform = make(
        "geometry_msgs/msg/Transform",
        translation=make("geometry_msgs/msg/Vector3", x=0.0, y=0.0, z=0.0),
        rotation=make("geometry_msgs/msg/Quaternion", **dict(zip("xyzw", turn, strict=True))),
    )
    stamped = make(
        "geometry_msgs/msg/TransformStamped",
        header=header,
        child_frame_id="depth_optical",
        transform=transform,
    )
    return types.serialize_cdr(make(TF, transforms=[stamped]), TF)


def replay(bag, out, truth=None, topic=SOURCE, say=lambda line: None, **settings):
    """Runs a quick replay; returns the metrics and what was written."""
    run = Replay(bag, topic, GUIDE, truth, ReplaySettings(**(QUICK | settings)), say)
    return run.run(out), RecordingReader(out / "sr.mcap")


def images(reader, topic):
    return list(reader.images(topic))


def statuses(reader):
    return [message.content for message in reader.messages([TOPICS.status])]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A replay of three pairs with both cameras and a truth."""
    folder = tmp_path_factory.mktemp("plain")
    bag = write_bag(
        folder / "in.mcap",
        guides={index: colour((36, 48), index) for index in range(3)},
        cameras={"/depth/camera_info": DEPTH_CAMERA, "/rgb/camera_info": RGB_CAMERA},
        truth=(np.full(SIZE, 2.0, np.float32), "32FC1"),
    )
    return replay(bag, folder / "out", TRUTH, factor=2.0, pictures=1)


def test_super_resolved_images_keep_stamp_frame_and_encoding(plain):
    _, reader = plain
    for topic in (TOPICS.sr, TOPICS.translated):
        written = images(reader, topic)
        assert [image.stamp_ns for image in written] == [START + index * PERIOD for index in range(3)]
        for image in written:
            assert (image.encoding, image.frame_id, image.array.shape) == ("16UC1", "depth_optical", SIZE)
            assert (image.array[:2, :2] == 0).all()  # the hole
            assert 1000 < np.median(image.array) < 2500  # millimetres
    guide = images(reader, TOPICS.guide_aligned)[0]
    assert (guide.encoding, guide.frame_id, guide.array.shape) == ("rgb8", "depth_optical", (*SIZE, 3))


def test_camera_info_is_scaled_with_pixel_centres_kept(plain):
    _, reader = plain
    infos = [message.content for message in reader.messages([TOPICS.camera_info])]
    assert len(infos) == 3
    assert (infos[0].width, infos[0].height, infos[0].header.frame_id) == (24, 18, "depth_optical")
    assert infos[0].k.reshape(3, 3)[:2].tolist() == [[20, 0, 11.5], [0, 20, 8.5]]
    assert infos[0].d.tolist() == [-0.1, 0.01, 0, 0, 0]


def test_statuses_tell_what_was_done(plain):
    _, reader = plain
    first, *_, last = statuses(reader)
    assert [(s.mode, s.warm, s.iterations) for s in (first, last)] == [(0, False, 3), (0, True, 1)]
    assert (last.consistency_unit, last.device) == ("m", "cpu")
    assert (last.pairs, last.processed, last.dropped_rejected) == (3, 3, 0)
    assert last.processing_seconds > 0 and last.latency_seconds == last.processing_seconds


def test_metrics_and_report_lie_beside_the_recording(plain):
    metrics, reader = plain
    assert {path.name for path in reader.path.parent.iterdir()} == {"sr.mcap", "metrics.json", "report.html"}
    assert metrics["summary"]["pairs"] == {"in": 3, "used": 3, "dropped": {}}
    assert metrics["summary"]["rmse"]["frames"] == 3
    assert metrics["summary"]["settings"]["factor"] == 2.0


def test_the_same_recording_gives_the_same_images(tmp_path):
    bag = write_bag(tmp_path / "in.mcap")
    _, one = replay(bag, tmp_path / "one")
    _, other = replay(bag, tmp_path / "other")
    _, differing = replay(bag, tmp_path / "differing", seed=1)
    for topic in (TOPICS.sr, TOPICS.translated, TOPICS.guide_aligned):
        for mine, its in zip(images(one, topic), images(other, topic), strict=True):
            np.testing.assert_array_equal(mine.array, its.array)
    assert (images(one, TOPICS.translated)[0].array != images(differing, TOPICS.translated)[0].array).any()


def test_the_first_pair_is_what_super_resolve_makes_of_it(tmp_path):
    bag = write_bag(tmp_path / "in.mcap", 1, sources={0: depth_m()}, encoding="32FC1")
    _, reader = replay(bag, tmp_path / "out", preset="task1_x4")
    expected = super_resolve(depth_m(), colour(), preset="task1_x4", iterations=3)
    np.testing.assert_array_equal(images(reader, TOPICS.sr)[0].array, expected.sr)
    np.testing.assert_array_equal(images(reader, TOPICS.translated)[0].array, expected.translated)
    np.testing.assert_array_equal(images(reader, TOPICS.guide_aligned)[0].array, expected.aligned_guide)


def test_pairs_that_cannot_be_used_are_counted_by_cause(tmp_path):
    bag = write_bag(
        tmp_path / "in.mcap",
        6,
        sources={1: np.zeros(LOW, np.uint16), 4: np.zeros(LOW, np.uint16)},
    )
    metrics, reader = replay(bag, tmp_path / "out")
    assert metrics["summary"]["pairs"] == {
        "in": 6,
        "used": 4,
        "dropped": {"source: none of its 108 pixels is valid": 2},
    }
    assert [status.dropped_rejected for status in statuses(reader)] == [0, 1, 1, 2]


def test_pairs_whose_guide_is_not_finer_pass_through(tmp_path):
    bag = write_bag(
        tmp_path / "in.mcap", guides={1: colour((8, 10))}, truth=(np.full(SIZE, 2.0, np.float32), "32FC1")
    )
    said = []
    metrics, reader = replay(bag, tmp_path / "out", TRUTH, say=said.append)
    assert [status.mode for status in statuses(reader)] == [0, 2, 0]
    assert [frame["mode"] for frame in metrics["frames"]] == ["keyframe", "pass_through", "keyframe"]
    np.testing.assert_array_equal(images(reader, TOPICS.sr)[1].array, millimetres(depth_m(1)))
    assert any("no resolution gap" in line for line in said)


def test_static_transforms_of_the_recording_turn_the_guide(tmp_path):
    """A guide camera turned by 5 degrees: /tf_static says what --rpy would."""
    cameras = {"/depth/camera_info": DEPTH_CAMERA, "/rgb/camera_info": RGB_CAMERA}
    guides = {0: colour((36, 48))}
    plain = write_bag(tmp_path / "plain.mcap", 1, guides=guides, cameras=cameras)
    half = np.pi / 72
    turned = write_bag(
        tmp_path / "turned.mcap",
        1,
        guides=guides,
        cameras=cameras,
        turn=(0.0, np.sin(half), 0.0, np.cos(half)),
    )
    said = []

    def aligned(bag, out, **settings):
        reader = replay(bag, tmp_path / out, say=said.append, **settings)[1]
        return images(reader, TOPICS.guide_aligned)[0].array

    by_transforms = aligned(turned, "tf")
    assert "turned as static transforms say" in said[-1]
    np.testing.assert_array_equal(by_transforms, aligned(plain, "rpy", rpy=(0.0, np.pi / 36, 0.0)))
    assert (by_transforms != aligned(turned, "no_tf", use_tf=False)).any()
    assert "no extrinsics.rpy): none is assumed" in said[-1]


def test_every_nth_pair_is_a_keyframe_if_so_asked(tmp_path):
    still = {"sources": millimetres(depth_m()), "guides": colour()}
    bag = write_bag(
        tmp_path / "in.mcap", 4, **{what: dict.fromkeys(range(4), image) for what, image in still.items()}
    )
    metrics, _ = replay(bag, tmp_path / "out", keyframe_every=2, first_iterations=200)
    assert [frame["mode"] for frame in metrics["frames"]] == ["keyframe", "track", "keyframe", "track"]
    metrics, _ = replay(bag, tmp_path / "all")
    assert [frame["mode"] for frame in metrics["frames"]] == ["keyframe"] * 4


@pytest.mark.parametrize(
    "ratio, modes", [(1e-6, ["keyframe", "track", "keyframe"]), (1e6, ["keyframe", "track", "track"])]
)
def test_consistency_alone_decides_on_keyframes_if_so_asked(tmp_path, ratio, modes):
    metrics, _ = replay(
        write_bag(tmp_path / "in.mcap"), tmp_path / "out", keyframe_every=0, keyframe_ratio=ratio
    )
    assert [frame["mode"] for frame in metrics["frames"]] == modes


def test_only_the_first_pairs_are_taken_if_so_asked(tmp_path):
    metrics, reader = replay(write_bag(tmp_path / "in.mcap"), tmp_path / "out", limit=2)
    assert metrics["summary"]["pairs"]["in"] == len(images(reader, TOPICS.sr)) == 2


def test_depths_out_of_range_are_holes(tmp_path):
    bag = write_bag(tmp_path / "in.mcap", 1)
    _, reader = replay(bag, tmp_path / "out", depth_max=1.5)
    sr = images(reader, TOPICS.sr)[0].array
    assert (sr > 0).sum() == 4 * 16  # the box alone


def test_guides_are_registered_by_both_cameras_unless_told_otherwise(tmp_path):
    said = []
    cameras = {"/depth/camera_info": DEPTH_CAMERA, "/rgb/camera_info": RGB_CAMERA}
    guides = {0: colour((36, 48))}
    bag = write_bag(tmp_path / "in.mcap", 1, guides=guides, cameras=cameras)
    _, registered = replay(bag, tmp_path / "registered", say=said.append)
    _, plain = replay(bag, tmp_path / "plain", say=said.append, register=False)
    assert "registered into the source's view at 48x36" in said[0]
    assert "taken as it is" in said[1]
    aligned = [images(reader, TOPICS.guide_aligned)[0].array for reader in (registered, plain)]
    assert np.abs(aligned[0].astype(int) - aligned[1]).mean() > 5


def test_camera_info_of_another_size_is_not_used_and_said_once(tmp_path):
    said = []
    other = {"/depth/camera_info": DEPTH_CAMERA.scaled(24, 18), "/rgb/camera_info": RGB_CAMERA}
    _, reader = replay(write_bag(tmp_path / "in.mcap", cameras=other), tmp_path / "out", say=said.append)
    assert said.count("the source's camera_info is not used: it is of 24x18 images, these are 12x9") == 1
    assert TOPICS.camera_info not in reader.topics


def test_a_rectified_source_has_the_camera_of_its_projection(tmp_path):
    P = np.array([[9.0, 0, 5.0, 0], [0, 9.0, 4.0, 0], [0, 0, 1, 0]])
    camera = CameraModel(12, 9, DEPTH_CAMERA.K, DEPTH_CAMERA.D, P=P, frame_id="depth_optical")
    topic = "/depth/image_rect_raw"
    bag = write_bag(tmp_path / "in.mcap", 1, topic=topic, cameras={"/depth/camera_info": camera})
    _, reader = replay(bag, tmp_path / "out", topic=topic)
    (info,) = [message.content for message in reader.messages([TOPICS.camera_info])]
    assert info.k.reshape(3, 3)[0].tolist() == [18, 0, 10.5]
    assert not info.d.any()


def test_nir_keeps_its_encoding_and_counts(tmp_path):
    source = {0: (100 * np.nan_to_num(depth_m())).astype(np.uint8)}
    bag = write_bag(tmp_path / "in.mcap", 1, sources=source, encoding="mono8")
    metrics, reader = replay(bag, tmp_path / "out", preset="task3_x2")
    (sr,) = images(reader, TOPICS.sr)
    assert (sr.encoding, sr.array.dtype) == ("mono8", np.uint8)
    assert metrics["summary"]["unit"] == statuses(reader)[0].consistency_unit == "intensity"


def test_a_truth_that_cannot_be_used_is_told_before_the_work(tmp_path):
    bag = write_bag(tmp_path / "in.mcap", 1, truth=(colour(), "rgb8"))
    with pytest.raises(RecordingError, match=r"in\.mcap: /truth/image_raw: depth encoding 'rgb8'"):
        replay(bag, tmp_path / "out", TRUTH)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_recording_without_pairs_is_told_by_what_it_has(tmp_path):
    bag = write_bag(tmp_path / "in.mcap", 2)
    with pytest.raises(RecordingError, match=r"no source \(2\) has a guide \(2\) within 0\.001 s"):
        replay(bag, tmp_path / "out", slop=0.001)


def test_a_recording_of_the_other_modality_is_told_with_its_cause(tmp_path):
    bag = write_bag(
        tmp_path / "in.mcap", 2, sources=dict.fromkeys(range(2), np.ones(LOW, np.uint8)), encoding="mono8"
    )
    with pytest.raises(
        RecordingError, match=r"not one of 2 pairs can be used: depth encoding 'mono8'.*\(2x\)"
    ):
        replay(bag, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_recording_is_not_replaced_by_its_own_replay(tmp_path):
    bag = write_bag(tmp_path / "sr.mcap", 1)
    before = bag.read_bytes()
    with pytest.raises(OutputError, match="belongs to the recording to be read"):
        replay(bag, tmp_path)
    assert bag.read_bytes() == before
    folder = write_bag(tmp_path / "folder", 1)
    held = sorted(folder.iterdir())
    with pytest.raises(OutputError, match="belongs to the recording to be read"):
        replay(folder, folder)
    assert sorted(folder.iterdir()) == held


def test_progress_counts_pairs_and_looks_into_them(tmp_path):
    run = Replay(write_bag(tmp_path / "in.mcap", 2), SOURCE, GUIDE, None, ReplaySettings(**QUICK))
    told = []
    run.run(tmp_path / "out", lambda done, progress: told.append((done, progress and progress.fraction)))
    assert run.pairs == 2
    assert [done for done, fraction in told if fraction is None] == [1, 2]
    assert (0, 0.0) in told and told[-1] == (2, None)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"depth_min": 2.0, "depth_max": 1.0}, "depth_min 2 m, depth_max 1 m"),
        ({"factor": 0.5}, r"factor: 0\.5, expected 0"),
        ({"factor": 17}, "factor: 17, expected 0"),
        ({"keyframe_every": -1}, "keyframe_every: -1, expected at least 0"),
        ({"keyframe_ratio": float("nan")}, "keyframe_ratio: nan, expected at least 0"),
        ({"budget": -1.0}, "budget: -1, expected more than 0"),
        ({"first_budget": float("nan")}, "first_budget: nan"),
    ],
)
def test_settings_out_of_range_are_told(settings, complaint):
    with pytest.raises(ConfigError, match=complaint):
        ReplaySettings(**settings)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"preset": "robo"}, "preset: 'robo' is unknown"),
        ({"slop": 0.0}, "slop"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_settings_are_checked_before_any_pair(tmp_path, settings, complaint):
    bag = write_bag(tmp_path / "in.mcap", 1)
    with pytest.raises(ConfigError, match=complaint):
        Replay(bag, SOURCE, GUIDE, None, ReplaySettings(**settings))
