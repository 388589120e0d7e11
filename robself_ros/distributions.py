"""What differs between the ROS 2 distributions that the node runs on: Humble, Jazzy and Kilted.

Everything that does is here, so that the rest is written once. (Fast DDS's two variables are in `dds`:
launch files need it, and they import no rclpy.)
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature

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
    """Let values pass through `convert` before ROS compares their types. Humble cannot: it refuses a 2 for a 2.0."""
    if hasattr(node, "add_pre_set_parameters_callback"):
        node.add_pre_set_parameters_callback(convert)
