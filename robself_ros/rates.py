"""Send pairs to a running node at several rates, and tell what came back: `python -m robself_ros.rates --help`.

The first frames of a recording are sent to and fro, as if they were new: stamped with the time at which they are
sent. For each rate a line of JSON goes to stdout, see `Subject.at_rate`; seconds are of the wall clock.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from robself.errors import RobSelfError
from robself.output_topics import output_topics
from robself.pairing import NANOSECONDS
from robself.recording import RecordingReader
from robself_ros.conversions import stamp_ns
from robself_ros.helper_process import helper_process
from robself_ros.message_types import message_class
from robself_ros.msg import Status
from robself_ros.outputs import QOS

PATIENCE_SECONDS = 120.0  # for a first result, a cold keyframe: torch may have to be loaded before
LOST_SECONDS = 30.0  # after a pair whose result would have come at once
AGAIN_SECONDS = 2.0  # a first pair that came before the node had subscribed is sent again
DROPPED = ("unpaired", "replaced", "rejected", "stale")


class Frame(NamedTuple):
    """One moment of a recording: messages by topic, and their stamps (ns) after the first one's."""

    messages: dict[str, Any]
    delays: dict[str, int]


class Result(NamedTuple):
    """Of one pair, in seconds: from its stamp to the image's arrival here, and what the node says it took."""

    latency: float
    processing: float


