"""From the start of ROS to its end, with the node in between."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING

from robself.errors import ConfigError

if TYPE_CHECKING:
    from rclpy.context import Context

    from robself_ros.lifecycle_node import RobSelfNode

WRONG_INPUT, BROKEN = 2, 1


class Lifetime:
    """`run` in one thread, `end` and `clean_up` from another."""

    def __init__(self) -> None:
        self._ending = False
        self._context: Context | None = None
        self._node: RobSelfNode | None = None

    def run(self, command: list[str]) -> int:
        """Start the node and spin it until it is ended; gives the process's exit code.

        Args:
            command: the command line, the program's name first.
        """
        try:
            code = self._start(command)
            if code == 0:
                self._spin()
        except Exception as error:
            # What was under way when it ended has lost the ground under its feet.
            code = 0 if self._ending else _tell(error)
        return 0 if self._ending else code

    def end(self) -> None:
        """Let `run` return soon."""
        self._ending = True
        if self._context is not None:
            self._context.try_shutdown()

    def clean_up(self) -> None:
        """Take the node down: without that, its shared memory would stay behind."""
        if self._node is not None:
            self._node.destroy_node()

    def _start(self, command: list[str]) -> int:
        from rclpy.context import Context
        from rclpy.lifecycle import TransitionCallbackReturn

        self._context = Context()
        _initialise(self._context, command)
        from robself_ros.lifecycle_node import RobSelfNode

        self._node = RobSelfNode(context=self._context)
        if not self._node.autostart:
            return 0
        started = self._node.start()  # it has said what was wrong
        return {TransitionCallbackReturn.SUCCESS: 0, TransitionCallbackReturn.FAILURE: WRONG_INPUT}.get(
            started, BROKEN
        )

    def _spin(self) -> None:
        from rclpy.executors import SingleThreadedExecutor

        executor = SingleThreadedExecutor(context=self._context)
        executor.add_node(self._node)
        executor.spin()


def _initialise(context: Context, command: list[str]) -> None:
    """Initialise ROS with the command line.

    Raises:
        ConfigError: arguments or a parameter file that ROS does not understand.
    """
    from rclpy.utilities import remove_ros_args

    try:
        context.init(command)
    except RuntimeError as error:
        raise ConfigError(_first_cause(str(error))) from error
    if unknown := remove_ros_args(command)[1:]:
        raise ConfigError(f"unknown argument {unknown[0]!r}, expected --ros-args and what belongs to it")


def _first_cause(message: str) -> str:
    """rcl's errors stack up, each with the line of C that it passed: the first is the cause."""
    return re.sub(r", at \S+:\d+", "", message).strip()


def _tell(error: Exception) -> int:
    from rclpy.logging import get_logger

    logger = get_logger("robself_node")
    if isinstance(error, ConfigError):
        logger.fatal(str(error))
        return WRONG_INPUT
    logger.fatal("".join(traceback.format_exception(error)).rstrip())
    return BROKEN
