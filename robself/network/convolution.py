"""The one convolution of the network: 3x3, reflected at the border.

Zero padding darkens the rim of every feature map and the estimator spreads that error inwards: reflection
is worth a fifth of the RMSE (docs/method.md).
"""

import torch
import torch.nn.functional as F
from torch import nn

from robself.network.reflection import reflect

# Rows and columns of pixels computed as one, by channels of the output: together they fill a CPU's vectors of sixteen.
BLOCKS = {1: (4, 4), 2: (2, 4)}


class Convolution(nn.Conv2d):
    """A convolution whose border is reflected; it computes in the type of its input, its weights stay float32.

    Several features are taken for one of all their channels.

    Shape: (B, channels_in, H, W) -> (B, channels_out, ceil(H / stride), ceil(W / stride)).
    """

    def forward(self, *features: torch.Tensor) -> torch.Tensor:
        margin = self.kernel_size[0] // 2
        feature = reflect(*features, padding=(margin, margin, margin, margin))
        weight, bias = self.weight.to(feature.dtype), self.bias.to(feature.dtype)
        height, width = (size - 2 * margin for size in feature.shape[-2:])
        rows, columns = block = BLOCKS.get(self.out_channels, (1, 1))
        alone = block == (1, 1) or height % rows or width % columns
        if alone or feature.device.type != "cpu" or self.stride != (1, 1):
            return F.conv2d(feature, weight, bias, self.stride)
        # Half the time or less, and the same sums.
        blocks = F.conv2d(feature, _for_blocks(weight, *block), bias.repeat(rows * columns), block)
        blocks = blocks.unflatten(1, (rows, columns, self.out_channels)).permute(0, 3, 4, 1, 5, 2)
        return blocks.reshape(-1, self.out_channels, height, width)


def _for_blocks(weight: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Filters for every pixel of a block: (N, C, k, k) -> (rows columns N, C, k + rows - 1, k + columns - 1)."""
    filters = [
        F.pad(weight, (column, columns - 1 - column, row, rows - 1 - row))
        for row in range(rows)
        for column in range(columns)
    ]
    return torch.cat(filters)


def conv3x3(channels_in: int, channels_out: int, stride: int = 1) -> Convolution:
    return Convolution(channels_in, channels_out, 3, stride)


def conv1x1(channels_in: int, channels_out: int) -> Convolution:
    return Convolution(channels_in, channels_out, 1)
