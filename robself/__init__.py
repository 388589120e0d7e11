"""RobSelf: self-supervised cross-modal super-resolution that is robust to misalignment, online.

    >>> import robself
    >>> result = robself.super_resolve(depth, rgb, preset="robot", budget_seconds=20)

Everything is imported when it is first used: the command line heeds Ctrl-C from its start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robself.config import RobSelfConfig, presets
    from robself.errors import RobSelfError
    from robself.network import RobSelf
    from robself.online import Budget, OnlineSuperResolver
    from robself.pair import Pair, Result
    from robself.super_resolution import super_resolve

_MODULES = {
    "Pair": "robself.pair",
    "Result": "robself.pair",
    "RobSelf": "robself.network",
    "RobSelfConfig": "robself.config",
    "RobSelfError": "robself.errors",
    "Budget": "robself.online",
    "OnlineSuperResolver": "robself.online",
    "presets": "robself.config",
    "super_resolve": "robself.super_resolution",
}
__all__ = [
    "Budget",
    "OnlineSuperResolver",
    "Pair",
    "Result",
    "RobSelf",
    "RobSelfConfig",
    "RobSelfError",
    "presets",
    "super_resolve",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'robself' has no attribute {name!r}")
