import threading
import time
from contextlib import suppress

import pytest
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from recorded_streams import DEPTH, FRAMES, PERIOD_SECONDS, START_NS, record_streams
from ros_processes import Program
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return record_streams(tmp_path_factory.mktemp("bag") / "in.mcap")


def test_messages_come_in_their_order_at_their_own_pace(bag, tmp_path, listener):
    arrivals = listener.images(DEPTH)
    with Program(tmp_path, "player", bag, DEPTH) as player:
        assert player.ends() == 0, player.log.read_text()
    stamps = [stamp for stamp, *_ in arrivals]
    assert stamps == [START_NS + round(index * PERIOD_SECONDS * 1e9) for index in range(FRAMES)]
    took = arrivals[-1][1] - arrivals[0][1]
    assert 0.7 < took / ((FRAMES - 1) * PERIOD_SECONDS) < 1.8


def test_half_the_rate_takes_twice_the_time(bag, tmp_path, listener):
    arrivals = listener.images(DEPTH)
    with Program(tmp_path, "player", bag, DEPTH, "--rate", 0.5) as player:
        assert player.ends() == 0, player.log.read_text()
    took = arrivals[-1][1] - arrivals[0][1]
    assert 0.95 < took / ((FRAMES - 1) * PERIOD_SECONDS / 0.5) < 1.8


def test_the_clock_tells_the_recordings_time(bag, tmp_path, listener):
    arrivals = listener.images(DEPTH, sim_time=True)
    with Program(tmp_path, "player", bag, DEPTH, "--clock") as player:
        assert player.ends() == 0, player.log.read_text()
    assert len(arrivals) == FRAMES
    for stamp, _, now in arrivals:
        assert now - stamp == pytest.approx(0, abs=0.5e9)


def test_best_effort_subscribers_are_served(bag, tmp_path, listener):
    arrivals = listener.images(DEPTH, qos=qos_profile_sensor_data)
    with Program(tmp_path, "player", bag, DEPTH) as player:
        assert player.ends() == 0, player.log.read_text()
    assert len(arrivals) >= FRAMES - 2


def test_a_player_can_be_stopped(bag, tmp_path, listener):
    listener.images(DEPTH)
    with Program(tmp_path, "player", bag, DEPTH, "--linger", "inf") as player:
        for _ in range(FRAMES):
            assert player.tells()["topic"] == DEPTH
        assert player.stop() == 130
        assert player.log.read_text() == ""


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nowhere.mcap"], "nowhere.mcap: no such recording"),
        (["{bag}", "/depth/image"], "no topic '/depth/image', expected one of: /depth/image_raw"),
        (["{bag}", "--rate", "0"], "rate: 0.0, expected more than 0"),
    ],
)
def test_wrong_input_is_told_in_one_line(bag, tmp_path, arguments, said):
    with Program(tmp_path, "player", *(text.format(bag=bag) for text in arguments)) as player:
        assert player.ends() == 2
    (line,) = player.log.read_text().splitlines()
    assert said in line


class Listener:
    """A node that keeps stamp (ns), arrival (s, steady) and its clock's time (ns) of each image."""

    def __init__(self, context: rclpy.Context) -> None:
        self._context, self._nodes = context, []
        self._executor = SingleThreadedExecutor(context=context)
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def images(self, topic: str, sim_time: bool = False, qos: QoSProfile | None = None) -> list:
        node = rclpy.create_node(
            f"listener_{len(self._nodes)}",
            context=self._context,
            parameter_overrides=[Parameter("use_sim_time", value=sim_time)],
        )
        arrivals = []

        def take(image: Image) -> None:
            stamp = image.header.stamp.sec * 10**9 + image.header.stamp.nanosec
            arrivals.append((stamp, time.monotonic(), node.get_clock().now().nanoseconds))

        node.create_subscription(Image, topic, take, qos or QoSProfile(depth=100))
        self._nodes.append(node)
        self._executor.add_node(node)
        return arrivals

    def end(self) -> None:
        rclpy.shutdown(context=self._context)
        self._thread.join()
        for node in self._nodes:
            node.destroy_node()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()


@pytest.fixture
def listener():
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    listening = Listener(context)
    yield listening
    listening.end()
