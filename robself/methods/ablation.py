"""RobSelf without its translator, without its filter, without both: the paper's Table 4, on RobSelf-De.

Everything else is RobSelf's own: extraction, head, optimiser, schedule, back-projection.
"""

from __future__ import annotations

import torch
from torch import nn

from robself.config import ModelConfig
from robself.methods.method import Method
from robself.methods.robself_methods import cold_keyframe
from robself.network import Prediction, RobSelf
from robself.network.convolution import conv1x1

VARIANT = "de"  # Sec. 5.5


class Fusion(nn.Module):
    """In the filter's place: source and guide feature side by side, mixed by a 1x1 convolution.

    Shape: source, reference (B, C, H, W) -> (B, C, H, W).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = conv1x1(2 * channels, channels)

    def forward(self, source: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        return self.mix(torch.cat((source, reference), dim=1))


class NoTranslator(nn.Module):
    """In the translator's place: the guide feature where it is, displaced by nothing.

    Shape: two (B, C, H, W) -> the guide (B, C, H, W), zeros (B, 2, H, W).
    """

    @property
    def alignment(self) -> NoTranslator:
        """What is asked for `mean_displacement`."""
        return self

    def forward(
        self, source: torch.Tensor, guide: torch.Tensor, displacement_scale: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        batch, _, height, width = guide.shape
        return guide, guide.new_zeros((batch, 2, height, width), dtype=torch.float32)

    def mean_displacement(self, displacement: torch.Tensor) -> torch.Tensor:
        return displacement


class WithoutFilter(RobSelf):
    """Table 4, translator only."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.filter = Fusion(config.channels)


class WithoutTranslator(RobSelf):
    """Table 4, filter only: the reference is the guide as it lies.

    The translation, its head and its loss go with the translator (Sec. 3.2). The upsampled source stands in
    the translation's place: it adds a constant to the loss of Eq. 1, and no gradient.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.translator = NoTranslator()
        self.translation_head = self.head

    def forward(
        self,
        source: torch.Tensor,
        guide: torch.Tensor,
        displacement_scale: float = 1.0,
        dtype: torch.dtype = torch.float32,
        translate: bool = True,
    ) -> Prediction:
        prediction = super().forward(source, guide, displacement_scale, dtype, translate=False)
        return prediction._replace(translated=source if translate else None)


class WithoutBoth(WithoutTranslator):
    """Table 4, neither."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.filter = Fusion(config.channels)


def _row(name: str, network: type[RobSelf], describes: str) -> Method:
    return Method(
        f"ablation_{name}",
        cold_keyframe(VARIANT, network),
        f"RobSelf-De {describes} (Dong et al., Table 4)",
        random=True,
        learns=True,
    )


ABLATION = (
    _row("neither", WithoutBoth, "without translator and filter"),
    _row("translator", WithoutFilter, "without filter"),
    _row("filter", WithoutTranslator, "without translator"),
    _row("both", RobSelf, "as it is"),
)
