"""RobSelf itself as a method, by the resolver that the node and the command line use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from robself.config import ModelConfig, RobSelfConfig
from robself.ensemble import keyframe_by_members
from robself.methods.method import Estimate, Method, Run, Settings
from robself.network import RobSelf
from robself.online import Budget, OnlineSuperResolver
from robself.pair import Pair


def cold_keyframe(variant: str, make_network: Callable[[ModelConfig], RobSelf] = RobSelf) -> Run:
    """One cold keyframe per pair, or the mean of several members' ones.

    The estimate's info is the result's (`robself.Result`), the network's number of `parameters`, and, as
    arrays, the result's `translated`, `aligned_guide` and `displacement`.

    Raises (when run):
        ConfigError: an unknown preset, schedule or device.
    """

    return partial(_run, variant, make_network)  # not a closure: it goes to other processes


def _run(
    variant: str, make_network: Callable[[ModelConfig], RobSelf], pair: Pair, settings: Settings
) -> Estimate:
    config = RobSelfConfig.from_preset(
        settings.preset, variant, settings.schedule, settings.modality, settings.seed
    )
    make_resolver = partial(OnlineSuperResolver, device=settings.device, make_network=make_network)
    budget = Budget(iterations=settings.iterations)
    result = keyframe_by_members(make_resolver, config, settings.members, pair, budget)
    with torch.device("meta"):  # counted without memory or random numbers
        parameters = sum(weight.numel() for weight in make_network(config.model).parameters())
    by_products = {
        "parameters": parameters,
        "translated": result.translated,
        "aligned_guide": result.aligned_guide,
        "displacement": result.displacement,
    }
    return Estimate(result.sr, result.info | by_products)


ROBSELF_RE = Method(
    "robself_re",
    cold_keyframe("re"),
    "RobSelf-Re: aligns by resampling (Dong et al., this project's subject)",
    random=True,
    learns=True,
)
ROBSELF_DE = Method(
    "robself_de",
    cold_keyframe("de"),
    "RobSelf-De: aligns by deformable convolution (Dong et al., this project's subject)",
    random=True,
    learns=True,
)
