"""Player, node and recorder as processes, until the last result is recorded."""

from __future__ import annotations

import random
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from robself.demo.child_processes import ChildProcesses
from robself.demo.stream import Stream
from robself.errors import RobSelfError
from robself.output_topics import NODE, output_topics
from robself.progress import bar

READY_SECONDS = 150.0  # for the node: torch may come from a slow disk
LATE_SECONDS = 30.0  # after the last sign of life and a keyframe's budget, no further result is waited for
POLL_SECONDS = 0.5


def run_chain(stream: Stream, rate: float, result: Path, node_log: Path) -> None:
    """Plays the stream into the node, and records what that publishes.

    Args:
        rate: recorded seconds per second. result: the `.mcap` file to record. node_log: what the node says.

    Raises:
        RobSelfError: a process failed; the last lines of their logs are on stderr then.
    """
    with (
        TemporaryDirectory(prefix="robself_demo_") as scratch,
        ChildProcesses(graph_of_its_own(scratch)) as children,
    ):
        try:
            with Console(stderr=True).status("starting the node"):
                children.start("node", node_log, "robself_ros.node", *_node_arguments(stream), tells=False)
                children.start(
                    "recorder",
                    Path(scratch, "recorder.log"),
                    *("robself_ros.wait_until_active", NODE, "--"),
                    *(sys.executable, "-m", "robself_ros.recorder", str(result), *output_topics()),
                )
                if children.next_event(READY_SECONDS) is None:
                    raise RobSelfError(f"the node is not ready after {READY_SECONDS:.0f} s")
            children.start(
                "player",
                Path(scratch, "player.log"),
                *("robself_ros.player", str(stream.bag), *stream.topics.values()),
                *("--rate", str(rate), "--clock", "--linger", "inf"),
            )
            _follow(children, stream, rate)
            children.stop("recorder")
        except RobSelfError:
            print(children.tails(), file=sys.stderr)
            raise


def require_ros(who: str, needs: str) -> None:
    """Raises RobSelfError: there is no ROS 2, or not this project's part of it."""
    if find_spec("rclpy") is None or find_spec("robself_ros") is None:
        raise RobSelfError(f"{who} needs {needs}: pip install 'robself[ros]' or source your ROS installation")
    if find_spec("robself_ros.msg") is None:
        raise RobSelfError(f"{who} needs robself_ros/msg/Status: `make install` or colcon builds it")


def graph_of_its_own(scratch: str) -> dict[str, str]:
    """Variables for child processes: a ROS graph of their own, and the DDS profile that loses no images."""
    from robself_ros import dds

    return {
        "ROS_DOMAIN_ID": str(random.SystemRandom().randint(51, 100)),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_LOG_DIR": scratch,
        **dds.environment(),
    }


def _node_arguments(stream: Stream) -> list[str]:
    arguments = ["--ros-args", "-p", "use_sim_time:=true"]  # the recording's clock, for its stamps' sake
    for name, topic in stream.remappings.items():
        arguments += ["-r", f"{name}:={topic}"]
    for name, value in stream.parameters.items():
        arguments += ["-p", f"{name}:={value}"]
    return arguments


def _follow(children: ChildProcesses, stream: Stream, rate: float) -> None:
    """Until the result of the last image is there, or no more can be expected."""
    status = output_topics().status
    patience = LATE_SECONDS + stream.parameters.get("budget.first_seconds", 0.0)
    played, results, last_played, last_result = 0, 0, None, None
    begin = heard = time.monotonic()
    with bar("playing", stream.seconds / rate) as update:
        while played < stream.frames or last_result != last_played:
            event = children.next_event(POLL_SECONDS)
            if event is not None:
                heard = time.monotonic()
                if played == 0:
                    begin = heard
                topic, stamp = event.facts["topic"], event.facts["stamp_ns"]
                if topic == stream.source:
                    played, last_played = played + 1, stamp
                elif topic == status:
                    results, last_result = results + 1, stamp
            elif played == stream.frames and time.monotonic() - heard > patience:
                Console(stderr=True).print(f"no result for the last image within {patience:.0f} s")
                return
            update(time.monotonic() - begin, f"frame {played}/{stream.frames}, {results} results")
