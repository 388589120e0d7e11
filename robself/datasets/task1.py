"""Task I of the paper (Sec. 5.1): a pair made of a true image and the guide that is aligned with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robself.datasets.case import Case
from robself.datasets.degradation import block_mean, whole_blocks
from robself.datasets.misalignment import Misalignment, moved
from robself.datasets.options import Options
from robself.errors import DatasetError
from robself.pair import Modality


@dataclass(frozen=True)
class Task1:
    """The protocol: the source is the truth's block mean, the guide is moved.

    Attributes:
        scale: factor of super-resolution. misalignment: None: the guide stays where it is.
    """

    scale: int
    misalignment: Misalignment | None

    @classmethod
    def of(cls, options: Options) -> Task1:
        """The protocol that the options ask for."""
        movement = Misalignment(options.translation_px, options.rotation_degrees)
        return cls(options.factor, movement if options.misaligned else None)

    def case(
        self,
        scene: str,
        truth: np.ndarray,
        guide: np.ndarray,
        *,
        modality: Modality = "depth",
        unit: str = "",
    ) -> Case:
        """One pair.

        Args:
            scene: its name, which seeds the movement. truth: (H, W) float32, NaN where there is none.
            guide: (H, W, 3) uint8, aligned with the truth.

        Raises:
            DatasetError: sizes that differ, or that have no whole block.
        """
        if truth.shape != guide.shape[:2]:
            raise DatasetError(
                f"{scene}: truth {truth.shape[1]}x{truth.shape[0]}, guide {guide.shape[1]}x{guide.shape[0]}, "
                "expected the same size"
            )
        if min(truth.shape) < self.scale:
            raise DatasetError(
                f"{scene}: {truth.shape[1]}x{truth.shape[0]}, expected at least one block of {self.scale} px"
            )
        homography = None
        if self.misalignment:
            homography = self.misalignment.homography(truth.shape, scene)
            guide = moved(guide, homography)
        return Case(
            scene,
            block_mean(truth, self.scale),
            np.ascontiguousarray(whole_blocks(guide, self.scale)),
            np.ascontiguousarray(whole_blocks(truth, self.scale)),
            modality,
            unit,
            homography=homography,
        )
