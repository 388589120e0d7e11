"""What a report is about: a recording that went in, and the recording of what came out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from robself.output_topics import NODE


@dataclass(frozen=True)
class RecordedRun:
    """Two recordings, matched by the stamps of the source.

    Attributes:
        input_bag: source, guide and, where there is one, the truth.
        output_bag: what the node published, or what `robself replay` wrote (`output_topics(node)`).
        truth_topic: images with the source's stamps in the source camera's frame, of the SR size or another
            of the same view; None: no errors are computed.
        slop_seconds, depth_min, depth_max: as the run had them (s; m, ignored for NIR).
        limit: how many pairs of the input were meant to be used; None: all.
        node: name of the node, namespace included, that the output topics begin with.
    """

    input_bag: Path
    output_bag: Path
    source_topic: str
    guide_topic: str
    truth_topic: str | None = None
    slop_seconds: float = 0.02
    depth_min: float = 0.1
    depth_max: float = 20.0
    limit: int | None = None
    node: str = NODE
