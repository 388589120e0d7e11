"""P2P: one small network maps a guide pixel's colour and place to the source's value there.

R. de Lutio et al., "Guided super-resolution as pixel-to-pixel transformation" (ICCV 2019). Layers, learning
rate, decays and batches are those of the authors' release; its images are square and its factors whole, here
both axes and any factor serve: a source pixel is the mean over the guide pixels under it, by area.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from robself.consistency import area_shares
from robself.device import choose_device
from robself.methods.learning import descend, estimate_of, iterations_of
from robself.methods.method import Estimate, Method, Settings
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.seeding import seeded

ITERATIONS = 32768
BATCH = 32  # source pixels
LEARNING_RATE = 0.001
DECAY = {"place": 1e-4, "colour": 1e-3, "head": 1e-4}
PREDICTED_AT_ONCE = 8192  # pixels, each of which needs 2048 numbers


class PixelTransform(nn.Module):
    """A multi-layer perceptron on each pixel: a branch for its place and one for its colour, summed; a head.

    Shape: place (..., 2) in -0.5..0.5, colour (..., 3) in deviations -> (...) in deviations.
    """

    def __init__(self, narrow: int = 32, wide: int = 2048) -> None:
        super().__init__()
        self.place = nn.Sequential(nn.Linear(2, narrow), nn.ReLU(), nn.Linear(narrow, wide))
        self.colour = nn.Sequential(nn.Linear(3, narrow), nn.ReLU(), nn.Linear(narrow, wide))
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(wide, narrow), nn.ReLU(), nn.Linear(narrow, 1))

    def forward(self, place: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
        return self.head(self.place(place) + self.colour(colour))[..., 0]


class Footprints(NamedTuple):
    """The guide rows (or columns) under every source row, and their shares of it: two (h, k)."""

    index: torch.Tensor
    share: torch.Tensor

    @classmethod
    def of(cls, size: int, source_size: int, device: torch.device) -> Footprints:
        shares = area_shares(size, source_size)
        most = int((shares > 0).sum(1).max())
        share, index = shares.topk(most, dim=1)
        return cls(index.to(device), share.to(device))


def run(pair: Pair, settings: Settings) -> Estimate:
    """Learn the transformation from this pair's valid source pixels, then apply it to every guide pixel.

    An iteration is one batch of 32 source pixels; every pass over all of them is in a new order.

    Raises:
        ConfigError: fewer than one iteration, or a device this machine has not.
        RobSelfError: the optimisation diverged.
    """
    device, normalisation = choose_device(settings.device), Normalisation.of(pair)
    network = seeded(PixelTransform, settings.seed, device)
    optimiser = torch.optim.Adam(
        [{"params": getattr(network, part).parameters(), "weight_decay": DECAY[part]} for part in DECAY],
        lr=LEARNING_RATE,
        capturable=device.type == "cuda",
        fused=device.type == "cuda",
    )
    colour = normalisation.guide_on(device, pair.guide).permute(1, 2, 0).contiguous()
    place = places(*pair.size, device)
    source = torch.from_numpy(normalisation.source(pair.source)).to(device)
    (down, down_share), (across, across_share) = (
        Footprints.of(full, low, device) for full, low in zip(pair.size, pair.source.shape, strict=True)
    )
    batches = _batches(torch.from_numpy(pair.valid).nonzero(), settings.seed)

    def loss_of(batch: torch.Tensor) -> torch.Tensor:
        row, column = batch.T
        rows, columns = down[row][:, :, None], across[column][:, None, :]
        predicted = network(place[rows, columns], colour[rows, columns])
        mean = torch.einsum("bij,bi,bj->b", predicted, down_share[row], across_share[column])
        return F.l1_loss(mean, source[row, column])

    info = descend(
        optimiser, loss_of, iterations_of(settings, ITERATIONS), lambda _: (next(batches).to(device),)
    )
    with torch.no_grad():
        parts = zip(
            place.flatten(0, 1).split(PREDICTED_AT_ONCE),
            colour.flatten(0, 1).split(PREDICTED_AT_ONCE),
            strict=True,
        )
        sr = torch.cat([network(*part) for part in parts]).view(pair.size)
    return estimate_of(pair, normalisation, sr, network, info)


def places(height: int, width: int, device: torch.device) -> torch.Tensor:
    """(H, W, 2): every pixel's (x, y), each axis from -0.5 to 0.5."""
    rows, columns = (torch.linspace(-0.5, 0.5, size, device=device) for size in (height, width))
    return torch.stack((columns.expand(height, width), rows[:, None].expand(height, width)), dim=-1)


def _batches(pixels: torch.Tensor, seed: int):
    """(n, 2) rows and columns -> batch after batch of them without end, shuffled anew after every pass."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from pixels[torch.randperm(len(pixels), generator=generator)].split(BATCH)


P2P = Method(
    "p2p",
    run,
    "P2P: a perceptron on each pixel's colour and place (de Lutio et al., ICCV 2019)",
    random=True,
    learns=True,
)
