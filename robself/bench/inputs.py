"""What is super-resolved: frames of the built-in recording, or a case of one's own."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from glob import escape
from pathlib import Path

import cv2
import numpy as np

from robself.config import RobSelfConfig
from robself.datasets.case import Case
from robself.datasets.cropping import central_crop
from robself.datasets.misalignment import Misalignment, moved
from robself.datasets.opening import open_dataset
from robself.errors import InputError
from robself.guide_view import GuideView
from robself.metrics import common_pixels, errors_of
from robself.pair import Pair
from robself.rendering.frames import render_frame


@lru_cache(maxsize=16)
def rendered_case(index: int) -> Case:
    """Frame `index` of the built-in recording, its guide registered as the node does: metres, x4, 288x384."""
    frame = render_frame(index)
    source = np.where(frame.source_mm > 0, frame.source_mm / np.float32(1000), np.float32(np.nan))
    factor = frame.truth_m.shape[0] / frame.source_mm.shape[0]
    view = GuideView(factor, (0.0, 0.0, 0.0), lambda line: None)
    guide, _ = view(frame.rgb, source.shape, frame.depth_camera, frame.rgb_camera)
    return Case(f"rendered_{index}", source.astype(np.float32), guide, frame.truth_m, unit="m")


@lru_cache(maxsize=1)
def misaligned_case() -> Case:
    """The first rendered frame, its guide moved as in task I: what RobSelf is for."""
    case = rendered_case(0)
    homography = Misalignment().homography(case.guide.shape[:2], case.name)
    return replace(case, name=f"{case.name}_mis", guide=moved(case.guide, homography), homography=homography)


@lru_cache(maxsize=1)
def case_from_file(path: Path) -> Case:
    """An archive of lr, guide and gt, as `robself eval` reads it.

    Raises:
        InputError: no .npz file, or one without a truth. DatasetError: one that cannot be used.
    """
    if path.suffix != ".npz" or not path.is_file():
        raise InputError(f"{path}: no such file, expected an .npz archive of lr, guide and gt")
    aligned = path.stem.endswith("_aligned")
    folder = open_dataset(path.parent, loader="pairs", only=escape(path.stem), misaligned=not aligned)
    case = folder.load(path.stem)
    if case.truth is None:
        raise InputError(f"{path}: has no gt, expected one to measure errors by")
    return case


def benched_case(path: Path | None, size: tuple[int, int]) -> Case:
    """The user's case or the misaligned one: its `middle`.

    Raises:
        InputError, DatasetError: a case that cannot be used, or is too small.
    """
    return middle(case_from_file(path) if path else misaligned_case(), size)


def middle(case: Case, size: tuple[int, int]) -> Case:
    """At most that size, in multiples of what the paper's network halves without rest, twice that at least.

    Raises:
        InputError: a case that is smaller. DatasetError: one that cannot be cropped.
    """
    multiple = 2 ** paper_config(case, 0).model.levels
    height, width = (
        min(full, wanted) // multiple * multiple
        for full, wanted in zip(case.guide.shape[:2], size, strict=True)
    )
    if min(height, width) < 2 * multiple:
        rows, columns = case.guide.shape[:2]
        raise InputError(f"{case.name}: {columns}x{rows}, expected at least {2 * multiple} px a side")
    return central_crop(case, (height, width))


def resized_pair(size: tuple[int, int], factor: int) -> Pair:
    """The first rendered frame with a guide of another size, for measurements of time alone."""
    case, (height, width) = rendered_case(0), size
    guide = cv2.resize(case.guide, (width, height), interpolation=cv2.INTER_AREA)
    source = cv2.resize(case.truth, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    return Pair.from_images(source, guide)


def paper_config(case: Case, seed: int) -> RobSelfConfig:
    """The paper's network for a case of this modality and factor, with the schedule of its Sec. 5.1."""
    of_depth = "task1_x8" if case.pair().factor > 6 else "task1_x4"
    name = of_depth if case.modality == "depth" else "task3_x4"
    return RobSelfConfig.from_preset(name, schedule="paper", seed=seed)


def robot_config(case: Case, seed: int) -> RobSelfConfig:
    """This project's defaults for the case."""
    return RobSelfConfig.from_preset("robot", modality=case.modality, seed=seed)


def rmse_of(sr: np.ndarray, case: Case) -> float:
    """Against the truth, where both have values. Shape: (H, W)."""
    return errors_of(sr, case.truth, common_pixels(sr, case.truth)).rmse
