"""What a demo plays: the built-in recording or the user's, and what the node is told about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from robself.depth_encoding import DEPTH_ENCODINGS
from robself.device import choose_device, compute_type
from robself.errors import ConfigError, RecordingError
from robself.packed_image import base_topic
from robself.progress import pairs_bar
from robself.recording import RecordingReader
from robself.recording.reader import IMAGES
from robself.rendering.recording import GUIDE_TOPIC, SOURCE_TOPIC, TRUTH_TOPIC, write_recording


class Pace(NamedTuple):
    """When the frames of the built-in recording come, and what the node is to make of them; in seconds.

    The robot stands still after the first frame, for which the network is optimised from nothing. Then a frame
    comes every period, and every n-th is a keyframe. One may take longer than a period: the next pair waits in
    the node's mailbox, and the tracked ones make up for it.
    """

    standstill: float
    period: float
    keyframe_every: int

    @property
    def parameters(self) -> dict[str, Any]:
        """The node's."""
        return {
            "keyframe.every_n": self.keyframe_every,
            "budget.first_seconds": 0.95 * self.standstill,
            "budget.seconds": 1.2 * self.period,
        }


PACES = {
    "cuda": Pace(10.0, 1.0, 4),
    "cpu": Pace(75.0, 3.0, 4),
    "cpu without bfloat16": Pace(125.0, 5.0, 4),
}


def pace_on(device: str, period_seconds: float | None) -> Pace:
    """What a device can hold; another period changes the standstill in proportion.

    Raises:
        ConfigError: a device this machine has not.
    """
    chosen = choose_device(device)
    slow = chosen.type == "cpu" and compute_type(chosen) == torch.float32
    pace = PACES["cpu without bfloat16" if slow else chosen.type]
    if period_seconds is None:
        return pace
    return Pace(pace.standstill / pace.period * period_seconds, period_seconds, pace.keyframe_every)


@dataclass(frozen=True)
class Stream:
    """Topics of a recording, and the node's parameters."""

    bag: Path
    source: str
    guide: str
    truth: str | None
    parameters: dict[str, Any]
    frames: int
    seconds: float

    @property
    def topics(self) -> dict[str, str]:
        """Recorded topics by what the node calls them."""
        reader = RecordingReader(self.bag)
        topics = {"source/image": self.source, "guide/image": self.guide}
        for role, image in (("source", self.source), ("guide", self.guide)):
            if info := reader.camera_info_topic(image):
                topics[f"{role}/camera_info"] = info
        return topics

    @property
    def remappings(self) -> dict[str, str]:
        """As `topics`, but compressed images by the name that they have without compression."""
        return {name: base_topic(topic) for name, topic in self.topics.items()}


def rendered(path: Path, frames: int, pace: Pace, parameters: dict[str, Any]) -> Stream:
    """The built-in recording, made at that path.

    Raises:
        ConfigError: no frames, or no time between them. OutputError: the place cannot be written to.
    """
    with pairs_bar("rendering", frames) as update:
        write_recording(
            path,
            frames=frames,
            period_seconds=pace.period,
            standstill_seconds=pace.standstill - pace.period,
            on_progress=lambda done, _: update(done),
        )
    return recorded(path, SOURCE_TOPIC, GUIDE_TOPIC, TRUTH_TOPIC, pace.parameters | parameters)


def recorded(
    bag: str | Path, source: str | None, guide: str | None, truth: str | None, parameters: dict[str, Any]
) -> Stream:
    """A recording, checked; what its images say is added to the parameters.

    Raises:
        ConfigError: no topics given. RecordingError: a recording or topic that is missing or damaged.
    """
    reader = RecordingReader(bag)
    if source is None or guide is None:
        images = [topic for topic, info in reader.topics.items() if info.type in IMAGES]
        raise ConfigError(
            f"{bag}: expected a source topic and a guide topic, its images are {', '.join(images) or 'none'}"
        )
    first = {topic: next(reader.images(topic), None) for topic in (source, guide, truth) if topic}
    if empty := [topic for topic, image in first.items() if image is None]:
        raise RecordingError(f"{bag}: no image on {', '.join(empty)}")
    found = {
        "modality": "depth" if first[source].encoding in DEPTH_ENCODINGS else "nir",
        # That of the truth, so that the two can be compared; else the guide's.
        **_transports({"source": source, "guide": guide}),
        "factor": first[truth].array.shape[1] / first[source].array.shape[1] if truth else 0.0,
    }
    return Stream(
        reader.path,
        source,
        guide,
        truth,
        found | parameters,
        reader.topics[source].count,
        reader.duration_seconds,
    )


def _transports(topics: dict[str, str]) -> dict[str, str]:
    """The node's parameters for those topics whose names end in a transport."""
    return {
        f"{role}.transport": topic.rpartition("/")[2]
        for role, topic in topics.items()
        if topic != base_topic(topic)
    }
