"""What a prediction leaves unexplained of the source, added to it (Irani and Peleg, 1991)."""

from __future__ import annotations

import torch

from robself.preparation import Observation
from robself.resizing import enlarged


def back_projected(sr: torch.Tensor, observation: Observation, steps: int) -> torch.Tensor:
    """Bring f_down(sr) (Eq. 1) to the source: each step adds the upsampled difference.

    The difference is smooth, so that the edges which the network has drawn stay; nothing is added over invalid
    source pixels.

    Shape: (1, 1, H, W) normalised -> the same.
    """
    for _ in range(steps):
        missing = (observation.source - observation.pool(sr)) * observation.valid
        sr = sr + enlarged(missing, sr.shape[-2:])
    return sr
