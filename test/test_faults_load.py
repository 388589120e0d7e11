"""More than a node can compute, two of them at once, and one that goes up and down again and again, over DDS."""

import pytest
from lifecycle_msgs.msg import Transition
from node_process import NodeProcess
from rclpy.qos import qos_profile_sensor_data
from robot import RELIABLE, Robot, stamp_of, values_of
from robself_ros.msg import Status

from robself.process_state import ProcessState

pytestmark = pytest.mark.ros
BURST, QUEUE_SIZE, ROUNDS = 1500, 10, 50
SIDES = "left", "right"
UP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
DOWN = Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP
GROWTH = 15 * 10**6  # bytes: what the heap alone goes up and down by


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Two in one graph, each in a namespace of its own."""
    folder = tmp_path_factory.mktemp("nodes")
    with (
        NodeProcess(folder, {}, "-r", "__ns:=/left") as left,
        NodeProcess(folder, {}, "-r", "__ns:=/right", domain=left.domain) as right,
    ):
        yield dict(zip(SIDES, (left.wait_until_active(), right.wait_until_active()), strict=True))


def side(nodes, name, **options):
    """A robot whose cameras and ears are on that side."""
    topics = {f"{role}_topic": f"/{name}/{role}/image" for role in ("source", "guide")}
    return Robot(nodes[name].domain, f"/{name}/robself_node", ("status", "sr"), **topics, **options)


@pytest.fixture(scope="module")
def robots(nodes):
    """The left one's cameras are reliable."""
    with side(nodes, "left", camera_qos=RELIABLE) as left, side(nodes, "right") as right:
        yield left.meet(), right.meet()


def test_two_nodes_of_one_graph_keep_to_their_own_cameras(robots):
    stamps = [robot.exchange() for robot in robots]
    for robot, own, other in zip(robots, stamps, stamps[::-1], strict=True):
        assert robot.find(own, "sr") and robot.find(other) is None
        assert robot.find(own).sources_received == 1


def test_best_effort_listeners_are_served_like_reliable_ones(robots):
    robot, came = robots[0], []
    topic = "/left/robself_node/status"
    listener = robot.node.create_subscription(Status, topic, came.append, qos_profile_sensor_data)
    robot.wait_for(lambda: robot.node.count_subscribers(topic) == 2 and came_of(robot, came), "a result")
    robot.node.destroy_subscription(listener)


def test_a_burst_is_dropped_by_cause_within_bounded_memory_and_ends_with_its_newest(robots, nodes):
    robot = robots[0]
    pairs = [(robot.source(size=(45, 60)), robot.guide(size=(90, 120))) for _ in range(10)]
    for pair in pairs:  # what a network of that size takes, it has now
        robot.exchange(*pair)
    before, began = robot.came["status"][-1], ProcessState.of(pid(nodes["left"]))
    stamps = [robot.send_pair(*pairs[i % 10]) for i in range(BURST)]
    newest = robot.insist(*pairs[0])
    after, ended = robot.result(newest), ProcessState.of(pid(nodes["left"]))
    results = [stamp_of(one) for one in robot.came["status"] if stamp_of(one) > stamp_of(before)]
    assert results == sorted(set(results)) and {one for one in results if one <= stamps[-1]} <= set(stamps)
    counted = values_of(
        robot.report("processing", lambda status: values_of(status)["processed"] == str(after.processed))
    )
    ends = [number for cause, number in counted.items() if cause.startswith(("processed", "dropped"))]
    lost = int(counted["dropped: lost by the middleware"])
    assert sum(map(int, ends)) - lost == after.pairs
    images = after.sources_received + after.guides_received
    assert 0 <= images - 2 * after.pairs - after.dropped_unpaired <= 2 * QUEUE_SIZE
    assert after.dropped_replaced > before.dropped_replaced
    in_all = BURST * sum(len(image.data) for image in pairs[0])
    assert ended.anonymous - began.anonymous < in_all / 2  # which a queue without an end would hold


def test_going_up_and_down_fifty_times_leaves_no_threads_files_or_memory(robots, nodes):
    robot, states = robots[1], []
    for _ in range(ROUNDS):
        for transition in (*DOWN, *UP):
            assert robot.change(transition)
        states.append(ProcessState.of(pid(nodes["right"])))
    early, late = states[ROUNDS // 5 : 2 * ROUNDS // 5], states[-ROUNDS // 5 :]
    for name in ("threads", "descriptors", "shared_memory"):
        assert min(getattr(one, name) for one in late) <= max(getattr(one, name) for one in early), name
    assert min(one.anonymous for one in late) - max(one.anonymous for one in early) < GROWTH
    stamp = robot.meet().exchange()
    assert (robot.result(stamp).processed, robot.result(stamp).warm) == (1, False)


def came_of(robot, came):
    robot.exchange()
    return came


def pid(node):
    return node.process.pid
