"""The guide as the source camera sees it, at the size of the super-resolved image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from robself.camera_model import CameraModel
from robself.errors import InputError
from robself.extrinsics import Extrinsics, KnownExtrinsics
from robself.frame_tree import FrameTree
from robself.geometry import GuideRegistration
from robself.image_size import check_size
from robself.resampling import resized

FACTOR_MAX = 8.0
# A guide that is finer by less shows nothing that the source's own pixels do not.
LEAST_GAP = 1.1
FACTOR_STEP = 0.25  # of factors derived from cameras


@dataclass(frozen=True, eq=False)
class ViewReport:
    """How guides come into the source's view, for people.

    Attributes:
        registered: whether by both cameras' models.
        gap: how many times the guide is finer than the source: in angle if registered, else by the sizes.
        passes_through: whether that is so little that the source is left as it is.
        doubtful: whether something had to be assumed, or nothing can be gained. text: all of it.
        extrinsics: what the guide was registered by; None if it was not.
    """

    registered: bool
    gap: float
    passes_through: bool
    doubtful: bool
    text: str
    extrinsics: Extrinsics | None = None


class GuideView:
    """Registers guides by both cameras' models; without them it takes both views to be the same.

    Args:
        factor: of super-resolution; 0: as many times as the guide is finer, to a quarter, at most `factor_max`.
        rpy, xyz, frames: see `KnownExtrinsics`.
        say, warn: take a line for the log; without `warn`, doubts are said like the rest.
        distance: metres to what matters most in the scene, see `GuideRegistration`; 0: unknown.
        same_view: whether the user says that both views are the same, so that cameras are not missed.

    Attributes:
        extrinsics: what is known of them. distance: as given.
        report: on the last guide, the same object for as long as nothing changes; None before the first.
    """

    def __init__(
        self,
        factor: float,
        rpy: Sequence[float],
        say: Callable[[str], None],
        *,
        warn: Callable[[str], None] | None = None,
        xyz: Sequence[float] = (0.0, 0.0, 0.0),
        frames: FrameTree | None = None,
        distance: float = 0.0,
        factor_max: float = FACTOR_MAX,
        same_view: bool = False,
    ) -> None:
        self._factor, self._factor_max, self.distance = factor, factor_max, distance
        self.extrinsics, self._same_view = KnownExtrinsics(rpy, xyz, frames), same_view
        self._say, self._warn = say, warn or say
        self._key: tuple | None = None
        self._registration: GuideRegistration | InputError | None = None
        self._size = (0, 0)
        self.report: ViewReport | None = None

    def __call__(
        self,
        guide: np.ndarray,
        source_size: tuple[int, int],
        source_camera: CameraModel | None,
        guide_camera: CameraModel | None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """A guide in the source's view; of the source's own size where the report says that it passes through.

        Args:
            guide: (H', W', 3) uint8. source_size: (h, w).
            source_camera, guide_camera: of images of these sizes; None where unknown.

        Returns:
            guide: (H, W, 3) uint8. guide_valid: (H, W) bool, or None for everywhere.

        Raises:
            InputError: cameras that do not see the same scene, or a super-resolved image that would be too large.
        """
        known = source_camera is not None and guide_camera is not None
        cameras = (source_camera, guide_camera) if known else ()
        extrinsics = self.extrinsics(*(camera.frame_id for camera in cameras)) if known else None
        key = cameras, extrinsics, source_size, guide.shape
        if key != self._key:  # the map is computed once and holds for as long as the cameras stay the same
            self._key = key
            try:
                self._prepare(source_size, guide.shape[:2], cameras, extrinsics)
            except InputError as error:
                self._registration = error
        if isinstance(self._registration, InputError):
            raise self._registration
        if self._registration is None:
            return resized(guide, self._size), None
        return self._registration.apply(guide)

    def _prepare(
        self,
        source_size: tuple[int, int],
        guide_size: tuple[int, int],
        cameras: tuple[CameraModel, ...],
        extrinsics: Extrinsics | None,
    ) -> None:
        def registration(size: tuple[int, int]) -> GuideRegistration | None:
            return GuideRegistration(*cameras, extrinsics, size, self.distance) if cameras else None

        coarse = registration(source_size)
        ratios = [fine / low for fine, low in zip(guide_size, source_size, strict=True)]
        gap = coarse.guide_step if coarse else min(ratios)
        passes_through = gap < LEAST_GAP
        factor = 1.0 if passes_through else self._factor or self._derived(gap)
        self._size = round(source_size[0] * factor), round(source_size[1] * factor)
        if not cameras and not passes_through and not self._factor and gap <= self._factor_max:
            self._size = guide_size  # the axes may differ
        check_size(*self._size[::-1], f"{factor:g} times the source")
        self._registration = registration(self._size)
        self.report = self._reported(gap, passes_through, cameras, extrinsics)
        (self._warn if self.report.doubtful else self._say)(self.report.text)

    def _derived(self, gap: float) -> float:
        """A factor that whole pixels of the source fit into more or less, for lenses make the gap 2.03 or 1.97."""
        return min(max(round(gap / FACTOR_STEP), 1 + 1 / FACTOR_STEP) * FACTOR_STEP, self._factor_max)

    def _reported(
        self,
        gap: float,
        passes_through: bool,
        cameras: tuple[CameraModel, ...],
        extrinsics: Extrinsics | None,
    ) -> ViewReport:
        doubts = []
        if cameras:
            seen = 100 * self._registration.guide_valid.mean()
            size = "x".join(str(side) for side in self._size[::-1])
            text = f"the guide is registered into the source's view at {size}, seeing {seen:.0f} % of it"
            if extrinsics.origin is None:
                source, guide = (repr(camera.frame_id) for camera in cameras)
                doubts.append(
                    f"the rotation from {source} to {guide} is unknown (no static transform, no extrinsics.rpy):"
                    " none is assumed"
                )
            else:
                text += f", turned as {extrinsics.origin} say"
        else:
            text = "the guide is taken as it is: it must show the source's view"
            if not self._same_view:
                doubts.append("both camera_info are needed to register it")
        if passes_through:
            doubts.append(
                f"no resolution gap: the guide is {gap:.2f} times as fine as the source, expected {LEAST_GAP} or"
                " more, so that the source passes through unchanged"
            )
        text = "; ".join([text, *doubts])
        return ViewReport(bool(cameras), gap, passes_through, bool(doubts), text, extrinsics)
