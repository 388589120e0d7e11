"""Message classes by the names that recordings and the ROS graph give them."""

from __future__ import annotations

from importlib import import_module

from robself.errors import ConfigError


def message_class(name: str) -> type:
    """The class of a message type, "sensor_msgs/msg/Image" for instance.

    Raises:
        ConfigError: a type whose package is not installed.
    """
    package, _, kind = name.partition("/msg/")
    try:
        return getattr(import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError, ValueError):
        raise ConfigError(f"message type {name!r} is not installed here") from None
