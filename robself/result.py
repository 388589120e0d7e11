"""From the network's prediction to the images a user gets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import torch

from robself.metrics import source_consistency
from robself.network import Prediction, RobSelf
from robself.normalisation import Normalisation
from robself.pair import Pair, Result
from robself.preparation import Observation
from robself.resizing import enlarged, shrunk
from robself.upsampling import bicubic_of_filled, enlarge_mask

# A prediction that explains the source this many times worse than bicubic enlargement is not trusted. What is
# nearer is off smoothly, as long as it has not converged, and back-projection mends that (docs/method.md).
MOST_TRUSTED = 10.0


def trust_after(info: dict) -> float:
    """How far later pairs are trusted with a keyframe's weights: see `assemble`.

    A network that has learned to draw edges draws them in the wrong places when the scene has changed: it is
    trusted for twice the keyframe's own inconsistency, or twice bicubic's.
    """
    after, of_bicubic = info["consistency_after"], info["consistency_bicubic"]
    if info["fallback"]:
        return MOST_TRUSTED
    return min(MOST_TRUSTED, 2 * after / of_bicubic) if after > of_bicubic else 2.0


def assemble(
    pair: Pair,
    observation: Observation,
    prediction: Prediction,
    network: RobSelf,
    normalisation: Normalisation,
    consistency_before: float | None,
    refine: Callable[[torch.Tensor, Observation], torch.Tensor],
    trusted: float,
    info: dict,
) -> Result:
    """Images in the source's unit; falls back to the upsampled source where RobSelf has nothing better.

    That is where the guide does not see, and everywhere if the optimisation diverged, or the prediction is not
    finite or explains the source far worse than its bicubic enlargement does (`info["fallback"]`).

    Args:
        consistency_before: of the weights before they were optimised on this pair; None: they were not. Where it is
            too bad to be trusted, `info["unexplained"]` says so.
        refine: makes the network's prediction consistent with the source, and sharp. The prediction's own
            consistency is what `info` tells, for it says how well the network has understood the pair.
        trusted: how many times worse than bicubic enlargement it may explain the source.
    """

    def restored(image: torch.Tensor) -> np.ndarray:
        return normalisation.restore(image[0, 0].cpu().numpy())

    @cache
    def upsampled() -> np.ndarray:
        return bicubic_of_filled(pair.filled, pair.size)

    def inconsistency(image: torch.Tensor) -> float:
        """Pooled where it lies: what is left of it is small. Infinite where a number of it is not finite."""
        means = restored(shrunk(image, pair.source.shape))
        return source_consistency(means, pair.source, pair.valid) if np.isfinite(means).all() else np.inf

    unseen = None if pair.guide_valid is None else ~pair.guide_valid
    if unseen is None:
        floor, after = inconsistency(enlarged(observation.source, pair.size)), inconsistency(prediction.sr)
    else:  # of which both images are needed here in any case
        sr = restored(prediction.sr)
        sound = np.isfinite(sr.sum())
        _replace(sr, unseen, upsampled)
        floor = source_consistency(upsampled(), pair.source, pair.valid)
        after = source_consistency(sr, pair.source, pair.valid) if sound else np.inf
    finite = after < np.inf
    before = after if consistency_before is None else consistency_before
    unexplained = not before <= trusted * floor
    fallback = info["stopped_by"] == "divergence" or not after <= trusted * floor
    if fallback:
        sr, after = upsampled().copy(), floor
    else:
        sr = restored(refine(prediction.sr, observation))
        _replace(sr, unseen, upsampled)
    displacement = network.translator.alignment.mean_displacement(prediction.displacement)
    # Nothing is finite that was sampled at a position that is not.
    if not finite and not displacement.isfinite().all():
        displacement = torch.zeros_like(displacement)
    displacement = displacement[0].permute(1, 2, 0).cpu().numpy()

    valid = enlarge_mask(pair.valid, pair.size)
    np.copyto(sr, np.nan, where=~valid)
    translated = None
    if prediction.translated is not None:
        translated = restored(prediction.translated)
        _replace(translated, unseen, upsampled)
        if not np.isfinite(translated).all():
            translated = upsampled()
        np.copyto(translated, np.nan, where=~valid)
    info = {
        **info,
        "fallback": fallback,
        "unexplained": unexplained,
        "consistency_before": after if consistency_before is None else consistency_before,
        "consistency_after": after,
        "consistency_bicubic": floor,
    }
    return Result(
        sr=sr,
        translated=translated,
        displacement=displacement,
        valid=valid,
        pair=pair,
        info=info,
    )


def _replace(image: np.ndarray, where: np.ndarray | None, other: Callable[[], np.ndarray]) -> None:
    """Put the other's values into the image. Shape: (H, W), `where` bool; None: nowhere."""
    if where is not None:
        cv2.copyTo(other(), where.view(np.uint8), image)  # numpy takes several times as long
