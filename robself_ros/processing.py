"""A pair of messages super-resolved: convert, register, then the pipeline that `robself replay` runs too."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from sensor_msgs.msg import Image

from robself.calibration_health import Misalignment
from robself.config import RobSelfConfig
from robself.guide_view import GuideView
from robself.keyframes import KeyframeConfig
from robself.online import Budget, OnlineSuperResolver
from robself.pair import Result
from robself.pipeline import Pipeline
from robself.registered_pipeline import RegisteredPipeline
from robself_ros.cameras import POLL_SECONDS, Camera, Cameras
from robself_ros.conversions import guide_of, source_of, stamp_ns
from robself_ros.device_report import device_name, memory
from robself_ros.parameters import NodeParameters

CALIBRATION_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """One pair of messages."""

    source: Image
    guide: Image

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of both."""
        return tuple((image.height, image.width) for image in (self.source, self.guide))


@dataclass(frozen=True)
class Product:
    """What became of a pair; `source_camera` None where no camera_info fits."""

    job: Job
    result: Result
    source_camera: Camera | None
    seconds: float


class Processing:
    """What the worker does to each pair; not for use by several threads at once.

    Args:
        say, warn: take a line for the log.
        on_reset: told why, when what was learned so far does not fit what comes.
        translates: whether somebody wants the translated guide.

    Raises:
        ConfigError: a device this machine has not.
    """

    def __init__(
        self,
        parameters: NodeParameters,
        cameras: Cameras,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        on_reset: Callable[[str], None],
        translates: Callable[[], bool],
    ) -> None:
        config = RobSelfConfig.from_preset(
            parameters.preset,
            parameters.variant,
            parameters.schedule,
            parameters.modality,
            seed=parameters.seed,
        )
        resolver = OnlineSuperResolver(
            config,
            parameters.device,
            memory_limit_mb=parameters.memory_limit_mb or None,
            acceleration=parameters.acceleration,
        )
        self._device = resolver.device
        self.device_name = device_name(self._device)
        extrinsics = parameters.extrinsics
        self.view = GuideView(
            parameters.factor,
            extrinsics.rpy,
            say,
            warn=warn,
            xyz=extrinsics.xyz,
            frames=cameras.frames,
            distance=extrinsics.distance,
            factor_max=parameters.factor_max,
            same_view=not parameters.register_guide,
        )
        self._pipeline = RegisteredPipeline(
            Pipeline(resolver, on_reset=on_reset),
            self.view,
            parameters.modality,
            parameters.align_guide,
        )
        self._cameras, self._translates = cameras, translates
        self._patient_until: float | None = None
        self.tune(parameters)

    def tune(self, parameters: NodeParameters) -> None:
        """Take over what may change from one pair to the next: budgets, and when pairs are keyframes."""
        self._parameters = parameters
        keyframe, budget, pipeline = parameters.keyframe, parameters.budget, self._pipeline.pipeline
        pipeline.policy.config = KeyframeConfig(
            every_n=keyframe.every_n,
            interval_seconds=keyframe.interval,
            consistency_ratio=keyframe.consistency_ratio,
        )
        pipeline.first_budget = Budget(budget.first_iterations or None, budget.first_seconds or None)
        pipeline.budget = Budget(budget.iterations or None, budget.seconds or None)

    @property
    def misalignment(self) -> Misalignment | None:
        """How far the rig is off its calibration, as far as is known."""
        return self._pipeline.health.misalignment

    @property
    def memory(self) -> dict[str, str]:
        """How much memory is in use, by what it is."""
        return memory(self._device)

    def stream(self) -> AbstractContextManager:
        """The device's own queue of work, for the thread that computes."""
        if self._device.type != "cuda":
            return nullcontext()
        return torch.cuda.stream(torch.cuda.Stream(self._device))

    def next_seconds(self) -> float:
        """What the next pair may take; 0: it has no budget of seconds."""
        return self._pipeline.pipeline.seconds

    def reset(self) -> None:
        """Forget all earlier pairs."""
        self._pipeline.pipeline.reset()

    def free(self) -> None:
        """Give back the memory that the model has."""
        self.reset()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def __call__(self, job: Job, should_stop: Callable[[], bool]) -> Product:
        """Super-resolve a pair.

        Raises:
            InputError: images without content that could be used.
            Interrupted: `should_stop` said so.
        """
        begin = time.monotonic()
        parameters = self._parameters
        source = source_of(job.source, parameters.modality, parameters.depth_min, parameters.depth_max)
        guide = guide_of(job.guide)
        self._wait_for_cameras(should_stop)
        source_camera = self._cameras.of("source", source.shape)
        guide_camera = self._cameras.of("guide", guide.shape[:2]) if parameters.register_guide else None
        if source_camera and guide_camera:
            self._wait_for_extrinsics(source_camera.model.frame_id, guide_camera.model.frame_id, should_stop)
        self._pipeline.pipeline.translates = self._translates()
        result = self._pipeline.process(
            source,
            guide,
            source_camera and source_camera.model,
            guide_camera and guide_camera.model,
            stamp_ns(job.source.header),
            should_stop,
        )
        return Product(job, result, source_camera, time.monotonic() - begin)

    def _wait_for_cameras(self, should_stop: Callable[[], bool]) -> None:
        """Drivers start with either topic: impatient, the first keyframe would be optimised for nothing."""
        if self._patient_until is None:
            self._patient_until = time.monotonic() + CALIBRATION_PATIENCE_SECONDS
        roles = ("source", "guide") if self._parameters.register_guide else ("source",)
        self._cameras.wait_for(roles, self._patient_until, should_stop)

    def _wait_for_extrinsics(
        self, source_frame: str, guide_frame: str, should_stop: Callable[[], bool]
    ) -> None:
        """Static transforms come once, and perhaps after the first images."""
        while self.view.extrinsics.may_improve(source_frame, guide_frame):
            if time.monotonic() >= self._patient_until or should_stop():
                return
            time.sleep(POLL_SECONDS)
