"""What other programs made of a dataset's cases: their predictions as methods, their aligned guides as guides.

A prediction is `<case name>.npy`, `.npz` (one array, or one named `sr`), `.tif`, `.tiff`, `.pfm` or `.png`
(see `robself.image_files`), (H, W) in the source's unit: NaN where there is none, in a PNG of depth 0 (as in
all 8 and 16 bit integers). A guide is `<case name>.png`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from robself.array_files import ARCHIVE_ERRORS, open_npz
from robself.datasets.case import Case
from robself.errors import InputError
from robself.image_files import SOURCE_FILES, read_guide, read_source
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair

FILES = (*SOURCE_FILES, ".npz")


def predictions_method(name: str, folder: str | Path) -> Method:
    """A method that looks its answers up, by the case's name (`Settings.case`).

    Raises:
        InputError: no such folder; when run: no file of the case, more than one, or one that does not fit.
    """
    folder = Path(folder)
    check_folder(f"predictions of {name}", folder)
    return Method(name, partial(_look_up, folder), f"predictions made elsewhere ({folder.name})")


def prealigned(case: Case, folder: str | Path) -> Case:
    """The case with the guide that was aligned elsewhere; where it was moved to is no longer known.

    Raises:
        InputError: no such folder, no file of the case, or one of another size than its guide.
    """
    folder = Path(folder)
    check_folder("prealigned guides", folder)
    path = folder / f"{case.name}.png"
    guide = read_guide(path)
    _check_size(path, guide, case.guide.shape[:2])
    return replace(case, guide=guide, homography=None)


def _look_up(folder: Path, pair: Pair, settings: Settings) -> Estimate:
    path = _file_of(settings.case, folder)
    sr = _read_npz(path) if path.suffix == ".npz" else read_source(path)
    _check_size(path, sr, pair.size)
    nothing = sr == 0 if sr.dtype.kind == "u" and settings.modality == "depth" else ~np.isfinite(sr)
    return Estimate(np.where(nothing, np.nan, sr).astype(np.float32), {"file": path.name})


def _file_of(case: str, folder: Path) -> Path:
    found = [path for kind in FILES if (path := folder / f"{case}{kind}").is_file()]
    if len(found) != 1:
        names = " and ".join(path.name for path in found) or "nothing"
        raise InputError(
            f"{folder}: {names} for case {case!r}, expected one file {case}.* of {', '.join(FILES)}"
        )
    return found[0]


def _read_npz(path: Path) -> np.ndarray:
    """(H, W) float32."""
    try:
        with open_npz(path) as arrays:
            name = "sr" if "sr" in arrays.files else arrays.files[0] if len(arrays.files) == 1 else None
            image = None if name is None else arrays[name]
            names = ", ".join(arrays.files) or "none"
    except ARCHIVE_ERRORS as error:
        raise InputError(f"{path}: damaged or of another kind: {error}") from error
    if image is None:
        raise InputError(f"{path}: arrays {names}, expected one, or one named sr")
    if image.ndim != 2 or image.dtype.kind not in "fiu":
        raise InputError(f"{path}: shape {image.shape} of {image.dtype}, expected (H, W) numbers")
    return image.astype(np.float32)


def check_folder(what: str, folder: Path) -> None:
    """Raises InputError: no such folder."""
    if not folder.is_dir():
        raise InputError(f"{what}: {folder} is no folder, expected one with a file per case")


def _check_size(path: Path, image: np.ndarray, size: tuple[int, int]) -> None:
    if image.shape[:2] != size:
        raise InputError(
            f"{path}: {image.shape[1]}x{image.shape[0]}, expected the guide's size {size[1]}x{size[0]}"
        )
