"""Middlebury stereo 2005 and 2006, at any of their sizes: the left view and its disparity."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from robself.datasets.case import Case
from robself.datasets.loader import Loader, measured
from robself.datasets.options import Options
from robself.datasets.task1 import Task1
from robself.image_files import read_guide, read_source

DISPARITY, VIEW = "disp1.png", "view1.png"


class Middlebury(Loader):
    """Truth: the 8-bit disparity codes as stored (px times the size's divisor), 0 = unknown."""

    LAYOUT = f"SCENE/{DISPARITY} with SCENE/{VIEW}"
    PROTOCOLS = ("task1",)
    TAKES = frozenset({"scale", "misaligned", "translation_px", "rotation_degrees"})

    def __init__(self, path: Path, options: Options) -> None:
        self._path, self._task = path, Task1.of(options)

    @staticmethod
    def fits(path: Path) -> bool:
        return any(True for _ in _scenes(path))

    def names(self) -> Iterable[str]:
        return sorted(_scenes(self._path))

    def load(self, name: str) -> Case:
        folder = self._path / name
        truth = measured(read_source(folder / DISPARITY), "depth")
        return self._task.case(name, truth, read_guide(folder / VIEW), unit="disparity")


def _scenes(path: Path) -> Iterable[str]:
    return (found.parent.name for found in path.glob(f"*/{DISPARITY}") if (found.parent / VIEW).is_file())
