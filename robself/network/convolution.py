"""The one convolution of the network: 3x3, reflected at the border.

Zero padding darkens the rim of every feature map and the estimator spreads that error inwards: reflection
is worth a fifth of the RMSE (docs/method.md).
"""

import torch
import torch.nn.functional as F
from torch import nn

from robself.network.reflection import reflect


class Convolution(nn.Conv2d):
    """A convolution whose border is reflected; it computes in the type of its input, its weights stay float32.

    Shape: (B, channels_in, H, W) -> (B, channels_out, ceil(H / stride), ceil(W / stride)).
    """

    def forward(self, feature: torch.Tensor) -> torch.Tensor:
        margin = self.kernel_size[0] // 2
        feature = reflect(feature, margin, margin, margin, margin)
        weight, bias = self.weight.to(feature.dtype), self.bias.to(feature.dtype)
        return F.conv2d(feature, weight, bias, self.stride)


def conv3x3(channels_in: int, channels_out: int, stride: int = 1) -> Convolution:
    return Convolution(channels_in, channels_out, 3, stride)


def conv1x1(channels_in: int, channels_out: int) -> Convolution:
    return Convolution(channels_in, channels_out, 1)
