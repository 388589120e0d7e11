"""RobSelf (Sec. 3.1, Fig. 2): extraction, translation, filtering, prediction."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from robself.config import ModelConfig, RobSelfConfig
from robself.network.extraction import ExtractionLayer
from robself.network.prediction_head import PredictionHead
from robself.network.reference_filter import ReferenceFilter
from robself.network.reflection import reflect
from robself.network.translator import Translator


class Prediction(NamedTuple):
    """sr, translated: (B, 1, H, W) float32, normalised units. displacement: (B, N, H, W) float32, px.

    `translated` is None where it was not asked for.
    """

    sr: torch.Tensor
    translated: torch.Tensor | None
    displacement: torch.Tensor


class RobSelf(nn.Module):
    """The network of the paper, for one pair at a time.

    Shape: upsampled source (B, 1, H, W), guide (B, 3, H, W), both normalised -> `Prediction`. Any H, W:
    the frame is reflected up to the estimator's multiple of 2**levels and cropped back.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        channels = config.channels
        self.config = config
        self.extract_source = ExtractionLayer(1, channels)
        self.extract_guide = ExtractionLayer(3, channels)
        self.translator = Translator(channels, config.levels, config.variant)
        self.filter = ReferenceFilter(channels, config.large_kernel, config.small_kernel, config.eta)
        self.head = PredictionHead(channels, from_zero=config.residual)
        self.translation_head = (
            PredictionHead(channels, from_zero=config.residual) if config.separate_heads else self.head
        )

    @classmethod
    def from_preset(cls, name: str, variant: str = "re") -> RobSelf:
        """The network of a preset (`robself.presets()`), freshly initialised.

        Raises:
            ConfigError: unknown preset or variant.
        """
        return cls(RobSelfConfig.from_preset(name, variant=variant).model)

    def forward(
        self,
        source: torch.Tensor,
        guide: torch.Tensor,
        displacement_scale: float = 1.0,
        dtype: torch.dtype = torch.float32,
        translate: bool = True,
    ) -> Prediction:
        height, width = guide.shape[-2:]
        padding = self._padding(height, width)
        source_feature = self.extract_source(reflect(source.to(dtype), padding=padding))
        guide_feature = self.extract_guide(reflect(guide.to(dtype), padding=padding))
        aligned, displacement = self.translator(source_feature, guide_feature, displacement_scale)
        enhanced = self.filter(source_feature, aligned)
        images = self._predicted(enhanced, aligned) if translate else (self.head(enhanced),)
        images = [image[..., :height, :width].float() for image in images]
        if self.config.residual:
            images = [image + source for image in images]
        return Prediction(images[0], images[1] if translate else None, displacement[..., :height, :width])

    def _predicted(self, enhanced: torch.Tensor, aligned: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Images of both features; a head that serves both is called once, which costs less than twice."""
        if self.head is not self.translation_head:
            return self.head(enhanced), self.translation_head(aligned)
        return self.head(torch.cat((enhanced, aligned))).chunk(2)

    def _padding(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Of the right and the bottom: reflected convolutions need two pixels at the estimator's bottom."""
        multiple = 2**self.config.levels
        rows, columns = (max(-(-size // multiple), 2) * multiple for size in (height, width))
        return 0, columns - width, 0, rows - height