class Subject:
    """The node, as its cameras and its listener see it.

    Args:
        frames: at least one; `/source/…` and `/guide/…` are the topics it subscribes to.
    """

    def __init__(self, node: Node, frames: list[Frame]) -> None:
        self._frames = itertools.cycle([*frames, *frames[-2:0:-1]])  # to and fro
        self._publishers = {
            topic: node.create_publisher(type(message), topic, qos_profile_sensor_data)
            for topic, message in frames[0].messages.items()
        }
        topics = output_topics()
        node.create_subscription(Image, topics.sr, self._take_image, QOS)
        node.create_subscription(Status, topics.status, self._take_status, QOS)
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._arrivals: dict[int, int] = {}
        self._statuses: list[Status] = []

    def wait_for_first_result(self) -> None:
        """Past the cold keyframe, with nothing in work.

        Raises:
            RobSelfError: none came in time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._statuses:
            if time.monotonic() > deadline:
                raise RobSelfError(f"no result within {PATIENCE_SECONDS:.0f} s")
            if all(publisher.get_subscription_count() for publisher in self._publishers.values()):
                self._send()
            self._spin_until(lambda: bool(self._statuses), AGAIN_SECONDS)
        self._finish(self._send())

    def at_rate(self, rate: float, seconds: float) -> dict[str, Any]:
        """Send so many pairs a second for so long, and wait for the result of the last.

        That one tells nothing about the rate: it waits for as long as the pair in work takes, since no newer one
        takes its place.

        Returns:
            rate, sent; results: without the last; throughput: all results a second; latency, processing: p50, p95
            and max in seconds; waiting: the longest time between a pair's stamp and its processing; longest_gap:
            between two pairs sent; dropped: by cause, those that never reached the node as "lost"; in_order:
            whether the stamps of the results rose.
        """
        before, known = self._statuses[-1], len(self._statuses)
        begin = time.monotonic()
        sent = [self._send()]
        while (due := begin + len(sent) / rate) < begin + seconds:
            self._spin_until(lambda: False, due - time.monotonic())
            sent.append(self._send())
        self._finish(sent[-1])
        after, new = self._statuses[-1], self._statuses[known:]
        stamps = [stamp_ns(status.header) for status in new]
        results = [
            Result((self._arrivals[stamp] - stamp) / NANOSECONDS, status.processing_seconds)
            for stamp, status in zip(stamps, new, strict=True)
            if stamp in self._arrivals and stamp != sent[-1]
        ]
        dropped = {
            cause: getattr(after, f"dropped_{cause}") - getattr(before, f"dropped_{cause}")
            for cause in DROPPED
        }
        return {
            "rate": rate,
            "sent": len(sent),
            "results": len(results),
            "throughput": len(stamps) / (time.monotonic() - begin),
            "latency": _spread([result.latency for result in results]),
            "processing": _spread([result.processing for result in results]),
            "waiting": max((result.latency - result.processing for result in results), default=None),
            "longest_gap": max(np.diff(sent), default=0) / NANOSECONDS,
            "dropped": {**dropped, "lost": len(sent) - (after.sources_received - before.sources_received)},
            "in_order": all(one < other for one, other in itertools.pairwise(stamps)),
        }

    def one_by_one(self, pairs: int) -> Iterator[int]:
        """Send so many pairs, each when the last has come back; gives each time how many have, of all sent.

        One that has not come back after `LOST_SECONDS` is given up.
        """
        known = len(self._statuses)
        for _ in range(pairs):
            self._finish(self._send(), LOST_SECONDS)
            yield len(self._statuses) - known

    def _send(self) -> int:
        """One frame, now; its stamp."""
        frame, now = next(self._frames), time.time_ns()
        for topic, message in frame.messages.items():
            stamp = message.header.stamp
            stamp.sec, stamp.nanosec = divmod(now + frame.delays[topic], NANOSECONDS)
            self._publishers[topic].publish(message)
        return now

    def _finish(self, stamp: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Until the result of that pair has come, or none at all for long."""
        self._spin_until(
            lambda: stamp in self._arrivals and stamp_ns(self._statuses[-1].header) == stamp, seconds
        )

    def _spin_until(self, done: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not done() and (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def _take_image(self, image: Image) -> None:
        self._arrivals[stamp_ns(image.header)] = time.time_ns()

    def _take_status(self, status: Status) -> None:
        self._statuses.append(status)


def frames_of(bag: str, source: str, guide: str) -> list[Frame]:
    """All frames of a recording, for the topics that the node subscribes to.

    Args:
        source, guide: recorded topics of images; their camera_info comes along where there is any.

    Raises:
        RecordingError: a recording or topic that is missing or damaged. RobSelfError: no frame in it.
    """
    recording = RecordingReader(bag)
    topics = {source: "/source/image", guide: "/guide/image"}
    for image, role in ((source, "source"), (guide, "guide")):
        if info := recording.camera_info_topic(image):
            topics[info] = f"/{role}/camera_info"
    messages: dict[str, list[Any]] = {topic: [] for topic in topics}
    for one in recording.serialized(list(topics)):
        messages[one.topic].append(deserialize_message(bytes(one.data), message_class(one.type)))
    frames = list(_frames(messages, topics))
    if not frames:
        raise RobSelfError(f"{bag}: no frame, expected one of {', '.join(topics)} at least")
    return frames


def _frames(messages: dict[str, list[Any]], topics: dict[str, str]) -> Iterator[Frame]:
    for together in zip(*messages.values(), strict=False):
        first = min(stamp_ns(message.header) for message in together)
        named = dict(zip(topics.values(), together, strict=True))
        yield Frame(named, {topic: stamp_ns(message.header) - first for topic, message in named.items()})


def _spread(seconds: list[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    p50, p95 = np.percentile(seconds, (50, 95))
    return {"p50": float(p50), "p95": float(p95), "max": max(seconds)}


def main() -> None:
    """Exit codes: 0, 2 for wrong input or a node that gives nothing, 130 after SIGINT or SIGTERM."""
    arguments = _arguments()
    with helper_process("rates"):
        frames = frames_of(arguments.bag, arguments.source, arguments.guide)
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        subject = Subject(rclpy.create_node("rates", start_parameter_services=False), frames)
        subject.wait_for_first_result()
        for rate in arguments.rates:
            print(json.dumps(subject.at_rate(rate, arguments.seconds)), flush=True)
        time.sleep(arguments.linger)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m robself_ros.rates", description=__doc__)
    parser.add_argument("bag", help="a rosbag2 folder, a .mcap, .db3 or ROS 1 .bag file")
    parser.add_argument("source", help="recorded topic of the source's images")
    parser.add_argument("guide", help="recorded topic of the guide's images")
    parser.add_argument(
        "--rates", nargs="+", type=float, default=[1.0, 5.0, 15.0, 30.0], help="pairs a second"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to send at each (default 10)")
    parser.add_argument(
        "--linger",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="stay so long after the last rate (default 0)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
