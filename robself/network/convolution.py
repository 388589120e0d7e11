"""The one convolution of the network: 3x3, reflected at the border.

Zero padding darkens the rim of every feature map and the estimator spreads that error inwards: reflection
is worth a fifth of the RMSE (docs/method.md).
"""

import torch
import torch.nn.functional as F
from torch import nn

from robself.network import kernels
from robself.network.reflection import reflect
from robself.network.weight_gradient import convolved, slow_for

# Rows and columns of pixels computed as one, by channels of the output: together they fill a CPU's vectors of sixteen.
BLOCKS = {1: (4, 4), 2: (2, 4)}


class Convolution(nn.Conv2d):
    """A convolution whose border is reflected; it computes in the type of its input, its weights stay float32.

    Several features are taken for one of all their channels.

    Args:
        relu: whether negative values become zero.

    Shape: (B, channels_in, H, W) -> (B, channels_out, ceil(H / stride), ceil(W / stride)). `added`, of the output's
    shape, is added before that.
    """

    def __init__(
        self, channels_in: int, channels_out: int, size: int, stride: int = 1, relu: bool = False
    ) -> None:
        super().__init__(channels_in, channels_out, size, stride)
        self.relu = relu

    def forward(self, *features: torch.Tensor, added: torch.Tensor | None = None) -> torch.Tensor:
        margin = self.kernel_size[0] // 2
        feature = reflect(*features, padding=(margin, margin, margin, margin))
        weight = self.weight.to(feature.dtype)
        if kernels.usable(feature):
            from robself.network.kernels.blocks import channels_last
            from robself.network.kernels.finishing import finished

            sums = channels_last(F.conv2d(feature, weight, None, self.stride))
            return finished(sums, self.bias, added, self.relu)
        output = self._convolved(feature, weight, self.bias.to(feature.dtype))
        if added is not None:
            output = output.add_(added)
        return F.relu(output, inplace=True) if self.relu else output

    def _convolved(self, feature: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Of a feature that has its margin."""
        margin = self.kernel_size[0] // 2
        height, width = (size - 2 * margin for size in feature.shape[-2:])
        rows, columns = block = BLOCKS.get(self.out_channels, (1, 1))
        alone = block == (1, 1) or height % rows or width % columns
        if alone or feature.device.type != "cpu" or self.stride != (1, 1):
            return _conv2d(feature, weight, bias, self.stride)
        # Half the time or less, and the same sums.
        blocks = _conv2d(feature, _for_blocks(weight, *block), bias.repeat(rows * columns), block)
        blocks = blocks.unflatten(1, (rows, columns, self.out_channels)).permute(0, 3, 4, 1, 5, 2)
        return blocks.reshape(-1, self.out_channels, height, width)


def _conv2d(
    feature: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, stride: tuple[int, int]
) -> torch.Tensor:
    return (convolved if slow_for(feature, weight) else F.conv2d)(feature, weight, bias, stride)


def _for_blocks(weight: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Filters for every pixel of a block: (N, C, k, k) -> (rows columns N, C, k + rows - 1, k + columns - 1)."""
    filters = [
        F.pad(weight, (column, columns - 1 - column, row, rows - 1 - row))
        for row in range(rows)
        for column in range(columns)
    ]
    return torch.cat(filters)


def conv3x3(channels_in: int, channels_out: int, stride: int = 1, relu: bool = False) -> Convolution:
    return Convolution(channels_in, channels_out, 3, stride, relu)


def conv1x1(channels_in: int, channels_out: int, relu: bool = False) -> Convolution:
    return Convolution(channels_in, channels_out, 1, relu=relu)
