"""The paper's equations as it prints them, slow and plain: what the product is measured against.

Float32 or float64, one image at a time, gradients are autograd's. Nothing is tiled, kept or precomputed: grids and
masks are made anew whenever they are needed, and the windows of Eq. 5 are a tensor of m^2 C H W numbers. Only the
weights are the product's, so that the outputs can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F

from robself.consistency import AveragePooling, consistency_loss
from robself.kept_memory import memory_by_default
from robself.network import Prediction, RobSelf
from robself.preparation import Observation

ITERATIONS = 1000  # Sec. 5.1


def resampled(guide: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
    """Eq. 2, RobSelf-Re: F_aligned(p) = F_guide(p + dp). (C, H, W), (2, H, W) px, (x, y) -> (C, H, W)."""
    height, width = guide.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, dtype=guide.dtype, device=guide.device),
        torch.arange(width, dtype=guide.dtype, device=guide.device),
        indexing="ij",
    )
    x, y = x + displacement[0], y + displacement[1]
    # Where nothing is displaced yet, the slope differs to both sides of a pixel, and the rounding of its position
    # chooses one: it is rounded as the product does, or the outputs would part at once.
    grid = torch.stack((x * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1), dim=-1)
    return F.grid_sample(guide[None], grid[None], padding_mode="border", align_corners=True)[0]


def deformably_convolved(
    guide: torch.Tensor, displacement: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """Eq. 2, RobSelf-De: F_aligned(p) = sum over i of w_i F_guide(p + p_i + dp_i), plus the layer's bias.

    Shape: (C, H, W), (2 k^2, H, W): (x, y) of each p_i, row by row of the kernel, (C', C, k, k), (C',) -> (C', H, W).
    """
    kernel = weight.shape[-1]
    aligned = bias[:, None, None]
    for i in range(kernel * kernel):
        row, column = divmod(i, kernel)
        tap = torch.tensor([column - kernel // 2, row - kernel // 2], device=guide.device)
        there = resampled(guide, tap[:, None, None] + displacement[2 * i : 2 * i + 2])
        aligned = aligned + torch.einsum("oc,chw->ohw", weight[:, :, row, column], there)
    return aligned


def importance(source: torch.Tensor) -> torch.Tensor:
    """Eq. 3: M_imp = 1/C sum over c of the gradient's magnitude (Sobel). (C, H, W) -> (H, W)."""
    across = torch.tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=source.dtype, device=source.device)
    padded = F.pad(source, (1, 1, 1, 1), mode="reflect")[:, None]
    horizontal, vertical = (F.conv2d(padded, operator[None, None])[:, 0] for operator in (across, across.T))
    return (horizontal**2 + vertical**2).sqrt().mean(0)


def is_important(importance_map: torch.Tensor, eta: float) -> torch.Tensor:
    """Eq. 4: M_imp > tau, tau = eta E[M_imp]. (H, W) -> (H, W) bool."""
    return importance_map > eta * importance_map.mean()


def enhanced(
    reference: torch.Tensor, source: torch.Tensor, large: int, small: int, important: torch.Tensor | None
) -> torch.Tensor:
    """Eq. 5 and 6 for all pixels at once. Two (C, H, W); (H, W) bool, None: everywhere -> (C, H, W)."""
    channels, height, width = source.shape
    reach = large // 2
    padded = F.pad(source, 4 * (reach,), mode="reflect")
    windows = F.unfold(padded[None], large).view(channels, large * large, height * width)
    correlation = (windows * reference.reshape(channels, 1, -1)).sum(0)
    if important is not None:
        offset = torch.arange(-reach, reach + 1, device=source.device).abs()
        beyond = torch.maximum(offset[:, None], offset).reshape(-1, 1) > small // 2
        correlation = correlation.masked_fill(beyond & ~important.reshape(1, -1), -torch.inf)
    return (windows * correlation.softmax(0)).sum(1).view(channels, height, width)


def convolved(image: torch.Tensor, layer: torch.nn.Conv2d, stride: int = 1) -> torch.Tensor:
    """A convolution with the layer's weights, its border mirrored. (C, H, W) -> (C', H', W')."""
    margin = layer.weight.shape[-1] // 2
    if margin:
        image = F.pad(image, 4 * (margin,), mode="reflect")
    weight, bias = layer.weight.to(image.dtype), layer.bias.to(image.dtype)
    return F.conv2d(image[None], weight, bias, stride)[0]


