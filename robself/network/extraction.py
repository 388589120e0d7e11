"""Extraction layer: an image becomes a feature map of C channels (Sec. 3.1)."""

import torch
from torch import nn

from robself.network.convolution import conv1x1, conv3x3


class ExtractionLayer(nn.Sequential):
    """(B, image channels, H, W) -> (B, C, H, W)."""

    def __init__(self, image_channels: int, channels: int) -> None:
        super().__init__(
            conv3x3(image_channels, channels, relu=True),
            conv3x3(channels, channels, relu=True),
            conv1x1(channels, channels),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return super().forward(image)
