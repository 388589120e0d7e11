"""What a replay can be told beside its recording and topics."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, pi

from robself.errors import ConfigError


@dataclass(frozen=True)
class ReplaySettings:
    """What the node's parameters of the same names say; None: the schedule's own, or the preset's.

    Args:
        first_iterations, first_budget: of cold keyframes; iterations, budget: of warm ones. Seconds of wall
            time make a result depend on the machine.
        keyframe_every, keyframe_ratio: every n-th pair is a keyframe, and the one after a pair that was tracked so
            many times less consistently than the first after the last keyframe; the others are tracked. 0: none for
            that reason.
        slop: s. rpy: rad. xyz, distance, depth_min, depth_max: m. factor: 0, or 1 to 16.
        displacement: is recorded, too. limit: of pairs. pictures: how many frames the report shows.

    Raises:
        ConfigError: values that do not fit each other, or out of range.
    """

    preset: str = "robot"
    variant: str = "re"
    schedule: str = "coarse_to_fine"
    modality: str | None = None
    device: str = "auto"
    seed: int = 0
    first_iterations: int | None = None
    first_budget: float | None = None
    iterations: int | None = None
    budget: float | None = None
    keyframe_every: int = 1
    keyframe_ratio: float = 0.0
    slop: float = 0.02
    factor: float = 0.0
    factor_max: float = 8.0
    rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)
    xyz: tuple[float, float, float] = (0.0, 0.0, 0.0)
    use_tf: bool = True
    distance: float = 0.0
    register: bool = True
    align_guide: bool = False
    depth_min: float = 0.1
    depth_max: float = 20.0
    displacement: bool = False
    limit: int | None = None
    pictures: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.depth_min < self.depth_max:
            raise ConfigError(
                f"depth_min {self.depth_min:g} m, depth_max {self.depth_max:g} m: expected 0 <= min < max"
            )
        if not (self.factor == 0 or 1 <= self.factor <= 16):
            raise ConfigError(f"factor: {self.factor:g}, expected 0 (from the sizes), or 1 to 16")
        for name, low, high in (
            ("distance", 0, 1000),
            ("factor_max", 1, 16),
            ("rpy", -pi, pi),
            ("xyz", -10, 10),
        ):
            value = getattr(self, name)
            if not all(low <= each <= high for each in (value if isinstance(value, tuple) else (value,))):
                raise ConfigError(f"{name}: {value}, expected {low:g} to {high:g}")
        for name in ("keyframe_every", "keyframe_ratio"):
            value = getattr(self, name)
            if not 0 <= value < inf:
                raise ConfigError(f"{name}: {value:g}, expected at least 0")
        for name in ("first_iterations", "first_budget", "iterations", "budget", "limit"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name}: {value:g}, expected more than 0")
