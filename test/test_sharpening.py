"""The edge prior against its definition, differentiated by autograd and minimised by torch's Adam."""

import numpy as np
import pytest
import torch
from small_pairs import small_pair

from robself import sharpening
from robself.consistency import AveragePooling
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.preparation import observe
from robself.sharpening import NEIGHBOURS, sharpened
from robself.upsampling import bicubic

STEPS = 7


def observation_of(pair):
    return observe(pair, Normalisation.of(pair), 1.0, torch.device("cpu"))


def literal_objective(x, image, observation, step):
    """As the docstring of `sharpened` writes it, pixel by pixel."""
    directions = [*NEIGHBOURS.items()][step % 4 :: 4]
    height, width = x.shape[-2:]
    area = height * width / observation.source.numel()
    missing = observation.pool(x) - observation.source
    total = sharpening.FIDELITY * area * (observation.valid * missing**2).sum()
    for row in range(height):
        for column in range(width):
            for (down, right), weight in directions:
                if row + down < height and 0 <= column + right < width:
                    jump = x[0, 0, row, column] - x[0, 0, row + down, column + right]
                    total = total + 4 * sharpening.STRENGTH * weight * (jump**2 + sharpening.STEEP**2) ** 0.25
    return total + sharpening.ANCHORING * ((x - image) ** 2 + sharpening.ANCHOR_STEEP**2).sqrt().sum()


@pytest.mark.parametrize("size", [(8, 12), (7, 11)], ids=["whole factor", "broken factor"])
def test_sharpening_descends_along_its_objective(size):
    pair = small_pair((4, 6), size)
    source = pair.source.copy()
    source[1, 2] = np.nan
    observation = observation_of(Pair.from_images(source, pair.guide))
    image = observation.upsampled + 0.1 * torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0))
    expected = image.clone().requires_grad_(True)
    adam = torch.optim.Adam([expected], betas=(sharpening.MOMENTUM, sharpening.SCALE_MOMENTUM))
    for step in range(STEPS):
        adam.param_groups[0]["lr"] = sharpening.RATE * (1 - step / STEPS)
        adam.zero_grad()
        literal_objective(expected, image, observation, step).backward()
        adam.step()
    torch.testing.assert_close(sharpened(image, observation, STEPS), expected.detach(), atol=2e-5, rtol=0)
    assert (expected.detach() - image).abs().max() > 0.02


def test_no_steps_change_nothing():
    observation = observation_of(small_pair())
    assert sharpened(observation.upsampled, observation, 0) is observation.upsampled


def slanted_edge(size, factor):
    """Depth 1000 and 2000 on both sides of a slanted line, and its block means."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    truth = np.where(columns - size[1] / 2 > 0.3 * (rows - size[0] / 2), 2000.0, 1000.0).astype(np.float32)
    blocks = truth.reshape(size[0] // factor, factor, size[1] // factor, factor)
    return truth, blocks.mean((1, 3))


def test_a_slanted_edge_becomes_steep_where_the_means_say_it_is():
    truth, source = slanted_edge((48, 64), 4)
    pair = Pair.from_images(source, np.zeros((48, 64, 3), np.uint8))
    observation, normalisation = observation_of(pair), Normalisation.of(pair)
    enlarged = bicubic(pair.source, pair.valid, pair.size)
    image = torch.from_numpy(normalisation.source(enlarged))[None, None]
    result = sharpened(image, observation, 200)
    rmse = [
        np.sqrt(np.mean((estimate - truth) ** 2))
        for estimate in (enlarged, normalisation.restore(result[0, 0].numpy()))
    ]
    assert rmse[1] < 0.92 * rmse[0]
    torch.testing.assert_close(observation.pool(result), observation.source, atol=0.02, rtol=0)


@pytest.mark.parametrize("size", [(12, 18), (13, 17)])
def test_the_adjoint_of_pooling_is_its_transpose(size):
    pool = AveragePooling(size, (4, 6))
    generator = torch.Generator().manual_seed(0)
    image, pooled = (
        torch.randn(1, 1, *size, generator=generator),
        torch.randn(1, 1, 4, 6, generator=generator),
    )
    assert (pool(image) * pooled).sum().item() == pytest.approx(
        (image * pool.adjoint(pooled)).sum().item(), abs=1e-4
    )
