"""Run a command once a lifecycle node is active: `python -m robself_ros.wait_until_active NODE -- COMMAND…`.

A bag that plays before the node has subscribed loses its first images. The node's transition events come too
early to be waited for (it activates itself before it has found their subscribers), so its state is asked for.
"""

from __future__ import annotations

import os
import sys
import time

import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.executors import ExternalShutdownException

PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.5


def is_active_within(node_name: str, seconds: float) -> bool:
    """Whether the node of that fully qualified name becomes active in time (of the steady clock)."""
    node = rclpy.create_node("wait_until_active", start_parameter_services=False)
    client = node.create_client(GetState, f"{node_name}/get_state")
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if not client.wait_for_service(timeout_sec=POLL_SECONDS):
                continue
            answer = client.call_async(GetState.Request())
            rclpy.spin_until_future_complete(node, answer, timeout_sec=POLL_SECONDS)
            if answer.done() and answer.result().current_state.id == State.PRIMARY_STATE_ACTIVE:
                return True
            time.sleep(POLL_SECONDS / 5)
        return False
    finally:
        node.destroy_node()


def main() -> None:
    """Wait for the node, then become the command."""
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit("usage: python -m robself_ros.wait_until_active NODE -- COMMAND…")
    name, command = sys.argv[1], sys.argv[3:]
    try:
        rclpy.init(args=[])
        active = is_active_within(name, PATIENCE_SECONDS)
        rclpy.shutdown()
    except (KeyboardInterrupt, ExternalShutdownException):
        sys.exit(130)
    if not active:
        sys.exit(
            f"{name} did not become active within {PATIENCE_SECONDS:.0f} s, so {command[0]} was not started"
        )
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
