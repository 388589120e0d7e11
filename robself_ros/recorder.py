"""Record topics: `python -m robself_ros.recorder OUT.mcap TOPIC…`, until SIGINT or SIGTERM.

What came over DDS is written byte for byte. A message with a header is filed under its stamp, as by
`robself replay`, so that a result lies beside the image it belongs to; any other under the time of its arrival.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions

from robself.errors import RobSelfError
from robself.recording import RecordingWriter
from robself_ros.message_types import message_class
from robself_ros.serialized_header import stamp_ns

PATIENCE_SECONDS = 20.0  # until there are publishers
POLL_SECONDS = 0.1
QUIET_SECONDS = 0.3  # without a message, after which all that was under way has come
DRAIN_SECONDS = 2.0  # at most, where messages keep coming
QOS = QoSProfile(history=HistoryPolicy.KEEP_ALL)  # reliable: nothing is lost, however slow the disk


class Recorder:
    """Writes what is published on some topics.

    Args:
        on_message: told the topic and the stamp (ns; None without a header) of each message that is written.
    """

    def __init__(
        self, node: Node, writer: RecordingWriter, on_message: Callable[[str, int | None], None]
    ) -> None:
        self._node, self._writer, self._on_message = node, writer, on_message
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._last_arrival = time.monotonic()

    def subscribe(self, topics: Sequence[str], seconds: float, stopped: Callable[[], bool]) -> None:
        """To each topic as soon as somebody publishes it, for until then its type is unknown.

        Raises:
            RobSelfError: some were not published in time.
        """
        deadline = time.monotonic() + seconds
        missing = list(topics)
        while missing and not stopped():
            if time.monotonic() > deadline:
                raise RobSelfError(f"nobody published {', '.join(missing)} within {seconds:.0f} s")
            for topic in missing[:]:
                if publishers := self._node.get_publishers_info_by_topic(topic):
                    self._subscribe(topic, publishers[0].topic_type)
                    missing.remove(topic)
            if missing:
                self._executor.spin_once(timeout_sec=POLL_SECONDS)

    def record(self, stopped: Callable[[], bool]) -> None:
        """Until told to stop, and then what is still under way.

        Raises:
            OutputError: the recording cannot be written.
        """
        while not stopped():
            self._executor.spin_once(timeout_sec=POLL_SECONDS)
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < min(deadline, self._last_arrival + QUIET_SECONDS):
            self._executor.spin_once(timeout_sec=POLL_SECONDS)

    def _subscribe(self, topic: str, kind: str) -> None:
        message = message_class(kind)
        take = partial(self._take, topic, kind, message)
        self._node.create_subscription(message, topic, take, QOS, raw=True)

    def _take(self, topic: str, kind: str, message: type, data: bytes) -> None:
        self._last_arrival = time.monotonic()
        stamp = stamp_ns(message, data)
        time_ns = time.time_ns() if stamp is None else stamp
        self._writer.write_serialized(topic, kind, data, time_ns=time_ns)
        self._on_message(topic, stamp)


def main() -> None:
    """Record, and tell on stdout by a line of JSON that all topics are being recorded, then each message.

    Exit codes: 0 after SIGINT or SIGTERM, the recording being complete; 2 when there is none.
    """
    arguments = _arguments()
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: signals.append(received))

    def stopped() -> bool:
        return bool(signals)

    try:
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        with RecordingWriter(arguments.output) as writer:
            node = rclpy.create_node("recorder", start_parameter_services=False)
            recorder = Recorder(node, writer, lambda topic, stamp: _tell(topic=topic, stamp_ns=stamp))
            recorder.subscribe(arguments.topics, PATIENCE_SECONDS, stopped)
            _tell(recording=arguments.topics)
            recorder.record(stopped)
    except RobSelfError as error:
        print(f"recorder: {error}", file=sys.stderr)
        sys.exit(2)
    finally:
        rclpy.try_shutdown()


def _tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m robself_ros.recorder", description="Record topics.")
    parser.add_argument("output", help="a .mcap file, replaced if it is there, or a new rosbag2 folder")
    parser.add_argument("topics", nargs="+", metavar="TOPIC")
    return parser.parse_args()


if __name__ == "__main__":
    main()
