"""Programs ended at moments drawn by a seed: nothing half-written, nothing in the way of a new start.

Six of fifty moments by default; all with `-m "long or not long"`.
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluation_runs import write_pairs
from heeding import PATIENCE_SECONDS, wait_until_it_heeds, waiting_per_cpu
from node_process import NodeProcess
from test_cli import SIZE, TOPICS, colour, millimetres
from test_eval_cli import metrics_of
from test_replay import write_bag

from robself.output_topics import output_topics
from robself.recording import RecordingReader
from robself.recording.unfinished import complete

END_SECONDS = 1.0  # of a machine that does nothing else
SPAN_SECONDS = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
PAIRS = 4


@dataclass(frozen=True)
class Moment:
    """`seconds` after the program has begun to heed signals."""

    target: str
    number: signal.Signals
    seconds: float


def moments(count: int) -> list[Moment]:
    """Programs and signals in turn, times by a seed, every third of them in the first second."""
    draw, targets = random.Random(0), tuple(AFTERMATHS)
    return [
        Moment(
            targets[index % 4],
            SIGNALS[(index // 4 + index) % 3],
            draw.uniform(0, 1.0 if index % 3 == 1 else SPAN_SECONDS),
        )
        for index in range(count)
    ]


@contextmanager
def started(folder: Path, *arguments: object) -> Iterator[subprocess.Popen]:
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "robself", *map(str, arguments)],
            cwd=folder,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def finished(folder: Path, *arguments: object) -> None:
    with started(folder, *arguments) as process:
        code = process.wait(PATIENCE_SECONDS)
    assert code == 0, (folder / "said.txt").read_text()


def end_of(process: subprocess.Popen, moment: Moment) -> tuple[int, float]:
    """Exit code, and seconds from the signal on; a program may have come to its end before it."""
    wait_until_it_heeds(process)
    try:
        return process.wait(moment.seconds), 0.0
    except subprocess.TimeoutExpired:
        begin = time.monotonic()
        process.send_signal(moment.number)
        return process.wait(PATIENCE_SECONDS), time.monotonic() - begin


def end_command(folder: Path, moment: Moment, *arguments: object) -> float:
    with started(folder, *arguments) as process:
        code, seconds = end_of(process, moment)
    said = (folder / "said.txt").read_text()
    assert code in (0, -moment.number if moment.number == signal.SIGKILL else 130), said
    assert "Traceback" not in said
    assert code != 130 or said.splitlines()[-1].startswith("robself: interrupted")
    assert moment.number == signal.SIGKILL or seconds < END_SECONDS * waiting_per_cpu()
    return seconds


def end_node(folder: Path, moment: Moment) -> float:
    with NodeProcess(folder) as node:
        code, seconds = end_of(node.process, moment)
        if moment.number != signal.SIGKILL:
            assert code == 0 and seconds < END_SECONDS * waiting_per_cpu(), node.said
            assert "Traceback" not in node.said
            return seconds
    with NodeProcess(folder, domain=node.domain).wait_until_active() as again:
        assert again.stop()[0] == 0, again.said
    return seconds


def end_sr(folder: Path, moment: Moment) -> float:
    cv2.imwrite(str(folder / "depth.png"), millimetres())
    cv2.imwrite(str(folder / "rgb.png"), colour())
    seconds = end_command(folder, moment, "sr", "depth.png", "rgb.png", "-o", "sr.npy", "--iterations", 150)
    assert not (folder / "sr.npy").exists() or np.load(folder / "sr.npy").shape == SIZE
    if moment.number != signal.SIGKILL:
        assert not list(folder.glob(".*"))
    return seconds


def end_replay(folder: Path, moment: Moment) -> float:
    out, status = folder / "out", output_topics().status
    bag = write_bag(folder / "in.mcap", PAIRS)
    command = [
        "replay",
        bag,
        *TOPICS,
        "-o",
        "out",
        "--first-iterations",
        20,
        "--iterations",
        20,
        "--pictures",
        0,
    ]
    seconds = end_command(folder, moment, *command)
    part, done = out / "sr.unfinished" / "sr" / "sr.mcap", 0
    if (out / "report.html").exists():
        return seconds
    if part.exists() and complete(part):
        done = RecordingReader(part).topics[status].count
    finished(folder, *command, "--resume")
    assert {path.name for path in out.iterdir()} == {"sr.mcap", "metrics.json", "report.html"}
    results = [message.content for message in RecordingReader(out / "sr.mcap").messages([status])]
    assert [result.processed for result in results] == [1, 2, 3, 4]
    assert [result.warm for result in results[:done]] == [False, True, True, True][:done]
    return seconds


def end_eval(folder: Path, moment: Moment) -> float:
    write_pairs(folder / "pairs")
    command = [
        "eval",
        "--dataset",
        "pairs",
        "-o",
        "out",
        "--methods",
        "bicubic,robself_re",
        "--iterations",
        6,
    ]
    seconds = end_command(folder, moment, *command)
    finished(folder, *command, "--resume")
    assert len(metrics_of(folder / "out")["runs"]) == 6
    return seconds


AFTERMATHS: dict[str, Callable[[Path, Moment], float]] = {
    "node": end_node,
    "sr": end_sr,
    "replay": end_replay,
    "eval": end_eval,
}


@pytest.mark.ros
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "moment",
    [pytest.param(one, marks=[pytest.mark.long] * (index >= 6)) for index, one in enumerate(moments(50))],
    ids=lambda moment: f"{moment.target}-{moment.number.name}-{moment.seconds:.2f}s",
)
def test_a_program_ended_at_any_moment_leaves_nothing_half_done(tmp_path, record_property, moment):
    seconds = AFTERMATHS[moment.target](tmp_path, moment)
    record_property("exit_seconds", f"{moment.target} {moment.number.name} {seconds:.3f}")
