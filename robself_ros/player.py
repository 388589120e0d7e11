"""Play a recording over DDS: `python -m robself_ros.player BAG [TOPIC…] [--rate R] [--clock]`.

The messages are published as they were recorded, byte for byte, so with their own stamps, at the recording's
pace. A node that measures time against those stamps needs the recording's clock: `--clock` here and
`use_sim_time` there.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from itertools import chain

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock

from robself.errors import ConfigError, RecordingError, RobSelfError
from robself.recording import RecordingReader, SerializedMessage
from robself_ros.helper_process import helper_process
from robself_ros.message_types import message_class
from robself_ros.serialized_header import stamp_ns

NANOSECONDS = 10**9
PATIENCE_SECONDS = 20.0  # until there are subscribers; discovery alone takes up to 3 s
POLL_SECONDS = 0.05
CLOCK_SECONDS = 0.02  # between two ticks
LEAD_SECONDS = 1.0  # the clock runs before the first message, for nodes start at time 0
QOS = QoSProfile(depth=100)  # reliable: a recorder misses nothing, and best-effort cameras' listeners fit too


class Player:
    """Publishes the messages of some topics.

    Args:
        topics: none: all that the recording has.
        rate: recorded seconds per second.
        clock: publish the recording's time on `/clock`.

    Raises:
        RecordingError: a missing topic, or no message on any.
        ConfigError: a rate that is not positive; a message type that is not installed.
    """

    def __init__(
        self, node: Node, recording: RecordingReader, topics: Sequence[str], rate: float, clock: bool
    ) -> None:
        if not (math.isfinite(rate) and rate > 0):
            raise ConfigError(f"rate: {rate!r}, expected more than 0")
        topics = topics or list(recording.topics)
        self._messages = recording.serialized(topics)
        first = next(self._messages, None)
        if first is None:
            raise RecordingError(f"{recording.path}: no message on {', '.join(topics)}")
        self._messages = chain([first], self._messages)
        self._rate = rate
        self._publishers = {
            topic: node.create_publisher(message_class(recording.topics[topic].type), topic, QOS)
            for topic in topics
        }
        self._clock = node.create_publisher(Clock, "/clock", QoSProfile(depth=1)) if clock else None
        self._begin = 0.0  # steady time of the first message
        self._first_ns = first.time_ns

    def wait_for_subscribers(self, seconds: float) -> None:
        """Until every topic has one.

        Raises:
            RobSelfError: some had none in time.
        """
        deadline = time.monotonic() + seconds
        while missing := [t for t, one in self._publishers.items() if not one.get_subscription_count()]:
            if time.monotonic() > deadline:
                raise RobSelfError(f"nobody subscribed to {', '.join(missing)} within {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def play(self) -> Iterator[SerializedMessage]:
        """Publish one message after another, each when it is due; gives those that have been published."""
        self._begin = time.monotonic() + (LEAD_SECONDS if self._clock else 0.0)
        for message in self._messages:
            self._wait(self._begin + (message.time_ns - self._first_ns) / NANOSECONDS / self._rate)
            self._publishers[message.topic].publish(bytes(message.data))
            yield message

    def linger(self, seconds: float) -> None:
        """Stay, with the clock running: what was published last is still being fetched from this process."""
        self._wait(time.monotonic() + seconds)

    def _wait(self, until: float) -> None:
        """Until that steady time, ticking."""
        while (left := until - time.monotonic()) > 0:
            self._tick()
            time.sleep(min(left, CLOCK_SECONDS))
        self._tick()

    def _tick(self) -> None:
        if self._clock is None:
            return
        played = (time.monotonic() - self._begin) * self._rate
        seconds, nanoseconds = divmod(self._first_ns + round(played * NANOSECONDS), NANOSECONDS)
        now = Clock()
        now.clock.sec, now.clock.nanosec = seconds, nanoseconds
        self._clock.publish(now)


def main() -> None:
    """Play, and tell each message on stdout by a line of JSON: its topic and its stamp (ns).

    Exit codes: 0, 2 for wrong input or when nobody listens, 130 after SIGINT or SIGTERM.
    """
    arguments = _arguments()
    with helper_process("player"):
        recording = RecordingReader(arguments.bag)
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        node = rclpy.create_node("player", start_parameter_services=False)
        player = Player(node, recording, arguments.topics, arguments.rate, arguments.clock)
        player.wait_for_subscribers(PATIENCE_SECONDS)
        for message in player.play():
            stamp = stamp_ns(message_class(message.type), message.data)
            print(json.dumps({"topic": message.topic, "stamp_ns": stamp}), flush=True)
        player.linger(arguments.linger)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m robself_ros.player", description="Play a recording.")
    parser.add_argument("bag", help="a rosbag2 folder, a .mcap, .db3 or ROS 1 .bag file")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="default: all")
    parser.add_argument("--rate", type=float, default=1.0, help="recorded seconds per second (default 1)")
    parser.add_argument("--clock", action="store_true", help="publish the recording's time on /clock")
    parser.add_argument(
        "--linger",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="stay so long after the last message, the clock running (default 1; inf: until SIGINT)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
