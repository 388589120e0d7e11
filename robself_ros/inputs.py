"""The subscriptions to the cameras: there while somebody wants what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

CHECK_SECONDS = 0.5
# A subscriber that comes back within this finds everything as it was, discovery of the cameras included.
LINGER_SECONDS = 3.0


class Inputs:
    """Subscribes while there is demand; with all else in the executor's thread.

    Args:
        subscribe: makes the subscriptions, camera_info's among them: a driver that looks at who listens may rest
            then too.
        wanted: whether there is demand. Asked every half second, and whenever `check` is called.
    """

    def __init__(
        self, node: Node, subscribe: Callable[[], list[Subscription]], wanted: Callable[[], bool]
    ) -> None:
        self._node, self._subscribe, self._wanted = node, subscribe, wanted
        self._subscriptions: list[Subscription] = []
        self._last_wanted = 0.0
        self._timer = node.create_timer(
            CHECK_SECONDS, self.check, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self.check()

    @property
    def subscribed(self) -> bool:
        """Whether images are coming, as far as this node is concerned."""
        return bool(self._subscriptions)

    def qos_of(self, topic: str) -> QoSProfile | None:
        """What a resolved topic is subscribed to by, overrides included; None: it is not."""
        return next((one.qos_profile for one in self._subscriptions if one.topic_name == topic), None)

    def check(self) -> None:
        """Subscribe at once if there is demand, unsubscribe if there has been none for a while."""
        if self._wanted():
            self._last_wanted = time.monotonic()
            if not self._subscriptions:
                self._subscriptions = self._subscribe()
        elif time.monotonic() - self._last_wanted >= LINGER_SECONDS:
            self._unsubscribe()

    def stop(self) -> None:
        """Unsubscribe for good."""
        self._node.destroy_timer(self._timer)
        self._unsubscribe()

    def _unsubscribe(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
