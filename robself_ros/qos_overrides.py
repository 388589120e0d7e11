"""`qos_overrides`: what a user may make of the QoS of this node's topics, as of those of most ROS nodes.

The parameters are named as rclcpp and rclpy name them: `qos_overrides.<topic>.<subscription or publisher>.<policy>`,
the topic fully resolved, remappings included.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions

from robself.errors import ConfigError
from robself_ros.validation import unknown

PREFIX = "qos_overrides."
OF_ROS_ITSELF = f"{PREFIX}/clock."
OVERRIDABLE = QoSOverridingOptions.with_default_policies()
CHOICES = {"history": ("keep_last", "keep_all"), "reliability": ("reliable", "best_effort")}


def overridable(profile: QoSProfile) -> dict[str, Any]:
    """What a publisher or a subscription is made with, so that overrides hold.

    rclpy writes them into the profile that it is given: every end has a copy of its own.
    """
    return {"qos_profile": copy(profile), "qos_overriding_options": OVERRIDABLE}


def check_overrides(node: Node, subscribed: Iterable[str], published: Iterable[str]) -> None:
    """See to it that every override given belongs to a topic of the node and can be held to.

    Args:
        subscribed, published: resolved names of the topics whose QoS may be overridden.

    Raises:
        ConfigError: an override of another topic or policy, or a value that the policy has not.
    """
    known = {
        f"{PREFIX}{topic}.{end}.{policy.name.lower()}"
        for end, topics in (("subscription", subscribed), ("publisher", published))
        for topic in topics
        for policy in OVERRIDABLE.policy_kinds
    }
    for name in sorted(node.get_parameters_by_prefix("")):
        if not name.startswith(PREFIX) or name.startswith(OF_ROS_ITSELF):
            continue
        if name not in known:
            raise ConfigError(f"parameters: {unknown('parameter', name, sorted(known))}")
        value, choices = node.get_parameter(name).value, CHOICES.get(name.rpartition(".")[2])
        if choices and value not in choices:
            raise ConfigError(f"parameters: {name}: {value!r}: expected {' or '.join(choices)}")
        if not choices and (type(value) is not int or value < 1):
            raise ConfigError(f"parameters: {name}: {value!r}: expected an integer of at least 1")
