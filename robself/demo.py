"""The whole chain over DDS: a recording is played into the running node, and what it publishes is judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table


@dataclass(frozen=True)
class Demo:
    """What a demo left: the folder, its `report.html`, and the content of its `metrics.json`."""

    folder: Path
    report: Path
    metrics: dict[str, Any]

    def table(self) -> Table:
        """Pairs, latency and errors, to print."""
        raise NotImplementedError


def run_demo(
    output: str | Path = "demo_output",
    *,
    bag: str | Path | None = None,
    source_topic: str | None = None,
    guide_topic: str | None = None,
    gt_topic: str | None = None,
    frames: int = 20,
    rate: float = 1.0,
    device: str = "auto",
    iterations: int = 0,
) -> Demo:
    """Plays a recording into `robself_ros.node` over DDS, records what it publishes, and writes a report.

    Shows its progress on stderr and prints nothing else.

    Args:
        output: a folder, made if need be; holds `report.html`, `metrics.json`, `sr.mcap`, `node.log` and, if
            it was rendered, `recording.mcap` afterwards. Those are replaced, nothing else is touched.
        bag: the user's own recording; None: the built-in one is rendered.
        source_topic, guide_topic: its images, with `bag` alone. gt_topic: the truth, where it has one.
        frames: of the built-in recording.
        rate: how fast to play, 1: as it was recorded.
        device: "auto", "cpu", "cuda", "cuda:1"...
        iterations: for every keyframe; 0: what the time between frames allows.

    Raises:
        ConfigError: options that do not fit each other.
        RecordingError: a recording or topic that is missing or damaged.
        OutputError: a folder that cannot be written to.
        RobSelfError: no ROS 2 here, or a process of the demo failed, with the last lines of its log.
        KeyboardInterrupt: Ctrl-C; then all processes have been ended.
    """
    raise NotImplementedError
