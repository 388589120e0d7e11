"""Images as the two cameras gave them in, results out: what the node and `robself replay` both run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from robself.camera_model import CameraModel
from robself.config import Modality
from robself.guide_view import GuideView
from robself.optimisation import Progress
from robself.pair import Pair, Result
from robself.pipeline import Pipeline


class RegisteredPipeline:
    """A pipeline whose guides are brought into the source's view first.

    Args:
        on_reset: told why, when what was learned so far does not fit what comes.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        view: GuideView,
        modality: Modality,
        on_reset: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.pipeline, self.view, self.modality = pipeline, view, modality
        self._on_reset = on_reset

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
        was_registered = self.view.registered
        guide, guide_valid = self.view(guide, source.shape, source_camera, guide_camera)
        if was_registered not in (None, self.view.registered):
            self.pipeline.reset()
            self._on_reset("camera_info came" if self.view.registered else "camera_info no longer fits")
        pair = Pair.from_images(source, guide, modality=self.modality, guide_valid=guide_valid, stamp=stamp)
        return self.pipeline.process(pair, should_stop, on_progress)
