"""Content-aware reference filter (Sec. 3.3, Fig. 4): the source enhances itself, the guide says how."""

import torch
from torch import nn

from robself.network import kernels
from robself.network.convolution import conv1x1
from robself.network.neighbourhood_attention import neighbourhood_attention
from robself.network.reflection import reflect

BAND = 16  # rows


def importance_map(source: torch.Tensor) -> torch.Tensor:
    """Eq. 3: M_imp, the channels' mean gradient magnitude (Sobel's operator, reflected at the border).

    Shape: (B, C, H, W) -> (B, H, W) float32.
    """
    if kernels.usable(source):
        from robself.network.kernels.importance import gradient_magnitude

        return gradient_magnitude(source)
    pixels = reflect(source, padding=(1, 1, 1, 1)).permute(0, 2, 3, 1)
    importance = source.new_empty(*source.shape[:1], *source.shape[2:], dtype=torch.float32)
    height = source.shape[-2]
    # A band's many steps stay in a CPU's cache; a GPU wants one large call.
    band = BAND if source.device.type == "cpu" else height
    for row in range(0, height, band):
        importance[:, row : row + band] = _gradient_magnitude(pixels[:, row : row + band + 2].float())
    return importance


def _gradient_magnitude(pixels: torch.Tensor) -> torch.Tensor:
    """The channels' mean. Shape: (B, H + 2, W + 2, C) float32 -> (B, H, W)."""
    left, middle, right = pixels[:, :, :-2], pixels[:, :, 1:-1], pixels[:, :, 2:]
    across = right - left
    horizontal = torch.add(across[:, :-2], across[:, 1:-1], alpha=2).add_(across[:, 2:])
    smooth = torch.add(left, middle, alpha=2).add_(right)
    vertical = smooth[:, 2:] - smooth[:, :-2]
    return horizontal.square_().addcmul_(vertical, vertical).sqrt_().mean(-1)


def important_pixels(importance: torch.Tensor, eta: float, mean: torch.Tensor | None = None) -> torch.Tensor:
    """Eq. 4: where M_imp exceeds tau = eta E[M_imp]. (B, H, W) -> (B, H, W) bool.

    Args:
        mean: (1,), E[M_imp] where `importance` is a part of an image; None: E over each image given.
    """
    return importance > eta * (importance.mean((1, 2), keepdim=True) if mean is None else mean)


class ReferenceFilter(nn.Module):
    """Eq. 3-6: every source pixel becomes the mean of its neighbours, weighted by likeness to the reference.

    Args:
        large: m, the kernel of important pixels. small: n, that of the others.
        eta: scale of the threshold, Eq. 4; None: no threshold, every pixel is important.

    Attributes:
        mean_importance: (1,), E[M_imp] of the whole image while parts of one are filtered; None: E over the
            image that comes.

    Shape: source, reference (B, C, H, W) -> (B, C, H, W).
    """

    mean_importance: torch.Tensor | None = None

    def __init__(self, channels: int, large: int, small: int, eta: float | None) -> None:
        super().__init__()
        self.large, self.small, self.eta = large, small, eta
        self.project_source = conv1x1(channels, channels)
        self.project_reference = conv1x1(channels, channels)
        self.project_enhanced = conv1x1(channels, channels)

    @property
    def thresholds(self) -> bool:
        """Whether the kernel depends on the pixel."""
        return self.eta is not None and self.small != self.large

    def forward(self, source: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        important = None
        if self.thresholds:
            with torch.no_grad():  # a choice of kernel, not a quantity to descend along
                important = important_pixels(importance_map(source), self.eta, self.mean_importance)
        source, reference = self.project_source(source), self.project_reference(reference)
        enhanced = neighbourhood_attention(reference, source, self.large, self.small, important)
        return self.project_enhanced(enhanced)
