"""A recording super-resolved without ROS and without time: every pair, the same result every time."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from robself.camera_model import CameraModel
from robself.config import RobSelfConfig
from robself.errors import InputError, Interrupted, OutputError, RecordingError
from robself.guide_view import GuideView
from robself.json_text import json_text
from robself.keyframes import KeyframeConfig, KeyframePolicy
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import Progress
from robself.output_topics import displacement_topic, output_topics
from robself.pair import Result
from robself.pairing import ApproximateTimePairer
from robself.pipeline import Pipeline
from robself.recording import (
    RecordedImage,
    RecordedPair,
    RecordingReader,
    RecordingWriter,
    SerializedMessage,
)
from robself.recording.static_frames import static_frames
from robself.registered_pipeline import RegisteredPipeline
from robself.replay_settings import ReplaySettings
from robself.report import RecordedRun, write_report
from robself.source_encoding import source_pixels, source_values
from robself.status import outcome_fields
from robself.unfinished_replay import UnfinishedReplay

logger = logging.getLogger(__name__)
QUEUE_SIZE = 10


class Replay:
    """One recording on its way through the pipeline.

    Args:
        say: takes a line that the user should see.

    Raises:
        RecordingError, ConfigError: what is wrong with the recording, the topics or the settings.
    """

    def __init__(
        self,
        bag: str | Path,
        source_topic: str,
        guide_topic: str,
        truth_topic: str | None = None,
        settings: ReplaySettings | None = None,
        say: Callable[[str], None] = logger.info,
    ) -> None:
        self.settings = settings = settings or ReplaySettings()
        self._say = say
        self._reader = RecordingReader(bag)
        self._topics = source_topic, guide_topic, truth_topic
        self._pairer = ApproximateTimePairer(settings.slop, QUEUE_SIZE)
        self._pairs = self._reader.pairs(*self._topics, pairer=self._pairer)
        config = RobSelfConfig.from_preset(
            settings.preset, settings.variant, settings.schedule, settings.modality, settings.seed
        )
        self._modality = config.modality
        self._pipeline = RegisteredPipeline(
            Pipeline(
                OnlineSuperResolver(config, settings.device),
                KeyframePolicy(
                    KeyframeConfig(every_n=settings.keyframe_every, consistency_ratio=settings.keyframe_ratio)
                ),
                Budget(settings.first_iterations, settings.first_budget),
                Budget(settings.iterations, settings.budget),
                on_reset=lambda reason: say(f"starting anew: {reason}"),
            ),
            GuideView(
                settings.factor,
                settings.rpy,
                say,
                xyz=settings.xyz,
                frames=static_frames(self._reader) if settings.use_tf else None,
                distance=settings.distance,
                factor_max=settings.factor_max,
                same_view=not settings.register,
            ),
            config.modality,
            align=settings.align_guide,
        )
        self._unfit: set[str] = set()
        self.done, self.dropped = 0, Counter[str]()
        # At most: what finds no partner is known at the end.
        counts = [self._reader.topics[topic].count for topic in (source_topic, guide_topic)]
        self.pairs = min(*counts, settings.limit or max(counts))

    def run(
        self,
        directory: str | Path,
        on_progress: Callable[[int, Progress | None], None] = lambda done, progress: None,
        resume: bool = False,
    ) -> dict[str, Any]:
        """Writes `sr.mcap`, `metrics.json` and `report.html` into a directory, which is made if need be.

        Until all pairs are done, results are in `sr.unfinished`, from which an interrupted run is resumed. The
        network's weights are not among them: the first pair after those that are done is a cold keyframe.

        Args:
            resume: go on with what an interrupted run has left.
            on_progress: called with the number of pairs done and how far the next one is.

        Returns:
            The metrics: see `robself.report.write_report`.

        Raises:
            RecordingError: a damaged recording, or one without a pair that can be used.
            ConfigError: `resume` with other settings than before.
            OutputError: a directory that cannot be written to. Interrupted: Ctrl-C; what was done is kept.
        """
        output = Path(directory) / "sr.mcap"
        if self._reader.path.resolve() in (output.resolve(), output.parent.resolve()):
            raise OutputError(f"{output}: belongs to the recording to be read, expected another directory")
        unfinished = UnfinishedReplay(output, self._asked())
        try:
            with unfinished.held(resume) as earlier, RecordingWriter(output, unfinished.folder) as writer:
                for recorded in islice(self._pairs, self.settings.limit):
                    if before := earlier.take(recorded.source.stamp_ns):
                        self._copy(before, writer)
                    else:
                        self._take(recorded, writer, on_progress)
                    on_progress(self.done + self.dropped.total(), None)
                self._require_results()
                unfinished.all_done()
        except KeyboardInterrupt:
            kept = (
                f"which {unfinished.folder} keeps; the same command with --resume does the others"
                if unfinished.folder.exists()
                else f"{output} was not written"
            )
            raise Interrupted(f"interrupted after {self.done} of {self.pairs} pairs, {kept}") from None
        metrics = self._report(directory, output)
        unfinished.remove()
        return metrics

    def _asked(self) -> dict[str, Any]:
        """What each result depends on."""
        settings = asdict(self.settings)
        for of_no_pair in ("limit", "pictures"):
            settings.pop(of_no_pair)
        asked = {"recording": str(self._reader.path.resolve()), "topics": self._topics, **settings}
        return json.loads(json_text(asked))  # as it will be read again

    def _copy(self, messages: list[SerializedMessage], writer: RecordingWriter) -> None:
        for message in messages:
            writer.write_serialized(message.topic, message.type, message.data, time_ns=message.time_ns)
        writer.flush()
        self.done += 1

    def _take(
        self,
        recorded: RecordedPair,
        writer: RecordingWriter,
        on_progress: Callable[[int, Progress | None], None],
    ) -> None:
        """One pair: super-resolved and written, or counted by why it cannot be used."""
        begin, before = time.monotonic(), self.done + self.dropped.total()
        self._check_truth(recorded.truth)
        try:
            result = self._super_resolve(recorded, lambda progress: on_progress(before, progress))
        except InputError as error:
            self.dropped[str(error)] += 1
            return
        self.done += 1
        self._write(writer, recorded, result, time.monotonic() - begin)

    def _super_resolve(self, recorded: RecordedPair, on_progress: Callable[[Progress], None]) -> Result:
        settings, source, guide = self.settings, recorded.source, recorded.guide
        return self._pipeline.process(
            source_values(
                source.array,
                source.encoding,
                self._modality,
                depth_min=settings.depth_min,
                depth_max=settings.depth_max,
            ),
            guide.rgb,
            self._fitting("source", recorded.source_camera, source),
            self._fitting("guide", recorded.guide_camera, guide) if settings.register else None,
            recorded.stamp_ns,
            on_progress=on_progress,
        )

    def _fitting(self, role: str, camera: CameraModel | None, image: RecordedImage) -> CameraModel | None:
        """The camera if it is one of images of this size; else None, said once."""
        why = camera and camera.misfit(image.array.shape[:2])
        if not why:
            return camera
        if role not in self._unfit:
            self._unfit.add(role)
            self._say(f"the {role}'s camera_info is not used: {why}")
        return None

    def _check_truth(self, truth: RecordedImage | None) -> None:
        """A truth that no error can be computed from is told before the long work, not after it."""
        if truth is not None:
            try:
                source_values(truth.array, truth.encoding, self._modality)
            except InputError as error:
                raise RecordingError(f"{self._reader.path}: {self._topics[2]}: {error}") from error

    def _write(self, writer: RecordingWriter, recorded: RecordedPair, result: Result, seconds: float) -> None:
        topics, source = output_topics(), recorded.source
        header = {"stamp_ns": source.stamp_ns, "frame_id": source.frame_id}

        def write_source_like(topic: str, values: np.ndarray) -> None:
            pixels = source_pixels(values, source.encoding, self._modality)
            writer.write_image(topic, pixels, source.encoding, **header)

        write_source_like(topics.sr, result.sr)
        if camera := self._fitting("source", recorded.source_camera, source):
            height, width = result.sr.shape
            writer.write_camera_info(topics.camera_info, camera.scaled(width, height), **header)
        writer.write_image(topics.guide_aligned, result.aligned_guide, "rgb8", **header)
        write_source_like(topics.translated, result.translated)
        if self.settings.displacement:
            writer.write_image(displacement_topic(), result.displacement, "32FC2", **header)
        writer.write_image(topics.confidence, result.confidence, "32FC1", **header)
        counts = self._pairer.counts
        writer.write_status(
            topics.status,
            {
                # Nothing waits here: the latency is the time that the work took.
                **outcome_fields(result, self._modality, seconds, seconds),
                "sources_received": counts.sources,
                "guides_received": counts.guides,
                "pairs": counts.pairs,
                "processed": self.done,
                "dropped_unpaired": counts.dropped_sources + counts.dropped_guides,
                "dropped_rejected": self.dropped.total(),
            },
            **header,
        )
        writer.flush()

    def _require_results(self) -> None:
        """A recording without a single result is told as what it lacks."""
        if self.done:
            return
        where, counts = self._reader.path, self._pairer.counts
        if causes := "; ".join(f"{cause} ({count}x)" for cause, count in self.dropped.most_common()):
            raise RecordingError(f"{where}: not one of {self.dropped.total()} pairs can be used: {causes}")
        nearest = (
            "" if counts.last_dt_seconds is None else f", the first two {counts.last_dt_seconds:.3f} s apart"
        )
        raise RecordingError(
            f"{where}: no source ({counts.sources}) has a guide ({counts.guides}) within "
            f"{self.settings.slop:g} s of its stamp{nearest}"
        )

    def _report(self, directory: str | Path, output: Path) -> dict[str, Any]:
        settings, (source_topic, guide_topic, truth_topic) = self.settings, self._topics
        run = RecordedRun(
            self._reader.path,
            output,
            source_topic,
            guide_topic,
            truth_topic,
            settings.slop,
            settings.depth_min,
            settings.depth_max,
            settings.limit,
        )
        return write_report(
            run,
            directory,
            dropped=self.dropped,
            settings={"run by": "robself replay", **asdict(settings)},
            pictures=settings.pictures,
        )
