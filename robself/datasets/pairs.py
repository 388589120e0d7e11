"""A folder of one's own pairs: `.npz` archives, or images in folders `source`, `guide` and `truth`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from robself.array_files import ARCHIVE_ERRORS, open_npz
from robself.datasets.case import Case
from robself.datasets.loader import Loader, measured
from robself.datasets.options import Options
from robself.datasets.task1 import Task1
from robself.errors import ConfigError, DatasetError, InputError
from robself.image_files import read_guide, read_source
from robself.pair import checked_guide, checked_source

# Marks that a name may end in: SCENE_x4_mis, SCENE_x4_aligned, SCENE_x4, SCENE_mis ...
MARKS = re.compile(r"(?P<scene>.+?)(?:_x(?P<scale>\d+))?(?:_(?P<view>mis|aligned))?", re.DOTALL)


class Pairs(Loader):
    """Pairs as they are, or true images and aligned guides to make pairs of by task I.

    As they are, the marks in a name choose: of another scale, or of the other view than asked for, it is left
    out; a name without a mark is always in. For task I, scenes are taken that have a truth and are not
    marked `_mis`, once each.
    """

    LAYOUT = "NAME.npz, or guide/NAME.* with source/NAME.* or truth/NAME.*"
    PROTOCOLS = ("pairs", "task1")
    TAKES = frozenset({"scale", "misaligned", "translation_px", "rotation_degrees", "modality"})

    def __init__(self, path: Path, options: Options) -> None:
        self._path, self._modality = path, options.modality
        self._task = Task1.of(options) if options.protocol == "task1" else None
        moves = {options.translation_px, options.rotation_degrees} != {None}
        if moves and not self._task:
            raise ConfigError("translation_px, rotation_degrees: move guides only under protocol task1")
        self._archives = any(path.glob("*.npz"))
        stems = sorted(file.stem for file in path.glob("*.npz")) if self._archives else self._folder_stems()
        self._stems = _scenes(stems) if self._task else _chosen(stems, options)
        if not self._stems:
            raise DatasetError(
                f"{path}: none of {len(stems)} names is marked as asked for: {_asked(options, self._task)}"
            )

    @staticmethod
    def fits(path: Path) -> bool:
        folders = [(path / kind).is_dir() for kind in ("guide", "source", "truth")]
        return any(path.glob("*.npz")) or (folders[0] and any(folders[1:]))

    def names(self) -> Iterable[str]:
        return self._stems

    def load(self, name: str) -> Case:
        stem = self._stems[name]
        # NIR is not told by its file: the name says it, or the user does.
        modality = self._modality or ("nir" if "nir" in re.split(r"[_\-. ]", stem.lower()) else "depth")
        content = self._archive(stem) if self._archives else self._images(stem)
        where = f"{self._path}: {stem}"
        source, truth = (
            None if content.get(kind) is None else measured(content[kind], modality) for kind in ("lr", "gt")
        )
        if self._task:
            if truth is None:
                raise DatasetError(f"{where}: has no truth, which task1 makes the source from")
            return self._task.case(
                name, truth, content["guide"], modality=modality, unit=_text(content, "unit")
            )
        if source is None:
            raise DatasetError(f"{where}: has no source")
        return Case(
            name,
            source,
            content["guide"],
            truth,
            modality,
            _text(content, "unit"),
            homography=_homography(content.get("hom"), where),
        )

    def _archive(self, stem: str) -> dict[str, np.ndarray]:
        file = self._path / f"{stem}.npz"
        try:
            with open_npz(file) as archive:
                content = dict(archive)
        except ARCHIVE_ERRORS as error:
            raise DatasetError(f"{file}: cannot be read: {error}") from error
        if "guide" not in content:
            raise DatasetError(f"{file}: has {', '.join(content) or 'nothing'}, expected guide, and lr or gt")
        checks = {"guide": checked_guide, "lr": checked_source, "gt": checked_source}
        for key in checks.keys() & content.keys():
            try:
                content[key] = checks[key](content[key])
            except InputError as error:
                raise DatasetError(f"{file}: {key}: {error}") from error
        return content

    def _images(self, stem: str) -> dict[str, Any]:
        source, guide, truth = (_index(self._path / kind).get(stem) for kind in ("source", "guide", "truth"))
        if guide is None:
            raise DatasetError(f"{self._path / 'guide'}: has no {stem}.*")
        return {
            "lr": None if source is None or self._task else read_source(source),
            "guide": read_guide(guide),
            "gt": None if truth is None else read_source(truth),
        }

    def _folder_stems(self) -> list[str]:
        return sorted(_index(self._path / ("truth" if self._task else "source")))


def _scenes(stems: list[str]) -> dict[str, str]:
    """Scene -> the first of its files that is not marked as moved."""
    scenes: dict[str, str] = {}
    for stem in stems:
        marks = MARKS.fullmatch(stem)
        if marks["view"] != "mis":
            scenes.setdefault(marks["scene"], stem)
    return scenes


def _chosen(stems: list[str], options: Options) -> dict[str, str]:
    """Name -> file of those whose marks, if any, are the ones asked for."""
    view = "mis" if options.misaligned else "aligned"
    chosen = {}
    for stem in stems:
        marks = MARKS.fullmatch(stem)
        fits_scale = options.scale is None or marks["scale"] in (None, str(options.scale))
        if fits_scale and marks["view"] in (None, view):
            chosen[stem] = stem
    return chosen


def _asked(options: Options, task: Task1 | None) -> str:
    if task:
        return "a truth and not _mis"
    scale = f"_x{options.scale} or no scale, " if options.scale else ""
    return scale + ("_mis or no view" if options.misaligned else "_aligned or no view")


def _index(folder: Path) -> dict[str, Path]:
    """Files by stem, hidden ones left out; none where there is no such folder."""
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.is_file() and not file.name.startswith("."):
            if file.stem in files:
                raise DatasetError(f"{folder}: {files[file.stem].name} and {file.name}, expected one of them")
            files[file.stem] = file
    return files


def _homography(archived: np.ndarray | None, where: str) -> np.ndarray | None:
    """Of the archive: px of the moved guide -> px of the guide as it was, which is the target's grid.

    A case has the way from the target to the moved guide, which is the inverse; None where nothing was moved.
    """
    if archived is None:
        return None
    homography = np.asarray(archived, np.float64)
    if homography.shape != (3, 3) or abs(np.linalg.det(homography)) < 1e-9:
        raise DatasetError(f"{where}: hom of shape {homography.shape}, expected an invertible 3x3 matrix")
    if np.array_equal(homography, np.eye(3)):
        return None
    inverse = np.linalg.inv(homography)
    return inverse / inverse[2, 2]


def _text(content: dict[str, Any], key: str) -> str:
    return str(content[key]) if key in content else ""
