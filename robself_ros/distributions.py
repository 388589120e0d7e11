"""What differs between the ROS 2 distributions that the node runs on: Humble, Jazzy and Kilted.

Everything that does is here, so that the rest is written once. (Fast DDS's two variables are in `dds`:
launch files need it, and they import no rclpy.)
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

__all__ = [
    "HAS_MATCHED_EVENTS",
    "PublisherEventCallbacks",
    "SubscriptionEventCallbacks",
    "convert_before_set",
]

# Whether a publisher is told that a subscriber came or went. Not in Humble.
HAS_MATCHED_EVENTS = "matched" in signature(PublisherEventCallbacks).parameters


def convert_before_set(node: Node, convert: Callable[[list[Parameter]], list[Parameter]]) -> None:
    """Let values pass through `convert` before ROS compares their types: it refuses a 2 for a 2.0."""
    if hasattr(node, "add_pre_set_parameters_callback"):
        node.add_pre_set_parameters_callback(convert)
        return
    # Humble has nothing for it. Its services call these two methods of the node, as everybody else does.
    for name in ("set_parameters", "set_parameters_atomically"):
        setattr(node, name, _converting(getattr(node, name), convert))


def _converting(
    set_all: Callable[[list[Parameter]], Any], convert: Callable[[list[Parameter]], list[Parameter]]
) -> Callable[[list[Parameter]], Any]:
    return lambda parameter_list: set_all(convert(parameter_list))
