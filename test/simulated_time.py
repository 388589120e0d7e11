"""A node on simulated time, and the clock that a robot gives it."""

from node_process import NodeProcess
from robot import Robot
from rosgraph_msgs.msg import Clock

SECOND = 10**9


def simulated_node(folder):
    """A node process, to be entered, that goes by `/clock`."""
    return NodeProcess(folder, {"use_sim_time": True}).wait_until_active()


class SimulatedClock:
    """Publishes `/clock` once the node listens to it."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._publisher = robot.node.create_publisher(Clock, "/clock", 1)
        robot.wait_for(self._publisher.get_subscription_count, "the node's clock")

    def set(self, now: int) -> None:
        """Let it be that time, in ns, and wait until the node goes by it."""
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(now, SECOND)
        self._publisher.publish(message)
        came = self._robot.came["diagnostics"]
        self._robot.wait_for(lambda: came[-1].header.stamp == message.clock, "that time")
