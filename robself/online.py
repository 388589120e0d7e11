"""Online optimisation of RobSelf on one pair after another (Sec. 3.1 and 5.1), cold once, then warm."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from robself.config import RobSelfConfig
from robself.consistency import consistency, consistency_loss
from robself.device import choose_device, compute_type
from robself.errors import Interrupted, RobSelfError
from robself.network import Prediction, RobSelf
from robself.normalisation import Normalisation
from robself.pair import Pair, Result
from robself.preparation import Observation, observe
from robself.provenance import versions
from robself.result import assemble
from robself.schedule import SCHEDULES, Schedule, Stage

CHECKED_EVERY = 10  # iterations between looks at the loss: each costs a wait for the device


@dataclass(frozen=True)
class Budget:
    """How long a keyframe may take. None: as long as the schedule says."""

    iterations: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Progress:
    """How far a keyframe has come: iterations done, share of the whole (0..1), loss of Eq. 1."""

    iteration: int
    fraction: float
    loss: float


def _never() -> bool:
    return False
