"""Ways of super-resolving a pair, RobSelf and its peers, behind one signature: `METHODS` by name."""

from robself.methods.ablation import ABLATION
from robself.methods.back_projection import BACK_PROJECTION
from robself.methods.bicubic import BICUBIC
from robself.methods.bilinear import BILINEAR
from robself.methods.edge_prior import EDGE_PRIOR
from robself.methods.guided_filter import GUIDED_FILTER
from robself.methods.joint_bilateral import JOINT_BILATERAL
from robself.methods.method import Estimate, Method, Settings
from robself.methods.mmsr import MMSR
from robself.methods.nearest import NEAREST
from robself.methods.p2p import P2P
from robself.methods.robself_methods import ROBSELF_DE, ROBSELF_RE

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        NEAREST,
        BILINEAR,
        BICUBIC,
        BACK_PROJECTION,
        EDGE_PRIOR,
        GUIDED_FILTER,
        JOINT_BILATERAL,
        P2P,
        MMSR,
        ROBSELF_RE,
        ROBSELF_DE,
        *ABLATION,
    )
}

__all__ = ["METHODS", "Estimate", "Method", "Settings"]
