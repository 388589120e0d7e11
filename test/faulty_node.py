"""A node process in which things go wrong when a test says so."""

import os
from contextlib import contextmanager
from pathlib import Path

import faults
from node_process import NodeProcess
from robot import Robot


class FaultyNode:
    """A node with `faults`, and the robot around it."""

    def __init__(self, robot: Robot, process: NodeProcess, file: Path) -> None:
        self.robot, self.process, self._file = robot, process, file

    @contextmanager
    def failing(self, fault: str):
        """Meanwhile that fault happens, as often as it says."""
        self._say(fault)
        try:
            yield
        finally:
            self._say("")

    def _say(self, fault: str) -> None:
        partial = self._file.with_suffix(".partial")
        partial.write_text(fault)
        os.replace(partial, self._file)

    def status(self, **images):
        """Of a pair that is sent now."""
        return self.robot.result(self.robot.exchange(**images))

    def status_and_report(self, level, **images):
        """Of a pair that is sent now; its report of that level comes but once, and may come before its status."""
        stamp = self.robot.send_pair(**images)
        report = self.robot.report("processing", lambda status: status.level == level)
        return self.robot.result(stamp), report


@contextmanager
def faulty_node(folder: Path, parameters: dict[str, object] | None = None):
    file = folder / "fault"
    process = NodeProcess(folder, parameters, program=(faults.__file__, str(file)))
    with process.wait_until_active() as node, Robot(node.domain).meet() as robot:
        yield FaultyNode(robot, node, file)