class Equations(NamedTuple):
    """Eq. 2 to 6 and the convolutions between them, in one way of writing them."""

    resampled: Callable[..., torch.Tensor] = resampled
    deformably_convolved: Callable[..., torch.Tensor] = deformably_convolved
    importance: Callable[..., torch.Tensor] = importance
    is_important: Callable[..., torch.Tensor] = is_important
    enhanced: Callable[..., torch.Tensor] = enhanced
    convolved: Callable[..., torch.Tensor] = convolved


LITERAL = Equations()


def figure_2(
    network: RobSelf,
    source: torch.Tensor,
    guide: torch.Tensor,
    *,
    variant: str,
    levels: int,
    large: int,
    small: int,
    eta: float | None,
    equations: Equations = LITERAL,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Fig. 2 with the weights of `network`, whose code is not run: I_pred^SR, I_pred^Trans, D_dis.

    Shape: (1, H, W), (3, H, W) -> two (1, H, W), (N, H, W) px. H and W must be multiples of 2**levels, at least
    twice that.
    """

    convolved = equations.convolved

    def extracted(image, layers):
        image = convolved(image, layers[0]).relu()
        return convolved(convolved(image, layers[1]).relu(), layers[2])

    def head(feature, layers):
        for block in (layers[0], layers[1]):
            feature = feature + convolved(convolved(feature, block.first).relu(), block.second)
        return convolved(feature, layers[2])

    def estimated(estimator):  # Fig. 3
        feature = convolved(torch.cat((source_feature, guide_feature)), estimator.entry).relu()
        skips = []
        for layer in estimator.encoder:
            skips.append(feature)
            feature = convolved(feature, layer, stride=2).relu()
        for layer in estimator.decoder:
            feature = F.interpolate(feature[None], scale_factor=2, mode="bilinear", align_corners=False)[0]
            feature = convolved(torch.cat((feature, skips.pop())), layer).relu()
        return convolved(feature, estimator.displacement)

    assert len(network.translator.estimator.encoder) == levels
    source_feature = extracted(source, network.extract_source)
    guide_feature = extracted(guide, network.extract_guide)
    displacement = estimated(network.translator.estimator)
    if variant == "re":
        aligned = equations.resampled(guide_feature, displacement)
    else:
        mix = network.translator.alignment.mix
        weight = mix.weight.to(guide.dtype).reshape(len(mix.weight), 3, 3, -1).permute(0, 3, 1, 2)
        bias = mix.bias.to(guide.dtype)
        aligned = equations.deformably_convolved(guide_feature, displacement, weight, bias)
    important = None
    if eta is not None:
        important = equations.is_important(equations.importance(source_feature).detach(), eta)
    filtering = network.filter
    filtered = equations.enhanced(
        convolved(aligned, filtering.project_reference),
        convolved(source_feature, filtering.project_source),
        large,
        small,
        important,
    )
    sr = head(convolved(filtered, filtering.project_enhanced), network.head)
    return sr, head(aligned, network.translation_head), displacement


def predict_literally(network: RobSelf, observation: Observation) -> Prediction:
    """Fig. 2 of an observation at full resolution, as its network is configured."""
    config = network.config
    images = figure_2(
        network,
        observation.upsampled[0],
        observation.guide[0],
        variant=config.variant,
        levels=config.levels,
        large=config.large_kernel,
        small=config.small_kernel,
        eta=config.eta,
    )
    return Prediction(*(image[None] for image in images))


@memory_by_default()
def optimise_literally(
    network: RobSelf,
    observation: Observation,
    iterations: int = ITERATIONS,
    on_iteration: Callable[[int], None] = lambda done: None,
) -> Prediction:
    """Sec. 5.1: Adam at 0.002, times 0.9998 every 5 iterations, on Eq. 1 at full resolution; then the prediction.

    Args:
        network: its weights are changed.
        on_iteration: called with the iterations done.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=0.002)
    for iteration in range(iterations):
        for group in optimiser.param_groups:
            group["lr"] = 0.002 * 0.9998 ** (iteration // 5)
        optimiser.zero_grad()
        prediction = predict_literally(network, observation)
        source = observation.source
        f_down = AveragePooling(observation.guide.shape[-2:], source.shape[-2:], source.device)
        loss = consistency_loss(
            f_down(prediction.sr), f_down(prediction.translated), source, observation.valid
        )
        loss.backward()
        optimiser.step()
        on_iteration(iteration + 1)
    with torch.no_grad():
        return predict_literally(network, observation)
