"""Images as the two cameras gave them in, results out: what the node and `robself replay` both run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from robself.calibration_health import CalibrationHealth
from robself.camera_model import CameraModel
from robself.config import Modality
from robself.familiarity import Familiarity
from robself.global_registration import GlobalRegistration
from robself.guide_view import GuideView, ViewReport
from robself.optimisation import Progress
from robself.pair import Pair, Result
from robself.pass_through import passed_through
from robself.pipeline import Pipeline


class RegisteredPipeline:
    """A pipeline whose guides are brought into the source's view first; what they cannot refine passes through.

    Args:
        align: whether a cold keyframe's guide is turned as a whole first, and those after it alike.

    Attributes:
        health: of the rig's calibration; what it says goes into `info["misalignment"]` of every result.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        view: GuideView,
        modality: Modality,
        align: bool = False,
    ) -> None:
        self.pipeline, self.view, self.modality = pipeline, view, modality
        self._alignment = GlobalRegistration() if align else None
        self._familiarity = Familiarity(modality)
        self.health = CalibrationHealth()

    def process(
        self,
        source: np.ndarray,
        guide: np.ndarray,
        source_camera: CameraModel | None,
        guide_camera: CameraModel | None,
        stamp: int | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Register and super-resolve one pair.

        Args:
            source: (h, w) float32, metres or intensity. guide: (H', W', 3) uint8 RGB.
            source_camera, guide_camera: of images of these sizes; None where unknown or not to be used.
            stamp: of the source, ns.

        Raises:
            InputError: images or cameras that cannot be used. Interrupted: `should_stop` said so.
        """
        before = self.view.report
        guide, guide_valid = self.view(guide, source.shape, source_camera, guide_camera)
        report = self.view.report
        if before is not None and (why := _why_anew(before, report)):
            self.pipeline.start_anew(why)
        pair = Pair.from_images(source, guide, modality=self.modality, guide_valid=guide_valid, stamp=stamp)
        if report.passes_through:
            return passed_through(pair, str(self.pipeline.resolver.device))
        if self.pipeline.resolver.warm and (why := self._familiarity.misfit(pair)):
            self.pipeline.start_anew(why)
        result = self.pipeline.process(self._aligned(pair, source_camera), should_stop, on_progress)
        if result.info["mode"] == "keyframe" and result.info["start"] == "cold":
            self._familiarity.learn(pair)
        if report.registered and result.info["mode"] == "keyframe":
            # The pair as it was registered: what the alignment makes up for is the rig's fault, too.
            self.health.observe(result, pair, source_camera, report.extrinsics, self.view.distance)
        result.info["misalignment"] = self.health.misalignment if report.registered else None
        return result

    def _aligned(self, pair: Pair, source_camera: CameraModel | None) -> Pair:
        if self._alignment is None:
            return pair
        if not self.pipeline.resolver.warm:  # warm weights have learned on guides turned as before
            self._alignment.find(pair, source_camera, metric=self.modality == "depth")
        return self._alignment(pair)


def _why_anew(before: ViewReport, now: ViewReport) -> str | None:
    """Why weights learned on the former view fit no more, in words; the pair is for `Familiarity` to see."""
    if before.registered != now.registered:
        return "camera_info came" if now.registered else "camera_info no longer fits"
    if now.registered and now is not before:
        return "a camera or the extrinsics changed"
    return None
