"""The middle of a case, on both grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robself.datasets.case import Case
from robself.errors import DatasetError


def central_crop(case: Case, size: tuple[int, int]) -> Case:
    """The case's middle, to the source's pixel: never half a source pixel is cut.

    Args:
        size: (height, width) px of the target; rounded down to whole source pixels.

    Raises:
        DatasetError: a size that is larger than the case or smaller than a source pixel, or a factor that
            is no whole number.
    """
    full, low = case.guide.shape[:2], case.source.shape
    if any(large % small for large, small in zip(full, low, strict=True)):
        raise DatasetError(
            f"{case.name}: cannot be cropped: {full[1]}x{full[0]} is no whole multiple of {low[1]}x{low[0]}"
        )
    factors = [large // small for large, small in zip(full, low, strict=True)]
    kept = [wanted // factor for wanted, factor in zip(size, factors, strict=True)]
    if not all(1 <= part <= whole for part, whole in zip(kept, low, strict=True)):
        raise DatasetError(f"{case.name}: crop {size[1]}x{size[0]} of {full[1]}x{full[0]} is not possible")
    begin = [(whole - part) // 2 for part, whole in zip(kept, low, strict=True)]
    window = tuple(slice(start, start + part) for start, part in zip(begin, kept, strict=True))
    window_full = tuple(
        slice(start * factor, (start + part) * factor)
        for start, part, factor in zip(begin, kept, factors, strict=True)
    )
    homography = case.homography
    if homography is not None:
        to_crop = np.eye(3)
        to_crop[:2, 2] = -window_full[1].start, -window_full[0].start
        homography = to_crop @ homography @ np.linalg.inv(to_crop)
    return replace(
        case,
        source=np.ascontiguousarray(case.source[window]),
        guide=np.ascontiguousarray(case.guide[window_full]),
        truth=None if case.truth is None else np.ascontiguousarray(case.truth[window_full]),
        homography=homography,
    )
