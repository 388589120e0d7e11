"""What went in and what came out, frame by frame, matched by the source's stamp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

import cv2
import numpy as np

from robself.config import Modality
from robself.errors import InputError, RecordingError
from robself.metrics import common_pixels
from robself.output_topics import output_topics
from robself.pairing import ApproximateTimePairer, PairingCounts
from robself.recording import RecordedImage, RecordedPair, RecordingReader
from robself.report.recorded_run import RecordedRun
from robself.source_encoding import UNITS, source_values
from robself.upsampling import bicubic, enlarge_mask

QUEUE_SIZE = 10


@dataclass(frozen=True, eq=False)
class Frame:
    """A pair that became a super-resolved image; m or intensity, NaN in holes.

    Attributes:
        source: (h, w) float32. sr: (H, W) float32.
        aligned_guide: (H, W, 3) uint8; None if it was not recorded.
        truth: (H, W) float32; None if there is none of this stamp.
        status: the message's content; None if it was not recorded.
    """

    stamp_ns: int
    source: np.ndarray
    sr: np.ndarray
    aligned_guide: np.ndarray | None
    truth: np.ndarray | None
    status: Any | None

    @cached_property
    def bicubic(self) -> np.ndarray:
        """(H, W) float32: the source enlarged without a guide, with the holes of the source."""
        valid = np.isfinite(self.source)
        if not valid.any():
            return np.full_like(self.sr, np.nan)
        size = self.sr.shape
        return np.where(enlarge_mask(valid, size), bicubic(self.source, valid, size), np.float32(np.nan))

    @cached_property
    def judged(self) -> np.ndarray:
        """(H, W) bool: where truth, bicubic and SR all have a value; only of frames with a truth."""
        return common_pixels(self.truth, self.bicubic, self.sr)


class Step(NamedTuple):
    """One pair of the input; `frame` None where nothing came out of it."""

    stamp_ns: int
    frame: Frame | None


class MatchedRun:
    """Reads both recordings side by side.

    Raises:
        RecordingError: a recording or a topic that is missing or damaged.
    """

    def __init__(self, run: RecordedRun) -> None:
        self.run, self.topics = run, output_topics(run.node)
        self._input, self._output = RecordingReader(run.input_bag), RecordingReader(run.output_bag)
        self._pairer = ApproximateTimePairer(run.slop_seconds, QUEUE_SIZE)
        self.statuses = self._read_statuses()
        self.outputs = (
            self._output.topics[self.topics.sr].count if self.topics.sr in self._output.topics else 0
        )
        self.truth_size: list[int] | None = None

    @property
    def pairing(self) -> PairingCounts:
        """Of the input, as far as it has been read."""
        return self._pairer.counts

    @cached_property
    def modality(self) -> Modality:
        """What the source measures, by the unit of the statuses."""
        units = {status.consistency_unit for status in self.statuses.values()}
        return "nir" if UNITS["nir"] in units else "depth"

    def __iter__(self) -> Iterator[Step]:
        run = self.run
        pairs = self._input.pairs(run.source_topic, run.guide_topic, run.truth_topic, pairer=self._pairer)
        streams = [
            ((pair.stamp_ns, "pair", pair) for pair in islice(pairs, run.limit)),
            ((image.stamp_ns, "sr", image) for image in self._output.images(self.topics.sr)),
        ]
        if self.topics.guide_aligned in self._output.topics:
            guides = self._output.images(self.topics.guide_aligned)
            streams.append((image.stamp_ns, "guide", image) for image in guides)
        for stamp, group in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
            found = {kind: item for _, kind, item in group}
            if "pair" in found:
                frame = self._frame(found["pair"], found["sr"], found.get("guide")) if "sr" in found else None
                yield Step(stamp, frame)

    def _frame(self, pair: RecordedPair, sr: RecordedImage, guide: RecordedImage | None) -> Frame:
        run = self.run
        source = source_values(
            pair.source.array,
            pair.source.encoding,
            self.modality,
            depth_min=run.depth_min,
            depth_max=run.depth_max,
        )
        return Frame(
            pair.stamp_ns,
            source,
            source_values(sr.array, sr.encoding, self.modality),
            guide and guide.rgb,
            pair.truth and self._truth(pair.truth, sr.array.shape[:2]),
            self.statuses.get(pair.stamp_ns),
        )

    def _truth(self, truth: RecordedImage, size: tuple[int, int]) -> np.ndarray:
        """The truth on the SR image's grid: of another size, the nearest pixel, which mixes no depths."""
        try:
            values = source_values(truth.array, truth.encoding, self.modality)
        except InputError as error:
            raise RecordingError(f"{self.run.input_bag}: {self.run.truth_topic}: {error}") from error
        self.truth_size = [values.shape[1], values.shape[0]]
        if values.shape == size:
            return values
        return cv2.resize(values, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)

    def _read_statuses(self) -> dict[int, Any]:
        if self.topics.status not in self._output.topics:
            return {}
        contents = (message.content for message in self._output.messages([self.topics.status]))
        return {
            content.header.stamp.sec * 10**9 + content.header.stamp.nanosec: content for content in contents
        }
