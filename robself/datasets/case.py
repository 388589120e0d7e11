"""One pair with what is known of its truth: what every dataset is read as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robself.pair import Modality, Pair


@dataclass(frozen=True)
class Case:
    """A pair to evaluate on.

    Attributes:
        name: unique within its dataset, and fit for a file name.
        source: (h, w) float32, `unit`; depth: NaN where nothing was measured.
        guide: (H, W, 3) uint8 RGB.
        truth: (H, W) float32, `unit`, NaN where there is none; None: no truth at all.
        modality: what the source is.
        unit: of source and truth, for people: "disparity", "cm", "m", "counts".
        group: within the dataset ("simple", "complex"), "" if it has none.
        homography: (3, 3) float64, px of the target's grid -> px of the guide's, where the guide was moved by
            the protocol; None: unknown, or not moved.
    """

    name: str
    source: np.ndarray
    guide: np.ndarray
    truth: np.ndarray | None
    modality: Modality = "depth"
    unit: str = ""
    group: str = ""
    homography: np.ndarray | None = None

    def pair(self) -> Pair:
        """What a method may see of it. Raises InputError."""
        return Pair.from_images(self.source, self.guide, modality=self.modality)
