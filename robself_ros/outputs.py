"""The node's publishers: a result as messages in the source camera's frame, at the source's stamp."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from robself_ros.conversions import image_message, scaled_camera_info, source_message
from robself_ros.events import publisher_events
from robself_ros.msg import Status
from robself_ros.qos_overrides import overridable

if TYPE_CHECKING:  # it imports torch
    from robself_ros.processing import Product

# Reliable, so that subscribers of either kind are served; few, for images are large.
QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
TOPICS = {
    "sr": ("~/sr/image", Image),
    "sr_info": ("~/sr/camera_info", CameraInfo),
    "guide_aligned": ("~/guide_aligned/image", Image),
    "translated": ("~/translated/image", Image),
    "confidence": ("~/confidence/image", Image),
    "status": ("~/status", Status),
}


def published_topics(node: Node) -> list[str]:
    """Their resolved names."""
    return [node.resolve_topic_name(topic) for topic, _ in TOPICS.values()]


class Outputs:
    """The publishers, made when the node is configured and silent while it is inactive.

    Args:
        on_incompatible: told the topic and the policy of a subscriber that cannot be served.

    Attributes:
        on_change: called when a subscriber came or went, where ROS tells of it.
    """

    def __init__(self, node: LifecycleNode, on_incompatible: Callable[[str, str], None]) -> None:
        self._node = node
        self.on_change: Callable[[], None] | None = None
        self._publishers: dict[str, LifecyclePublisher] = {
            name: node.create_lifecycle_publisher(
                kind,
                topic,
                **overridable(QOS),
                event_callbacks=publisher_events(
                    node.resolve_topic_name(topic), on_incompatible, self._changed
                ),
            )
            for name, (topic, kind) in TOPICS.items()
        }

    @property
    def watched(self) -> bool:
        """Whether anybody subscribes to anything."""
        return any(publisher.get_subscription_count() for publisher in self._publishers.values())

    def watches(self, name: str) -> bool:
        """Whether anybody subscribes to that one of TOPICS."""
        return name in self._publishers and self._publishers[name].get_subscription_count() > 0

    @property
    def subscribers(self) -> dict[str, int]:
        """Number of subscribers by resolved topic."""
        return {
            publisher.topic_name: publisher.get_subscription_count()
            for publisher in self._publishers.values()
        }

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()

    def destroy(self) -> None:
        """Take the publishers down."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers = {}

    def publish(self, product: Product, modality: str, status: Status) -> None:
        """Publish a result, its status last; images that nobody subscribes to are not even converted."""
        source, result = product.job.source, product.result
        self._publish("sr", lambda: source_message(result.sr, source.encoding, modality, source.header))
        if camera := product.source_camera:
            self._publish(
                "sr_info",
                lambda: scaled_camera_info(camera.info, result.sr.shape, source.header),
            )
        self._publish("guide_aligned", lambda: image_message(result.aligned_guide, "rgb8", source.header))
        if result.translated is not None:  # the subscriber may have come after the pair
            self._publish(
                "translated",
                lambda: source_message(result.translated, source.encoding, modality, source.header),
            )
        self._publish("confidence", lambda: image_message(result.confidence, "32FC1", source.header))
        self._publish("status", lambda: status)

    def _publish(self, name: str, message: Callable[[], Image | CameraInfo | Status]) -> None:
        if self.watches(name):
            self._publishers[name].publish(message())
