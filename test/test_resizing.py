"""Images resized where they lie: a GPU's way gives the values of a CPU's."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.preparation import Observations
from robself.resizing import OPENCV, enlarged, enlarged_by_torch, shrunk, shrunk_by_torch

SIZES = [(24, 36), (25, 31), (13, 17), (60, 17)]


def image(channels: int, height: int, width: int) -> torch.Tensor:
    return torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("interpolation", OPENCV)
@pytest.mark.parametrize("size", SIZES)
def test_both_enlarge_alike(interpolation, size):
    small = image(1, 12, 17)
    ours = enlarged(small, size, interpolation)
    theirs = enlarged_by_torch(small, size, interpolation)
    assert ours.shape == (1, 1, *size)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=2e-5)


@pytest.mark.parametrize("size", [(12, 18), (24, 36), (10, 17), (23, 9)])
def test_both_shrink_alike_to_the_mean_over_the_area(size):
    large = image(3, 24, 36)
    ours = shrunk(large, size)
    torch.testing.assert_close(shrunk_by_torch(large, size), ours, rtol=0, atol=2e-5)
    if size == (12, 18):
        torch.testing.assert_close(ours, F.avg_pool2d(large, 2))
    torch.testing.assert_close(ours.mean((2, 3)), large.mean((2, 3)), rtol=0, atol=1e-5)


def test_the_guide_is_normalised_alike():
    guide = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)
    guide.flags.writeable = False
    normalisation = Normalisation.of(Pair.from_images(np.ones((6, 8), np.float32), guide))
    got = normalisation.guide_by_torch(torch.tensor(guide))
    np.testing.assert_array_equal(got.numpy(), normalisation.guide(guide))
    assert got.is_contiguous()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("size", [(24, 32), (25, 33)])
def test_a_pair_is_prepared_alike(size):
    draw = np.random.default_rng(0)
    source = draw.uniform(-1, 9, (6, 8)).astype(np.float32)
    pair = Pair.from_images(source, draw.integers(0, 256, (*size, 3), np.uint8))
    on_cpu, on_gpu = (
        Observations(pair, Normalisation.of(pair), {0.5}, torch.device(device)) for device in ("cpu", "cuda")
    )
    for resolution in (0.5, 1.0):
        ours, theirs = on_cpu[resolution], on_gpu[resolution]
        assert ours.kind == theirs.kind
        for name in ("source", "valid", "upsampled", "guide"):
            got, expected = getattr(theirs, name), getattr(ours, name)
            assert got.is_cuda and got.stride() == expected.stride()
            torch.testing.assert_close(got.cpu(), expected, rtol=1e-5, atol=2e-5)
        full = torch.ones_like(ours.upsampled)
        torch.testing.assert_close(theirs.pool(full.cuda()).cpu(), ours.pool(full))
