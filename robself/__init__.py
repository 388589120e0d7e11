"""RobSelf: self-supervised cross-modal super-resolution that is robust to misalignment, online.

    >>> import robself
    >>> result = robself.super_resolve(depth, rgb, preset="robot", budget_seconds=20)

What needs torch is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module

from robself.config import RobSelfConfig, presets
from robself.errors import RobSelfError
from robself.pair import Pair, Result

_LATE = {
    "RobSelf": "robself.network",
    "OnlineSuperResolver": "robself.online",
    "Budget": "robself.online",
    "super_resolve": "robself.super_resolution",
}
__all__ = ["Pair", "Result", "RobSelfConfig", "RobSelfError", "presets", *_LATE]


def __getattr__(name: str):
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'robself' has no attribute {name!r}")
