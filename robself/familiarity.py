"""Whether a pair is like the one that warm weights began with: they fit no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robself.config import Modality
from robself.normalisation import Normalisation
from robself.pair import Pair

FAR = 10.0  # times the spread that was learned; from one scene of Middlebury to another it is 3.4 at most
STRIDE = 8  # of the guide's pixels that are looked at


class Familiarity:
    """Remembers the sizes and the spread of values of a cold keyframe's pair, by which later ones are normalised.

    A camera that starts, or that is covered, gives images without content: what is learned on those makes
    everything after them a value far beyond what the network was made for.
    """

    def __init__(self, modality: Modality) -> None:
        self._by_percentiles = modality == "nir"
        self._sizes: tuple | None = None
        self._known: Normalisation | None = None

    def learn(self, pair: Pair) -> None:
        """It was a cold keyframe."""
        self._sizes, self._known = (pair.source.shape, pair.size), self._of(pair)

    def misfit(self, pair: Pair) -> str | None:
        """Why what was learned does not fit a pair, in words; None if it does."""
        if (pair.source.shape, pair.size) != self._sizes:
            return "the size of the images changed"
        now, known = self._of(pair), self._known
        for role, middle, spread, middle_known, spread_known in (
            ("source", now.source_mean, now.source_deviation, known.source_mean, known.source_deviation),
            ("guide", now.guide_mean, now.guide_deviation, known.guide_mean, known.guide_deviation),
        ):
            off = np.maximum(np.abs(middle - middle_known), spread) / spread_known
            if np.max(off) > FAR:
                return f"the {role}'s values are {np.max(off):.0f} times as far spread as those that were learned on"
        return None

    def _of(self, pair: Pair) -> Normalisation:
        few = np.s_[::STRIDE, ::STRIDE]
        seen = None if pair.guide_valid is None else pair.guide_valid[few]
        return Normalisation.of(
            replace(pair, guide=pair.guide[few], guide_valid=seen), by_percentiles=self._by_percentiles
        )
