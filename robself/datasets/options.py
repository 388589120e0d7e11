"""What a dataset can be asked for."""

from __future__ import annotations

from dataclasses import dataclass

from robself.errors import ConfigError
from robself.pair import Modality

SCALE = 4  # where none is asked for, of protocols that make or choose by it


@dataclass(frozen=True)
class Options:
    """Which cases of a dataset, and how they are made; each loader says which of these it takes.

    Attributes:
        protocol: "task1", "task2", "task3" or "pairs"; None: the loader's first.
        scale: factor of super-resolution; None: 4 in the tasks, else as the data have it.
        misaligned: False: guides that were not moved.
        translation_px, rotation_degrees: of task1, exactly so much and nothing else (a robustness curve).
        crop: (height, width) px of the target, central; the guide is moved before, as a real one would be.
        limit: of cases. only: pattern for names, as "c192_*". every: every n-th of a stream's pairs.
        group: of RealMisSR, "simple", "complex" or "all". modality: None: as the loader finds it.
        source_topic, guide_topic, truth_topic: of a recording.

    Raises:
        ConfigError: a value out of range, or values that contradict each other.
    """

    protocol: str | None = None
    scale: int | None = None
    misaligned: bool = True
    translation_px: float | None = None
    rotation_degrees: float | None = None
    crop: tuple[int, int] | None = None
    limit: int | None = None
    only: str | None = None
    every: int = 1
    group: str | None = None
    modality: Modality | None = None
    source_topic: str | None = None
    guide_topic: str | None = None
    truth_topic: str | None = None

    def __post_init__(self) -> None:
        for name in ("scale", "limit", "every"):
            value = getattr(self, name)
            if value is not None and not (value >= 1 and value == int(value)):
                raise ConfigError(f"{name}: {value!r}, expected a whole number from 1")
        if self.crop is not None and not (len(self.crop) == 2 and min(self.crop) >= 1):
            raise ConfigError(f"crop: {self.crop!r}, expected height and width in px")
        for name in ("translation_px", "rotation_degrees"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ConfigError(f"{name}: {value!r}, expected 0 or more")
            if value is not None and not self.misaligned:
                raise ConfigError(f"{name}: {value!r} moves the guide, but aligned guides are asked for")
        if self.modality not in (None, "depth", "nir"):
            raise ConfigError(f"modality: {self.modality!r} is unknown, expected depth or nir")

    @property
    def factor(self) -> int:
        """The scale of protocols that need one."""
        return self.scale or SCALE
