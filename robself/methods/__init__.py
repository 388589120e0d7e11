"""Ways of super-resolving a pair, RobSelf and its peers, behind one signature: `METHODS` by name."""

from robself.methods.method import Estimate, Method, Settings

METHODS: dict[str, Method] = {}

__all__ = ["METHODS", "Estimate", "Method", "Settings"]
