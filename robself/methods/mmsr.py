"""MMSR: source and guide filter each other's features.

X. Dong et al., "Learning mutual modulation for self-supervised cross-modal super-resolution" (ECCV 2022).
Layers, neighbourhoods, learning rate and decays are those of the authors' release. The border is reflected, as
everywhere in this project, where the release pads with zeros.
"""

from __future__ import annotations

import torch
from torch import nn

from robself.consistency import consistency
from robself.device import choose_device, compute_type
from robself.methods.learning import descend, estimate_of, iterations_of
from robself.methods.method import Estimate, Method, Settings
from robself.network.convolution import conv1x1, conv3x3
from robself.network.neighbourhood_attention import neighbourhood_attention
from robself.network.prediction_head import ResidualBlock
from robself.normalisation import Normalisation
from robself.optimisers import set_learning_rate, with_rate
from robself.pair import Pair
from robself.preparation import observe
from robself.schedule import Stage
from robself.seeding import seeded

STAGE = Stage(resolution=1.0, iterations=1000, learning_rate=0.002, decay="paper")
GUIDE_DECAY = 5e-4  # of the guide branch's weights alone, after P2P
CHANNELS = 64
SOURCE_NEIGHBOURS = 11
GUIDE_NEIGHBOURS = 5


class MutualModulation(nn.Module):
    """Each feature is rebuilt from its own neighbours, weighted by their likeness to the other's pixel.

    Source-to-guide: source pixels, weighted by the guide, for the guide's resolution. Guide-to-source: guide
    pixels, weighted by the source, for the source's modality. A 1x1 convolution fuses both.

    Shape: source, guide (B, C, H, W) -> (B, C, H, W).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project_source = conv1x1(channels, channels)
        self.project_guide = conv1x1(channels, channels)
        self.fuse = conv1x1(2 * channels, channels)

    def forward(self, source: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
        source, guide = self.project_source(source), self.project_guide(guide)
        source_to_guide = neighbourhood_attention(guide, source, SOURCE_NEIGHBOURS, SOURCE_NEIGHBOURS, None)
        guide_to_source = neighbourhood_attention(source, guide, GUIDE_NEIGHBOURS, GUIDE_NEIGHBOURS, None)
        return self.fuse(torch.cat((source_to_guide, guide_to_source), dim=1))


class MMSRNetwork(nn.Module):
    """The network: only the guide's branch looks at neighbours, the source's and the head are pointwise.

    Shape: upsampled source (B, 1, H, W), guide (B, 3, H, W), both normalised -> (B, 1, H, W) float32.
    """

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.guide = _branch(3, channels, conv3x3)
        self.source = _branch(1, channels, conv1x1)
        self.modulation = MutualModulation(channels)
        self.head = nn.Sequential(*(ResidualBlock(channels, conv1x1) for _ in range(3)), conv1x1(channels, 1))

    def forward(
        self, source: torch.Tensor, guide: torch.Tensor, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        modulated = self.modulation(self.source(source.to(dtype)), self.guide(guide.to(dtype)))
        return self.head(modulated).float()


def _branch(image_channels: int, channels: int, conv) -> nn.Sequential:
    return nn.Sequential(
        conv(image_channels, channels, relu=True),
        conv(channels, channels, relu=True),
        ResidualBlock(channels, conv),
        ResidualBlock(channels, conv),
    )


def run(pair: Pair, settings: Settings) -> Estimate:
    """Optimise on this pair: the prediction, pooled to the source's size, must be the source (the cycle).

    Raises:
        ConfigError: fewer than one iteration, or a device this machine has not.
        RobSelfError: the optimisation diverged.
    """
    device, normalisation = choose_device(settings.device), Normalisation.of(pair)
    observation, dtype = observe(pair, normalisation, STAGE.resolution, device), compute_type(device)
    network = seeded(MMSRNetwork, settings.seed, device).to(memory_format=torch.channels_last)
    guide_weights = list(network.guide.parameters())
    others = [weight for name, weight in network.named_parameters() if not name.startswith("guide.")]
    optimiser = with_rate(
        torch.optim.Adam(
            [{"params": guide_weights, "weight_decay": GUIDE_DECAY}, {"params": others}],
            capturable=device.type == "cuda",
            fused=device.type == "cuda",
        )
    )

    def loss_of() -> torch.Tensor:
        sr = network(observation.upsampled, observation.guide, dtype)
        return consistency(observation.pool(sr), observation.source, observation.valid)

    def decay(iteration: int) -> tuple[()]:
        set_learning_rate((optimiser,), STAGE.rate(iteration, 0.0))
        return ()

    info = descend(optimiser, loss_of, iterations_of(settings, STAGE.iterations), decay)
    with torch.no_grad():
        sr = network(observation.upsampled, observation.guide, dtype)[0, 0]
    return estimate_of(pair, normalisation, sr, network, info)


MMSR = Method(
    "mmsr",
    run,
    "MMSR: source and guide modulate each other (Dong et al., ECCV 2022)",
    random=True,
    learns=True,
)
