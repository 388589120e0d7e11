"""Pairs of a recording: a bag with a source, a guide and perhaps true images."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from robself.camera_model import CameraModel
from robself.datasets.case import Case
from robself.datasets.loader import Loader
from robself.datasets.options import Options
from robself.errors import ConfigError, DatasetError, InputError
from robself.guide_view import GuideView
from robself.recording import RecordedImage, RecordedPair, RecordingReader
from robself.recording.static_frames import static_frames
from robself.source_encoding import UNITS, source_values

logger = logging.getLogger(__name__)


class Recording(Loader):
    """Every n-th pair; the guide registered into the source's view where the bag knows both cameras.

    Its size is the truth's, or the scale's, or else the guide's own.
    """

    LAYOUT = "a .mcap, .db3 or .bag file, or metadata.yaml"
    PROTOCOLS = ("pairs",)
    TAKES = frozenset({"scale", "every", "modality", "source_topic", "guide_topic", "truth_topic"})

    def __init__(self, path: Path, options: Options) -> None:
        self._path, self._scale, self._every = path, options.scale, options.every
        self._modality = options.modality or "depth"
        if options.source_topic is None or options.guide_topic is None:
            topics = sorted(RecordingReader(path).topics)
            raise ConfigError(
                f"{path}: expected source_topic and guide_topic, from {', '.join(topics) or 'none'}"
            )
        self._topics = options.source_topic, options.guide_topic, options.truth_topic

    @staticmethod
    def fits(path: Path) -> bool:
        return path.suffix in (".mcap", ".db3", ".bag") or (path / "metadata.yaml").is_file()

    def names(self) -> Iterable[str]:
        # Counted from the first of all pairs, so that a name means the same pair whatever `every` is.
        return (f"pair_{index * self._every:06d}" for index, _ in enumerate(self._pairs(0, self._every)))

    def load(self, name: str) -> Case:
        recorded = next(self._pairs(int(name.removeprefix("pair_"))))
        try:
            return self._case(name, recorded)
        except InputError as error:
            raise DatasetError(f"{self._path}: {name}: {error}") from error

    def _pairs(self, start: int, step: int = 1) -> Iterator[RecordedPair]:
        return islice(RecordingReader(self._path).pairs(*self._topics), start, None, step)

    def _case(self, name: str, recorded: RecordedPair) -> Case:
        source, truth = (
            None if image is None else source_values(image.array, image.encoding, self._modality)
            for image in (recorded.source, recorded.truth)
        )
        factor = float(self._scale or 0)
        if truth is not None and not factor:
            factor = truth.shape[0] / source.shape[0]
        frames = static_frames(RecordingReader(self._path))
        view = GuideView(factor, (0.0, 0.0, 0.0), logger.info, frames=frames)
        guide, _ = view(
            recorded.guide.rgb,
            source.shape,
            _fitting(recorded.source_camera, recorded.source),
            _fitting(recorded.guide_camera, recorded.guide),
        )
        return Case(name, source, guide, truth, self._modality, UNITS[self._modality])


def _fitting(camera: CameraModel | None, image: RecordedImage) -> CameraModel | None:
    """The camera if it is one of images of this size."""
    return None if camera and camera.misfit(image.array.shape[:2]) else camera
