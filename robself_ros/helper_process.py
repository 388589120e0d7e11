"""What the processes that demo and benchmark start beside the node have in common."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy

from robself.errors import RobSelfError


@contextmanager
def helper_process(name: str) -> Iterator[None]:
    """For all that such a process does; ROS is shut down after it.

    Exit codes: 2 for wrong input, said in one line, 130 after SIGINT or SIGTERM.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except RobSelfError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        rclpy.try_shutdown()
