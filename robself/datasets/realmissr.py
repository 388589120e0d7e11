"""RealMisSR (paper, Sec. 4): real low resolution, real misalignment; depth for task II, NIR for task III."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from robself.datasets.case import Case
from robself.datasets.loader import Loader, measured
from robself.datasets.options import Options
from robself.errors import ConfigError, DatasetError
from robself.image_files import read_guide, read_source
from robself.pair import Modality

SUBSETS: dict[str, tuple[str, Modality]] = {"task2": ("RGB-Depth", "depth"), "task3": ("RGB-NIR", "nir")}
# The filled depth first: what the raw one lacks is no part of the tasks.
SOURCES: dict[Modality, tuple[str, ...]] = {"depth": ("lr_filled", "lr_raw"), "nir": ("lr",)}
GROUPS = ("complex", "simple")
SCALES = (2, 4)


class RealMisSR(Loader):
    """Values are as stored; at x2 there is a truth, at x4 there is none (Sec. 4)."""

    LAYOUT = "RGB-Depth or RGB-NIR, with folders simple and complex"
    PROTOCOLS = tuple(SUBSETS)
    TAKES = frozenset({"scale", "group"})

    def __init__(self, path: Path, options: Options) -> None:
        subset, self._modality = SUBSETS[options.protocol]
        self._path, self._scale = path / subset, options.factor
        if self._scale not in SCALES:
            raise ConfigError(f"scale: {self._scale}, but RealMisSR has guides for 2 and 4")
        # Sec. 5.1: the paper's tables are of the complex groups.
        group = options.group or "complex"
        if group not in (*GROUPS, "all"):
            raise ConfigError(f"group: {group!r} is unknown, expected {', '.join(GROUPS)} or all")
        self._groups = GROUPS if group == "all" else (group,)
        if not self._path.is_dir():
            raise DatasetError(f"{self._path}: no such folder, which {options.protocol} is about")

    @staticmethod
    def fits(path: Path) -> bool:
        return any((path / subset / group).is_dir() for subset, _ in SUBSETS.values() for group in GROUPS)

    def names(self) -> Iterable[str]:
        return [
            f"{group}_{folder.name}"
            for group in self._groups
            for folder in sorted((self._path / group).glob("*"))
            if folder.is_dir()
        ]

    def load(self, name: str) -> Case:
        group, _, number = name.partition("_")
        folder = self._path / group / number
        source, guide = _file(folder, *SOURCES[self._modality]), _file(folder, f"x{self._scale}_rgb")
        truth = None
        if self._scale == 2:
            truth = measured(read_source(_file(folder, f"x2_{self._modality}")), self._modality)
        case = Case(
            name,
            measured(read_source(source), self._modality),
            read_guide(guide),
            truth,
            self._modality,
            "counts",
            group,
        )
        expected = tuple(self._scale * size for size in case.source.shape)
        if case.guide.shape[:2] != expected:
            raise DatasetError(
                f"{guide}: {case.guide.shape[1]}x{case.guide.shape[0]}, expected {expected[1]}x{expected[0]}, "
                f"{self._scale} times {source.name}"
            )
        return case


def _file(folder: Path, *stems: str) -> Path:
    """The first of these that is there, whatever its extension."""
    for stem in stems:
        for found in sorted(folder.glob(f"{stem}.*")):
            return found
    raise DatasetError(f"{folder}: has no {' or '.join(stems)}.*")
