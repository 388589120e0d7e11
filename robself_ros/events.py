"""What the middleware reports: peers whose QoS does not fit, and messages that it lost."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.qos import qos_policy_name_from_kind

from robself_ros.distributions import (
    HAS_MATCHED_EVENTS,
    PublisherEventCallbacks,
    SubscriptionEventCallbacks,
)

# Told the topic and the name of the policy that does not fit, `RELIABILITY` for instance.
OnIncompatible = Callable[[str, str], None]


def publisher_events(
    topic: str, on_incompatible: OnIncompatible, on_matched: Callable[[], None]
) -> PublisherEventCallbacks:
    """For a publisher: a subscriber asks for more than it offers, and will receive nothing; one came or went.

    Of the latter nothing is heard on Humble.
    """
    matched = {"matched": lambda event: on_matched()} if HAS_MATCHED_EVENTS else {}
    return PublisherEventCallbacks(
        incompatible_qos=lambda event: on_incompatible(
            topic, qos_policy_name_from_kind(event.last_policy_kind)
        ),
        **matched,
    )


def subscription_events(
    topic: str, on_incompatible: OnIncompatible, on_lost: Callable[[int], None]
) -> SubscriptionEventCallbacks:
    """For a subscription: a publisher offers less than it asks for; so many more messages were lost."""
    return SubscriptionEventCallbacks(
        incompatible_qos=lambda event: on_incompatible(
            topic, qos_policy_name_from_kind(event.last_policy_kind)
        ),
        message_lost=lambda event: on_lost(event.total_count_change),
    )
