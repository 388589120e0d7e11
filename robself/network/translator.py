"""Misalignment-aware feature translator (Sec. 3.2, Fig. 3): where to look in the guide, and looking there."""

import torch
import torch.nn.functional as F
from torch import nn

from robself.network import kernels
from robself.network.convolution import conv1x1, conv3x3
from robself.network.sampling import pixel_grid, sample


class MisalignmentEstimator(nn.Module):
    """Dense displacement from guide to source, D_dis^G2S, by an i-level encoder and decoder with skips.

    Args:
        levels: i; the encoder halves the resolution i times, so H and W must be multiples of 2**i.
        displacement_channels: N of Eq. 2: 2 for RobSelf-Re, 2 k^2 for RobSelf-De.

    Shape: two (B, C, H, W) -> (B, N, H, W), px. The last layer starts at zero: no displacement.
    """

    def __init__(self, channels: int, levels: int, displacement_channels: int) -> None:
        super().__init__()
        self.entry = conv3x3(2 * channels, channels, relu=True)
        self.encoder = nn.ModuleList(conv3x3(channels, channels, stride=2, relu=True) for _ in range(levels))
        self.decoder = nn.ModuleList(conv3x3(2 * channels, channels, relu=True) for _ in range(levels))
        self.displacement = conv3x3(channels, displacement_channels)
        nn.init.zeros_(self.displacement.weight)
        nn.init.zeros_(self.displacement.bias)

    def forward(self, source: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
        feature = self.entry(source, guide)
        skips = []
        for downsample in self.encoder:
            skips.append(feature)
            feature = downsample(feature)
        for fuse, skip in zip(self.decoder, reversed(skips), strict=True):
            feature = fuse(doubled(feature), skip)
        return self.displacement(feature)


def doubled(feature: torch.Tensor) -> torch.Tensor:
    """Bilinearly. Shape: (B, C, H, W) -> (B, C, 2 H, 2 W)."""
    if kernels.usable(feature):
        from robself.network.kernels import upsampling

        return upsampling.doubled(feature)
    return F.interpolate(feature, scale_factor=2, mode="bilinear", align_corners=False)


class ResamplingAlignment(nn.Module):
    """Eq. 2, RobSelf-Re: F_aligned(p) = F_guide(p + dp).

    Shape: (B, C, H, W), (B, 2, H, W) px -> (B, C, H, W).
    """

    displacement_channels = 2

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, guide: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
        positions = pixel_grid(*guide.shape[-2:], guide.device) + displacement.float().permute(0, 2, 3, 1)
        return sample(guide, positions)

    def mean_displacement(self, displacement: torch.Tensor) -> torch.Tensor:
        """(B, 2, H, W): the displacement itself."""
        return displacement


class DeformableAlignment(nn.Module):
    """Eq. 2, RobSelf-De: F_aligned(p) = sum_i w_i F_guide(p + p_i + dp_i), a k x k deformable convolution.

    Written as k*k samplings mixed by one 1x1 convolution, which is the same sum.

    Shape: (B, C, H, W), (B, 2 k^2, H, W) px -> (B, C, H, W).
    """

    kernel = 3
    displacement_channels = 2 * kernel**2

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = self.kernel**2
        self.mix = conv1x1(taps * channels, channels)
        relative = torch.stack(
            torch.meshgrid(*2 * [torch.arange(self.kernel) - self.kernel // 2], indexing="xy"), -1
        )
        self.register_buffer("taps", relative.reshape(taps, 2).float(), persistent=False)

    def forward(self, guide: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = guide.shape
        offsets = displacement.float().unflatten(1, (-1, 2)).permute(0, 3, 4, 1, 2)  # (B, H, W, k^2, 2)
        positions = pixel_grid(height, width, guide.device)[:, :, None] + self.taps + offsets
        # One wide sampling of all taps: channels last, a pixel's taps lie side by side, as more channels would.
        sampled = sample(guide, positions.flatten(2, 3)).permute(0, 2, 3, 1)
        return self.mix(sampled.reshape(batch, height, width, -1).permute(0, 3, 1, 2))

    def mean_displacement(self, displacement: torch.Tensor) -> torch.Tensor:
        """(B, 2, H, W): the taps' displacements, averaged by the magnitude of their weights."""
        weight = self.mix.weight.detach().float().flatten(1).unflatten(1, (len(self.taps), -1))
        weight = weight.abs().sum((0, 2))
        offsets = displacement.float().unflatten(1, (-1, 2))
        return torch.einsum("k,bkdhw->bdhw", weight / weight.sum(), offsets)


ALIGNMENTS = {"re": ResamplingAlignment, "de": DeformableAlignment}


class Translator(nn.Module):
    """Aligns the guide feature to the source feature; Eq. 1's second term makes it do so.

    Shape: two (B, C, H, W) -> F_guide^Aligned (B, C, H, W), displacement (B, N, H, W) px.
    """

    def __init__(self, channels: int, levels: int, variant: str) -> None:
        super().__init__()
        self.alignment = ALIGNMENTS[variant](channels)
        self.estimator = MisalignmentEstimator(channels, levels, self.alignment.displacement_channels)

    def forward(
        self, source: torch.Tensor, guide: torch.Tensor, displacement_scale: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        displacement = self.estimator(source, guide).float() * displacement_scale
        return self.alignment(guide, displacement), displacement
