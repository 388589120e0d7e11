"""Recordings as datasets: pairs, registration by the cameras, truth."""

import numpy as np
import pytest
from recorded_streams import DEPTH, FRAMES, RGB, START_NS, record_streams
from small_pairs import scene

from robself.camera_model import CameraModel
from robself.datasets import open_dataset
from robself.datasets.degradation import block_mean
from robself.errors import ConfigError, DatasetError, RecordingError
from robself.recording import RecordingReader, RecordingWriter

TRUTH = "/truth/image_raw"


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return record_streams(tmp_path_factory.mktemp("bag") / "rec.mcap")


def camera(width, height, focal, frame):
    centre = (width - 1) / 2, (height - 1) / 2
    return CameraModel(
        width,
        height,
        np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]], np.float64),
        frame_id=frame,
    )


def record_scene(path, guide_camera=None):
    """One pair with its truth, depth in mm and the guide larger than the truth by two px a side."""
    depth, guide = scene((36, 48))
    with RecordingWriter(path) as writer:
        if guide_camera:
            writer.write_camera_info("/depth/camera_info", camera(12, 9, 12, "depth"), stamp_ns=START_NS)
            writer.write_camera_info("/rgb/camera_info", guide_camera, stamp_ns=START_NS)
        source = np.rint(block_mean(depth, 4)).astype(np.uint16)
        source[0, 0] = 0
        writer.write_image(DEPTH, source, "16UC1", stamp_ns=START_NS)
        writer.write_image(TRUTH, np.rint(depth).astype(np.uint16), "16UC1", stamp_ns=START_NS)
        framed = np.pad(guide, ((2, 2), (2, 2), (0, 0)), mode="reflect")
        writer.write_image(RGB, framed, "rgb8", stamp_ns=START_NS + 1_000_000)
    return path


def test_every_nth_pair_of_a_recording_is_a_case(bag):
    dataset = open_dataset(bag, source_topic=DEPTH, guide_topic=RGB, every=5)
    assert dataset.loader == "recording"
    assert dataset.names == [f"pair_{index:06d}" for index in range(0, FRAMES, 5)]
    recorded = list(RecordingReader(bag).pairs(DEPTH, RGB))[10]
    case = dataset.load("pair_000010")
    expected = np.where(recorded.source.array > 0, recorded.source.array / 1000, np.nan)
    np.testing.assert_allclose(case.source, expected, rtol=1e-6)
    np.testing.assert_array_equal(case.guide, recorded.guide.array)
    assert (case.truth, case.unit, case.modality) == (None, "m", "depth")


def test_a_limit_names_only_the_first_pairs(bag):
    dataset = open_dataset(bag, source_topic=DEPTH, guide_topic=RGB, limit=2)
    assert dataset.names == ["pair_000000", "pair_000001"]


def test_near_infrared_keeps_its_counts(bag):
    case = open_dataset(bag, source_topic=DEPTH, guide_topic=RGB, modality="nir", limit=1).load("pair_000000")
    recorded = next(RecordingReader(bag).images(DEPTH)).array
    np.testing.assert_array_equal(case.source, recorded)
    assert (case.modality, case.unit) == ("nir", "intensity")


def test_the_guide_is_registered_onto_the_truths_grid(tmp_path):
    path = record_scene(tmp_path / "rec.mcap", camera(52, 40, 48, "rgb"))
    dataset = open_dataset(path, source_topic=DEPTH, guide_topic=RGB, truth_topic=TRUTH)
    case = dataset.load("pair_000000")
    depth, guide = scene((36, 48))
    np.testing.assert_allclose(case.truth, np.rint(depth) / 1000, rtol=1e-6)
    assert np.argwhere(np.isnan(case.source)).tolist() == [[0, 0]]
    # The frame of two pixels that the guide sees more than the source is gone.
    assert np.abs(case.guide.astype(float) - guide)[1:-1, 1:-1].mean() < 1


def test_without_cameras_the_guide_takes_the_truths_size(tmp_path):
    path = record_scene(tmp_path / "rec.mcap")
    topics = {"source_topic": DEPTH, "guide_topic": RGB}
    assert open_dataset(path, **topics, truth_topic=TRUTH).load("pair_000000").guide.shape == (36, 48, 3)
    assert open_dataset(path, **topics).load("pair_000000").guide.shape == (40, 52, 3)
    assert open_dataset(path, **topics, scale=2).load("pair_000000").guide.shape == (18, 24, 3)


def test_a_truth_of_another_scale_is_told(tmp_path):
    path = record_scene(tmp_path / "rec.mcap")
    dataset = open_dataset(path, source_topic=DEPTH, guide_topic=RGB, truth_topic=TRUTH, scale=2)
    with pytest.raises(DatasetError, match="pair_000000: truth 48x36, guide 24x18, expected the same size"):
        dataset.load("pair_000000")


def test_recordings_without_the_topics_asked_for_are_told(bag):
    with pytest.raises(ConfigError, match=f"expected source_topic and guide_topic, from {DEPTH}, {RGB}"):
        open_dataset(bag)
    with pytest.raises(RecordingError, match="no topic '/nir'"):
        open_dataset(bag, source_topic="/nir", guide_topic=RGB)
    with pytest.raises(
        DatasetError, match=r"rec\.mcap: pair_000000: guide encoding '16UC1' is not supported"
    ):
        open_dataset(bag, source_topic=DEPTH, guide_topic=DEPTH).load("pair_000000")
