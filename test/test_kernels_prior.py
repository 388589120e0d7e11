"""The edge prior's kernels against the descent that they replace."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from kernels_device import DEVICE, needs_kernels
from small_pairs import scene

needs_kernels()

from robself.network.kernels.prior import sharpened_by_kernels  # noqa: E402
from robself.normalisation import Normalisation  # noqa: E402
from robself.pair import Pair  # noqa: E402
from robself.preparation import observe  # noqa: E402
from robself.sharpening import sharpened  # noqa: E402


def noisy_observation(source_size, size):
    """With holes, if the source has pixels enough; and an image to sharpen, nowhere flat."""
    source = scene(source_size)[0]
    if min(source_size) > 3:
        source[1, 2:4] = np.nan
        source[-1, -1] = np.nan
    pair = Pair.from_images(source, scene(size)[1])
    observation = observe(pair, Normalisation.of(pair), 1.0, torch.device(DEVICE))
    noise = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0))
    return observation, observation.upsampled + 0.1 * noise.to(DEVICE)


@pytest.mark.parametrize("steps", [1, 9])
@pytest.mark.parametrize(
    ("source_size", "size"),
    [
        ((9, 12), (36, 48)),
        ((5, 7), (15, 35)),
        ((7, 10), (23, 37)),
        ((3, 3), (3, 3)),
        ((2, 2), (3, 3)),
        ((2, 1), (2, 5)),
        ((1, 2), (1, 6)),
    ],
    ids=["x4", "x3 and x5", "broken factor", "3x3", "3x3 broken", "two rows", "one row"],
)
def test_kernels_sharpen_as_pytorch_does(source_size, size, steps):
    observation, image = noisy_observation(source_size, size)
    before = image.clone()
    expected = sharpened(image, observation, steps)
    found = sharpened_by_kernels(image, observation, steps)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert torch.equal(image, before)
    assert (expected - image).abs().max() > 0.02


def test_rounding_is_that_of_pytorch_where_all_else_is_nought():
    """Adam would make whole steps of more: the mean of 15 times 0.27, summed up and divided, is 0.27 again."""
    observation, image = noisy_observation((3, 3), (9, 15))
    flat = replace(observation, source=torch.full_like(observation.source, 0.27))
    image = torch.full_like(image, 0.27)
    assert torch.equal(sharpened(image, flat, 3), image)
    assert torch.equal(sharpened_by_kernels(image, flat, 3), image)


def test_no_steps_change_nothing():
    observation, image = noisy_observation((4, 4), (8, 8))
    assert sharpened_by_kernels(image, observation, 0) is image
