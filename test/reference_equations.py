"""The paper's equations, written as they are printed: by loops, in float64, for the tests to compare with.

Nothing here comes from the product; the order of Fig. 2 is that of the benchmark's reference, which runs none of the
network's code. Images are (C, H, W) tensors, one at a time; gradients are autograd's.
"""

import math
from fractions import Fraction

import torch
import torch.nn.functional as F

from robself.bench.literal import Equations, figure_2


def mirrored(index: int, size: int) -> int:
    """A position in 0..size-1, reflected about the end pixels until it is inside: d c b | a b c d | c b a."""
    while size > 1 and not 0 <= index < size:
        index = -index if index < 0 else 2 * (size - 1) - index
    return index if size > 1 else 0


def pad_mirrored(image, left, right, top, bottom):
    height, width = image.shape[-2:]
    rows = [mirrored(row, height) for row in range(-top, height + bottom)]
    columns = [mirrored(column, width) for column in range(-left, width + right)]
    return image[..., rows, :][..., columns]


def pooled(image, rows, columns):
    """f_down of Eq. 1: the mean over each source pixel's area, as an integral. (H, W) -> (h, w)."""
    height, width = image.shape
    tall, wide = Fraction(height, rows), Fraction(width, columns)
    result = torch.zeros(rows, columns, dtype=image.dtype)
    for row in range(rows):
        for column in range(columns):
            total = 0.0
            for y in range(height):
                for x in range(width):
                    covered_y = min(Fraction(y + 1), (row + 1) * tall) - max(Fraction(y), row * tall)
                    covered_x = min(Fraction(x + 1), (column + 1) * wide) - max(Fraction(x), column * wide)
                    if covered_y > 0 and covered_x > 0:
                        total = total + image[y, x] * float(covered_y * covered_x / (tall * wide))
            result[row, column] = total
    return result


def consistency_loss(sr, translated, source, valid, weight):
    """Eq. 1, its norm as a mean over valid pixels. sr, translated: (H, W); source, valid: (h, w)."""
    terms = []
    for prediction in (sr, translated):
        down = pooled(prediction, *source.shape)
        errors = [
            abs(down[row, column] - source[row, column])
            for row in range(source.shape[0])
            for column in range(source.shape[1])
            if valid[row, column]
        ]
        terms.append(sum(errors) / len(errors))
    return terms[0] + weight * terms[1]


def bilinear(image, x, y):
    """The image (C, H, W) at one position; outside the frame: at the nearest position inside."""
    height, width = image.shape[-2:]
    x, y = torch.clamp(x, 0, width - 1), torch.clamp(y, 0, height - 1)
    left, top = min(math.floor(x.item()), width - 1), min(math.floor(y.item()), height - 1)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    across, down = x - left, y - top
    return (
        image[:, top, left] * (1 - across) * (1 - down)
        + image[:, top, right] * across * (1 - down)
        + image[:, bottom, left] * (1 - across) * down
        + image[:, bottom, right] * across * down
    )


def resampled(guide, displacement):
    """Eq. 2, RobSelf-Re: F_aligned(p) = F_guide(p + dp). displacement: (2, H, W), (x, y)."""
    aligned = torch.zeros_like(guide)
    for y in range(guide.shape[1]):
        for x in range(guide.shape[2]):
            dx, dy = displacement[:, y, x]
            aligned[:, y, x] = bilinear(guide, x + dx, y + dy)
    return aligned


def deformably_convolved(guide, displacement, weight, bias):
    """Eq. 2, RobSelf-De: F_aligned(p) = sum over i of w_i F_guide(p + p_i + dp_i), plus the layer's bias.

    displacement: (2 k^2, H, W): (x, y) of each p_i, row by row of the kernel; weight: (C', C, k, k).
    """
    kernel = weight.shape[-1]
    aligned = torch.zeros(len(weight), *guide.shape[1:], dtype=guide.dtype)
    for y in range(guide.shape[1]):
        for x in range(guide.shape[2]):
            total = bias
            for i in range(kernel * kernel):
                row, column = divmod(i, kernel)
                dx, dy = displacement[2 * i : 2 * i + 2, y, x]
                there = bilinear(guide, x + column - kernel // 2 + dx, y + row - kernel // 2 + dy)
                total = total + weight[:, :, row, column] @ there
            aligned[:, y, x] = total
    return aligned


SOBEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))  # the gradient operator of the paper's reference [14]


def importance(source):
    """Eq. 3: M_imp = 1/C sum over c of the gradient's magnitude. (C, H, W) -> (H, W)."""
    channels, height, width = source.shape
    result = torch.zeros(height, width, dtype=source.dtype)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                across = down = 0.0
                for i in range(3):
                    for j in range(3):
                        value = source[c, mirrored(y + i - 1, height), mirrored(x + j - 1, width)]
                        across = across + SOBEL[i][j] * value
                        down = down + SOBEL[j][i] * value
                result[y, x] += (across**2 + down**2) ** 0.5 / channels
    return result


def is_important(importance_map, eta):
    """Eq. 4: M_imp > tau, tau = eta E[M_imp]. (H, W) -> (H, W) bool."""
    values = [[float(value) for value in row] for row in importance_map]
    tau = eta * sum(map(sum, values)) / importance_map.numel()
    return torch.tensor([[value > tau for value in row] for row in values])


def enhanced(reference, source, large, small, important):
    """Eq. 5 and 6, pixel by pixel. reference, source: (C, H, W); important: (H, W) bool, None: everywhere."""
    _, height, width = source.shape
    result = torch.zeros_like(source)
    for y in range(height):
        for x in range(width):
            kernel = large if important is None or important[y, x] else small
            reach = range(-(kernel // 2), kernel // 2 + 1)
            neighbours = torch.stack(
                [source[:, mirrored(y + dy, height), mirrored(x + dx, width)] for dy in reach for dx in reach]
            )
            exponentials = torch.exp(neighbours @ reference[:, y, x])
            result[:, y, x] = exponentials / exponentials.sum() @ neighbours
    return result


def convolved(image, layer, stride=1):
    """A convolution with the layer's weights, its border mirrored. (C, H, W) -> (C', H', W')."""
    margin = layer.weight.shape[-1] // 2
    padded = pad_mirrored(image, margin, margin, margin, margin)
    return F.conv2d(padded[None], layer.weight.double(), layer.bias.double(), stride)[0]


BY_LOOPS = Equations(resampled, deformably_convolved, importance, is_important, enhanced, convolved)


def robself(network, source, guide, **settings):
    """Fig. 2 with the weights of `network`, its equations by loops: see `figure_2`, with images of float64."""
    return figure_2(network, source, guide, equations=BY_LOOPS, **settings)
