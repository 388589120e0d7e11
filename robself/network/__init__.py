"""The network of the paper, one concept a file."""

from robself.network.robself import Prediction, RobSelf

__all__ = ["Prediction", "RobSelf"]
