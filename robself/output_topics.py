"""What the node publishes, by name; `robself replay` writes the same."""

from __future__ import annotations

from typing import NamedTuple

NODE = "/robself_node"


class OutputTopics(NamedTuple):
    """Resolved topic names."""

    sr: str
    camera_info: str
    guide_aligned: str
    translated: str
    confidence: str
    status: str


def output_topics(node: str = NODE) -> OutputTopics:
    """Topics of a node of that name, namespace included."""
    images = "guide_aligned/image", "translated/image", "confidence/image"
    names = ("sr/image", "sr/camera_info", *images, "status")
    return OutputTopics(*(f"{node}/{name}" for name in names))


def displacement_topic(node: str = NODE) -> str:
    """32FC2: what `robself replay --displacement` writes beside them (see `robself.pair.Result`)."""
    return f"{node}/displacement/image"
