"""image_transport's convention: where the images of a stream are, and in which message they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from robself.packed_image import PackedImage
from robself_ros.cameras import Role
from robself_ros.parameters import GuideParameters, NodeParameters, SourceParameters


def image_topic(node: Node, role: Role, parameters: NodeParameters) -> str:
    """The topic of a stream's images, to be resolved as any other.

    Remapping `source/image` moves the compressed images along, and so may remapping their own topic.
    """
    return _topic(node, role, getattr(parameters, role).transport)


def all_topics(node: Node) -> list[str]:
    """Resolved names of all topics that the cameras may be listened to by, whatever the transport."""
    transports = {"source": SourceParameters, "guide": GuideParameters}
    topics = [
        name
        for role, section in transports.items()
        for name in (
            f"{role}/camera_info",
            *(_topic(node, role, one) for one in get_args(section.model_fields["transport"].annotation)),
        )
    ]
    return [node.resolve_topic_name(topic) for topic in topics]


def _topic(node: Node, role: Role, transport: str) -> str:
    base = f"{role}/image"
    return base if transport == "raw" else f"{node.resolve_topic_name(base)}/{transport}"


def image_type(role: Role, parameters: NodeParameters) -> type:
    """The type of a stream's messages."""
    return Image if getattr(parameters, role).transport == "raw" else CompressedImage


def taking_images(take: Callable[[Image | PackedImage], None]) -> Callable[[Image | CompressedImage], None]:
    """A callback for either type of message."""

    def took(message: Image | CompressedImage) -> None:
        take(message if isinstance(message, Image) else PackedImage(message))

    return took
