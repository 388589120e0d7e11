"""An interrupted replay is gone on with; a bag whose writer was killed is readable up to its last whole chunk."""

import json
from shutil import copy

import numpy as np
import pytest
from test_replay import GUIDE, QUICK, SOURCE, TOPICS, write_bag

from robself.errors import ConfigError, Interrupted, OutputError
from robself.recording import RecordingReader, RecordingWriter
from robself.recording.unfinished import complete
from robself.replay import Replay
from robself.replay_settings import ReplaySettings

PAIRS = 3
BLACK = {1: np.zeros((9, 12), np.uint16)}  # the second pair has no valid source


def prepared(bag, **settings):
    return Replay(bag, SOURCE, GUIDE, None, ReplaySettings(**QUICK | settings), say=lambda line: None)


def interrupt_after(pairs):
    def heed(done, progress):
        if done == pairs and progress is None:
            raise KeyboardInterrupt

    return heed


def results(bag):
    return [message.content for message in RecordingReader(bag).messages([TOPICS.status])]


@pytest.fixture
def interrupted(tmp_path):
    """A recording, and the folder of its replay that was interrupted after two of three pairs, one of them black."""
    bag = write_bag(tmp_path / "in.mcap", PAIRS, sources=BLACK)
    with pytest.raises(Interrupted, match=r"after 1 of 3 pairs, which .*sr\.unfinished keeps; .* --resume"):
        prepared(bag).run(tmp_path / "out", interrupt_after(2))
    return bag, tmp_path / "out"


def test_what_an_interrupted_replay_has_done_is_kept_and_gone_on_with(interrupted):
    bag, out = interrupted
    assert [path.name for path in out.iterdir()] == ["sr.unfinished"]
    before = list(RecordingReader(out / "sr.unfinished" / "sr").serialized())
    metrics = prepared(bag).run(out, resume=True)
    _, last = results(out / "sr.mcap")
    assert list(RecordingReader(out / "sr.mcap").serialized())[: len(before)] == before
    assert (last.warm, last.processed, last.dropped_rejected) == (False, 2, 1)
    cause = "source: none of its 108 pixels is valid"
    assert metrics["summary"]["pairs"] == {"in": 3, "used": 2, "dropped": {cause: 1}}
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "report.html", "sr.mcap"]
    with pytest.raises(OutputError, match=r"sr\.mcap: is finished, expected no --resume"):
        prepared(bag).run(out, resume=True)


def test_a_replay_killed_while_it_copied_loses_nothing(interrupted, tmp_path):
    bag, out = interrupted
    part = out / "sr.unfinished" / "sr" / "sr.mcap"
    copy(part, out / "sr.unfinished" / "before.mcap")
    part.write_bytes(part.read_bytes()[:20])
    prepared(bag).run(out, resume=True)
    assert len(results(out / "sr.mcap")) == 2


def test_results_of_other_settings_are_not_gone_on_with(interrupted):
    bag, out = interrupted
    with pytest.raises(
        ConfigError, match=r"sr\.unfinished: holds results with seed 0, got 1, expected the same"
    ):
        prepared(bag, seed=1).run(out, resume=True)
    assert len(results(out / "sr.unfinished" / "sr")) == 1


def test_an_interruption_before_the_first_result_leaves_nothing(tmp_path):
    bag = write_bag(tmp_path / "in.mcap", PAIRS, sources={0: BLACK[1]})
    with pytest.raises(Interrupted, match=r"interrupted after 0 of 3 pairs, .*sr\.mcap was not written"):
        prepared(bag).run(tmp_path / "out", interrupt_after(1))
    assert list((tmp_path / "out").iterdir()) == []


def test_one_replay_at_a_time_writes_a_folder(interrupted):
    bag, out = interrupted
    run = prepared(bag)

    def start_another(done, progress):
        with pytest.raises(OutputError, match=r"replay\.jsonl: another process is writing it"):
            prepared(bag).run(out)

    run.run(out, start_another, resume=True)
    assert json.loads((out / "metrics.json").read_text())["summary"]["pairs"]["used"] == 2


def test_a_bag_cut_anywhere_is_readable_up_to_its_last_whole_chunk(tmp_path):
    noise, sizes = np.random.default_rng(0), []
    whole = tmp_path / "folder" / "out" / "out.mcap"
    with (
        pytest.raises(KeyboardInterrupt),
        RecordingWriter(tmp_path / "out.mcap", tmp_path / "folder") as writer,
    ):
        for stamp in range(3):
            image = noise.integers(0, 256, (10, 10, 3), np.uint8)
            writer.write_image("/rgb", image, "rgb8", stamp_ns=stamp)
            writer.flush()
            sizes.append(whole.stat().st_size)
        raise KeyboardInterrupt
    content = whole.read_bytes()
    assert len(list(RecordingReader(whole).images("/rgb"))) == 3
    for size in range(0, len(content), 97):
        cut = tmp_path / "cut.mcap"
        cut.write_bytes(content[:size])
        chunks = sum(size >= each for each in sizes)
        found = len(list(RecordingReader(cut).images("/rgb"))) if complete(cut) else 0
        assert found - chunks in (0, 1), size  # a chunk is whole before its index is
