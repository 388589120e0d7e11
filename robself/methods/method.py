"""What every way of super-resolving a pair offers to the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from robself.pair import Modality, Pair


@dataclass(frozen=True)
class Settings:
    """How to run a method on one pair; methods take what concerns them.

    Attributes:
        preset: of RobSelf, and of its ablation.
        schedule: of RobSelf, and of its ablation. members: networks whose mean they are (`robself.ensemble`).
        iterations: instead of the method's own number; None: as its paper or its preset says.
        seed: of everything random. device: "auto", "cpu", "cuda".
        case: name of the case in its dataset, for methods that look their answer up.
    """

    preset: str = "robot"
    schedule: str = "coarse_to_fine"
    members: int = 1
    modality: Modality = "depth"
    iterations: int | None = None
    seed: int = 0
    device: str = "auto"
    case: str = ""


class Estimate(NamedTuple):
    """sr: (H, W) float32 in the source's unit, NaN where there is none. info: what the method tells of itself.

    Info fits into JSON, but for the arrays among it, which are pictures for the report: `translated` (H, W),
    `aligned_guide` (H, W, 3) uint8, `displacement` (H, W, 2) px, as in `robself.Result`.
    """

    sr: np.ndarray
    info: dict[str, Any]


Run = Callable[[Pair, Settings], Estimate]


@dataclass(frozen=True)
class Method:
    """A way of super-resolving.

    Attributes:
        name: in tables and on the command line.
        run: does it.
        describes: one line for people, with the paper it is from.
        random: whether a seed changes the result; if not, one run stands for all seeds.
        learns: whether it optimises, so that iterations mean something.
    """

    name: str
    run: Run
    describes: str
    random: bool = False
    learns: bool = False
