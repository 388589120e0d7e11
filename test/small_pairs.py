"""Pairs of a few hundred pixels and a network of a few hundred weights, for tests of what surrounds them."""

import numpy as np

from robself.config import ModelConfig, RobSelfConfig
from robself.online import OnlineSuperResolver
from robself.pair import Pair
from robself.schedule import Schedule, Stage

# Enough for a residual network of 8 channels to explain `coarse_pair()` better than bicubic does.
ENOUGH = Schedule(cold=(Stage(1.0, 70, 0.004),), warm=(Stage(1.0, 4),))
SHORT = Schedule(cold=(Stage(0.5, 8), Stage(1.0, 6)), warm=(Stage(1.0, 5),))


def scene(size=(18, 24), edge=0.45, near=900.0, far=1500.0):
    """A slanted edge between two depths in mm, and its picture: (H, W) float32, (H, W, 3) uint8."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    nearer = columns + 0.3 * rows < edge * size[1] + 0.15 * size[0]
    depth = np.where(nearer, near + 2 * rows, far - 3 * columns).astype(np.float32)
    shading = np.where(nearer, 190, 60) + (5 * rows + 3 * columns) % 11
    return depth, np.stack((shading, shading // 2 + 30, 220 - shading), axis=-1).astype(np.uint8)


def small_pair(source_size=(9, 12), size=(18, 24), stamp=None, **scene_settings):
    """A pair whose source is the scene's depth, averaged over integer blocks, or sampled where they are not."""
    depth, guide = scene(size, **scene_settings)
    (h, w), (H, W) = source_size, size
    if H % h == 0 and W % w == 0:
        source = depth.reshape(h, H // h, w, W // w).mean((1, 3))
    else:
        source = depth[np.ix_(np.arange(h) * H // h, np.arange(w) * W // w)]
    return Pair.from_images(source, guide, stamp=stamp)


def coarse_pair(source_size=(3, 4), size=(12, 16), **settings):
    """A pair so coarse that a network soon explains it better than bicubic does (see ENOUGH)."""
    return small_pair(source_size, size, **settings)


def small_config(variant="re", seed=0, **model):
    settings = {"channels": 4, "levels": 1, "large_kernel": 3, "small_kernel": 3, "eta": None} | model
    return RobSelfConfig(preset="small", model=ModelConfig(variant=variant, **settings), seed=seed)


def small_resolver(variant="re", seed=0, schedule=SHORT, **model):
    return OnlineSuperResolver(small_config(variant, seed, **model), "cpu", schedule)


IMAGES = ("sr", "translated", "aligned_guide", "displacement", "valid")


def same_bits(result, other):
    """Whether two results hold the same images, NaN included."""
    return all(getattr(result, name).tobytes() == getattr(other, name).tobytes() for name in IMAGES)


def assert_sound(result, size):
    """What every result owes its reader: types, sizes, numbers where `valid` says so and NaN elsewhere."""
    for name, dtype, shape in [
        ("sr", np.float32, size),
        ("translated", np.float32, size),
        ("aligned_guide", np.uint8, (*size, 3)),
        ("displacement", np.float32, (*size, 2)),
        ("valid", np.bool_, size),
    ]:
        image = getattr(result, name)
        assert (name, image.dtype, image.shape) == (name, dtype, shape)
    for image in (result.sr, result.translated):
        assert np.isfinite(image[result.valid]).all()
        assert np.isnan(image[~result.valid]).all()
    assert np.isfinite(result.displacement).all()
