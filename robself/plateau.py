"""When a stage's loss has stopped falling."""

from __future__ import annotations

import math

SMOOTHING = 0.8  # of the loss's moving average: single iterations rise and fall
LEAST_GAIN = 0.02  # share of the lowest average by which the loss must fall to count as falling


class Plateau:
    """Looks at a loss whose learning rate does not change.

    Args:
        patience: iterations that it may take to fall by `LEAST_GAIN`; None: as many as it likes.
    """

    def __init__(self, patience: int | None) -> None:
        self.patience = patience
        self._average = self._lowest = math.inf
        self._since = 0

    def reached(self, iteration: int, loss: float) -> bool:
        """Whether the loss, as seen before that iteration, has not fallen for too long."""
        first = math.isinf(self._average)
        self._average = loss if first else SMOOTHING * self._average + (1 - SMOOTHING) * loss
        if first or self._average < (1 - LEAST_GAIN) * self._lowest:
            self._lowest, self._since = self._average, iteration
        return self.patience is not None and iteration - self._since >= self.patience
