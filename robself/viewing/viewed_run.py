"""What there is to see of a run: results in one recording, what went in in the same or in another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from robself.camera_model import is_rectified
from robself.config import Modality
from robself.errors import RecordingError
from robself.output_topics import NODE, displacement_topic, output_topics
from robself.packed_image import base_topic
from robself.recording import RecordingReader
from robself.recording.status_definition import STATUS
from robself.source_encoding import UNITS


@dataclass(frozen=True)
class ViewedRun:
    """Where to look.

    Attributes:
        results: the bag with `output_topics(node)`.
        recording: the bag with the other two topics; None: `results`.
        source_topic, guide_topic: None: not shown.
    """

    results: Path
    recording: Path | None = None
    source_topic: str | None = None
    guide_topic: str | None = None
    node: str = NODE


class Seen(NamedTuple):
    """Something to show: a `RecordedImage`, a `CameraModel` ("camera") or a status message ("status")."""

    stamp_ns: int
    name: str
    item: Any


def find_run(
    place: Path,
    recording: Path | None = None,
    source_topic: str | None = None,
    guide_topic: str | None = None,
    node: str = NODE,
    say: Callable[[str], None] = lambda line: None,
) -> ViewedRun:
    """The run in a folder of `robself replay` or `robself demo`, or in a bag.

    Where nothing else is asked for, source and guide are those that `metrics.json` beside the results names.

    Args:
        say: told what is not there to be shown.

    Raises:
        RecordingError: a `metrics.json` that is none.
    """
    results = place / "sr.mcap" if (place / "sr.mcap").is_file() else place
    if recording is None and source_topic is None and guide_topic is None:
        told = _inputs(results.with_name("metrics.json"))
        if told and told[0].exists():
            return ViewedRun(results, *told, node)
        if told:
            say(f"{told[0]}, from which this was made, is not there: neither source nor guide is shown")
    return ViewedRun(results, recording, source_topic, guide_topic, node)


def _inputs(path: Path) -> tuple[Path, str, str] | None:
    """Recording and topics of a run's metrics; None if there are none, or none that name the recording."""
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))["summary"]
        if "recording" not in summary:
            return None
        return Path(summary["recording"]), summary["topics"]["source"], summary["topics"]["guide"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(
            f"{path}: no metrics of a run ({error!r}), expected those of robself replay"
        ) from error


class OpenRun:
    """A run's streams, all of whose topics are there.

    Attributes:
        topics: the bag and the topic of each image that is shown, by name.
        messages: how many there are to come.

    Raises:
        RecordingError: a recording that cannot be read, or lacks a topic.
    """

    def __init__(self, run: ViewedRun) -> None:
        results = RecordingReader(run.results)
        recording = RecordingReader(run.recording) if run.recording else results
        its = output_topics(run.node)
        wanted = {"source": run.source_topic, "guide": run.guide_topic}
        self.topics = {name: (recording, topic) for name, topic in wanted.items() if topic}
        others = {name: getattr(its, name) for name in ("guide_aligned", "translated", "confidence")}
        others["displacement"] = displacement_topic(run.node)
        self.topics["sr"] = results, its.sr
        self.topics |= {name: (results, topic) for name, topic in others.items() if topic in results.topics}
        self._images = {name: bag.images(topic) for name, (bag, topic) in self.topics.items()}
        self._results, self._sr = results, its.sr
        self._rectified = run.source_topic is not None and is_rectified(base_topic(run.source_topic))
        status = results.topics.get(its.status)
        self._status = its.status if status and status.type == STATUS else None
        self.messages = sum(bag.topics[topic].count for bag, topic in self.topics.values())

    def modality(self) -> Modality:
        """What the source measures: by the unit of the first status, else by the encoding of the result."""
        if self._status:
            for message in self._results.messages([self._status]):
                return "nir" if message.content.consistency_unit == UNITS["nir"] else "depth"
        first = next(self._results.images(self._sr), None)
        return "nir" if first is not None and first.encoding in ("mono8", "8UC1") else "depth"

    def __iter__(self) -> Iterator[Seen]:
        """All there is, in the order of the stamps.

        Raises:
            RecordingError: a recording that is damaged further on.
        """
        streams = [self._stamped(name) for name in self._images]
        return merge(self._cameras(), *streams, self._statuses(), key=attrgetter("stamp_ns"))

    def _stamped(self, name: str) -> Iterator[Seen]:
        return (Seen(image.stamp_ns, name, image) for image in self._images[name])

    def _cameras(self) -> Iterator[Seen]:
        # A node gives the camera_info as it came: of a rectified source, the projection is what counts.
        for stamp, camera in self._results.cameras(self._sr):
            yield Seen(stamp, "camera", camera.rectified() if self._rectified else camera)

    def _statuses(self) -> Iterator[Seen]:
        for message in self._results.messages([self._status]) if self._status else ():
            stamp = message.content.header.stamp
            yield Seen(stamp.sec * 10**9 + stamp.nanosec, "status", message.content)
