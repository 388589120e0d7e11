"""From the start of ROS to its end, with the node in between."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from threading import Event
from traceback import format_exception
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rclpy.context import Context

    from robself_ros.lifecycle_node import RobSelfNode

WRONG_INPUT, BROKEN = 2, 1
SPIN_SECONDS = 0.15


class Lifetime:
    """`run` in one thread, `end` from another.

    Args:
        on_end: called when `run` ends, with the process's exit code.

    Attributes:
        exit_code: for the process.
    """

    def __init__(self, on_end: Callable[[int], None]) -> None:
        self.exit_code = 0
        self._on_end = on_end
        self._ending = False
        self._ended = Event()
        self._context: Context | None = None
        self._node: RobSelfNode | None = None

    def run(self, command: list[str]) -> None:
        """Start the node and spin it until it is ended.

        Args:
            command: the command line, the program's name first.
        """
        try:
            code = self._start(command)
            if code == 0:
                self._spin()
        except Exception as error:
            # What was under way when `end` was called has lost the ground under its feet.
            code = 0 if self._ending else _tell(error)
            self._conclude(code)  # here, while `error` holds what was half made: its end may hang
        else:
            self._conclude(code)

    def end(self) -> None:
        """Take the node down, whatever it is at."""
        self._ending = True
        if self._context is None:
            return
        self._context.try_shutdown()
        self._ended.wait(SPIN_SECONDS)
        if self._node is not None:
            self._node.destroy_node()
        gc.collect()  # a node that was left half made

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

    def _conclude(self, code: int) -> None:
        if not self._ending:
            self.exit_code = code
        self._ended.set()
        self._on_end(self.exit_code)

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

    from robself.errors import ConfigError

    try:
        context.init(command)
    except RuntimeError as error:  # the root of rcl's errors
        raise ConfigError(_first_cause(str(error))) from error
    if unknown := remove_ros_args(command)[1:]:
        raise ConfigError(f"unknown argument {unknown[0]!r}, expected --ros-args and what belongs to it")


def _first_cause(message: str) -> str:
    """rcl's errors stack up, each with the line of C that it passed: the first is the cause."""
    return re.sub(r", at \S+:\d+", "", message).strip()


def _tell(error: Exception) -> int:
    from rclpy.logging import get_logger

    from robself.errors import ConfigError

    logger = get_logger("robself_node")
    if isinstance(error, ConfigError):
        logger.fatal(str(error))
        return WRONG_INPUT
    logger.fatal("".join(format_exception(error)).rstrip())
    return BROKEN
