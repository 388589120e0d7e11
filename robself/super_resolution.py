"""One pair in, one super-resolved image out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from robself.config import Acceleration, RobSelfConfig
from robself.ensemble import keyframe_by_members
from robself.errors import ConfigError
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import Progress
from robself.pair import Pair, Result, checked_guide, checked_source
from robself.resampling import resized


def super_resolve(
    source: np.ndarray,
    guide: np.ndarray,
    *,
    preset: str = "robot",
    variant: str = "re",
    schedule: str = "coarse_to_fine",
    scale: float | None = None,
    iterations: int | None = None,
    budget_seconds: float | None = None,
    seed: int = 0,
    members: int = 1,
    device: str = "auto",
    progress: bool | Callable[[Progress], None] = False,
    modality: str | None = None,
    acceleration: Acceleration = "auto",
) -> Result:
    """Super-resolve a source by a guide that looks the same way, roughly aligned.

    Args:
        source: (h, w) float32 or uint16. Depth: NaN, inf and values <= 0 are invalid. NIR: non-finite ones.
        guide: (H, W, 3) uint8 RGB.
        preset: a name of `robself.presets()`: the network and its settings.
        variant: "re" (resampling) or "de" (deformable convolution), Eq. 2.
        schedule: "coarse_to_fine", or "paper": 1000 iterations at full resolution (Sec. 5.1).
        scale: output size over source size; None: the guide's size. Otherwise the guide is resized to fit.
        iterations: instead of the schedule's, split among its stages.
        budget_seconds: wall time for all of it; at most one iteration and a forward pass late.
        seed: of the network's first weights.
        members: networks whose mean is taken, each with a seed of its own and at the price of one
            (`robself.ensemble`).
        device: "auto", "cpu", "cuda", "cuda:1"...
        progress: True: a bar on stderr; or a function that is called with a `Progress`.
        modality: "depth" or "nir"; None: the preset's.
        acceleration: "auto", "none", "compile" or "cuda_graphs" (`robself.acceleration`).

    Returns:
        A `Result` on the guide's grid (H, W), `sr` in the source's unit.

    Raises:
        InputError: images that cannot be used. ConfigError: unknown names or values out of range.

    Example:
        >>> result = robself.super_resolve(depth_mm, rgb, budget_seconds=20)
        >>> result.sr.shape == rgb.shape[:2]
        True
    """
    config = RobSelfConfig.from_preset(preset, variant, schedule, modality, seed)
    if budget_seconds is not None and not budget_seconds > 0:
        raise ConfigError(f"budget_seconds: {budget_seconds}, expected more than 0")
    if scale is not None:
        if not 1 <= scale < np.inf:
            raise ConfigError(f"scale: {scale}, expected at least 1")
        size = tuple(round(side * scale) for side in checked_source(source).shape)
        guide = resized(checked_guide(guide), size)
    pair = Pair.from_images(source, guide, modality=config.modality)
    make_resolver = partial(OnlineSuperResolver, device=device, acceleration=acceleration)
    keyframe = partial(
        keyframe_by_members, make_resolver, config, members, pair, Budget(iterations, budget_seconds)
    )
    if progress is True:
        from robself.progress import progress_bar

        with progress_bar("optimising") as on_progress:
            return keyframe(on_progress)
    return keyframe(progress or None)
