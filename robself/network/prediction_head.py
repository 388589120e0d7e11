"""Prediction head: a feature becomes an image of the source's modality (Sec. 3.1)."""

from collections.abc import Callable

import torch
from torch import nn

from robself.network.convolution import Convolution, conv3x3


class ResidualBlock(nn.Module):
    """(B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int, conv: Callable[..., Convolution] = conv3x3) -> None:
        super().__init__()
        self.first = conv(channels, channels, relu=True)
        self.second = conv(channels, channels)

    def forward(self, feature: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(feature), added=feature)


class PredictionHead(nn.Sequential):
    """(B, C, H, W) -> (B, image channels, H, W). `from_zero`: the first prediction is zero everywhere."""

    def __init__(self, channels: int, image_channels: int = 1, from_zero: bool = False) -> None:
        last = conv3x3(channels, image_channels)
        if from_zero:
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        super().__init__(ResidualBlock(channels), ResidualBlock(channels), last)
