"""`/tf_static` into a tree of frames; tf2's own buffer is no part of ROS from PyPI."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from robself.frame_tree import FrameTree

try:
    from tf2_msgs.msg import TFMessage
except ModuleNotFoundError:
    TFMessage = None

TOPIC = "/tf_static"
# As tf2_ros listens: every publisher's latest message, from before we came too.
QOS = QoSProfile(
    depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
)


class StaticTransforms:
    """Listens until it is stopped.

    Attributes:
        frames: what has come so far.
    """

    def __init__(self, node: Node) -> None:
        self._node, self.frames = node, FrameTree()
        self._subscription = node.create_subscription(TFMessage, TOPIC, self._take, QOS)

    def stop(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)

    def _take(self, message: TFMessage) -> None:
        self.frames.add(message.transforms)


def static_transforms(node: Node) -> StaticTransforms | None:
    """A listener; None, said, where there is no `tf2_msgs`."""
    if TFMessage is None:
        node.get_logger().info(
            f"tf2_msgs is not installed: {TOPIC} is not read, extrinsics.rpy takes its place"
        )
        return None
    return StaticTransforms(node)
