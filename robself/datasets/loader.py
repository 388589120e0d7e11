"""What every kind of dataset offers: whether a folder is one, its cases' names, and a case by its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from robself.datasets.case import Case
from robself.datasets.options import Options
from robself.pair import Modality


class Loader(ABC):
    """Reads one dataset; it goes to other processes, so it holds no open file.

    Class attributes:
        LAYOUT: what the folder is recognised by. PROTOCOLS: those it can follow, the usual one first.
        TAKES: those of the options that concern it, beside protocol, crop, limit and only.

    Args:
        path: the folder or file. options: with `protocol` set.

    Raises:
        DatasetError: a folder that is not as it must be. ConfigError: options that do not fit it.
    """

    LAYOUT: ClassVar[str]
    PROTOCOLS: ClassVar[tuple[str, ...]]
    TAKES: ClassVar[frozenset[str]]

    @abstractmethod
    def __init__(self, path: Path, options: Options) -> None: ...

    @staticmethod
    @abstractmethod
    def fits(path: Path) -> bool:
        """Whether a folder or file looks like one of this kind."""

    @abstractmethod
    def names(self) -> Iterable[str]:
        """Of the cases, in a fixed order; read only as far as needed."""

    @abstractmethod
    def load(self, name: str) -> Case:
        """Raises DatasetError, InputError, RecordingError: files that are missing, damaged or do not fit."""


def measured(image: np.ndarray, modality: Modality, unit: float = 1.0) -> np.ndarray:
    """(h, w) of numbers -> (h, w) float32, times the unit; NaN where depth is not finite and positive."""
    values = image.astype(np.float32) * np.float32(unit)
    if modality == "depth":
        values[~(np.isfinite(values) & (values > 0))] = np.nan
    return values
