"""What a pair costs beside the optimisation: `python -m robself_ros.overhead`.

Each step that the node takes with a pair, from its messages to those of its result, by the node's own code; the
network, the optimisation and the refinement are left out, a prediction being given. Processor time, on one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import cv2
import torch
from std_msgs.msg import Header

from robself.config import RobSelfConfig
from robself.guide_view import GuideView
from robself.kept_memory import keep_memory
from robself.network import Prediction, RobSelf
from robself.normalisation import Normalisation
from robself.pair import Pair, Result
from robself.preparation import Observations
from robself.result import MOST_TRUSTED, assemble
from robself.upsampling import bicubic_of_filled
from robself_ros.cameras import Cameras
from robself_ros.conversions import (
    check_image,
    guide_encodings,
    guide_of,
    image_message,
    scaled_camera_info,
    source_encodings,
    source_message,
    source_of,
)
from robself_ros.made_messages import made_camera_info, made_images
from robself_ros.pairers import make_pairer
from robself_ros.parameters import NodeParameters
from robself_ros.processing import Job, Product
from robself_ros.status import status_message
from robself_ros.synchronizer import Synchronizer
from robself_ros.tally import Tally

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Overhead:
    """Milliseconds of processor time a pair, medians.

    Attributes:
        steps: by name, in order, every output being subscribed to. fewer: of a tracked pair where only the
            super-resolved image, its camera_info and the status are. enlargement: of bicubic enlargement alone, to
            compare with.
    """

    steps: dict[str, float]
    fewer: dict[str, float]
    enlargement: float

    @property
    def total(self) -> float:
        """Of all steps."""
        return sum(self.steps.values())

    @property
    def without_by_products(self) -> float:
        """Of the fewer steps."""
        return sum(self.fewer.values())

    def lines(self) -> list[str]:
        """A table, to print."""
        rows = {name: (time, self.fewer.get(name, 0.0)) for name, time in self.steps.items()}
        rows["total"] = self.total, self.without_by_products
        head = f"{'':30}{'all outputs':>14}{'no by-products':>17}"
        return [
            head,
            *(f"{name:30}{every:11.2f} ms{few:14.2f} ms" for name, (every, few) in rows.items()),
            f"{'(bicubic enlargement alone)':30}{self.enlargement:11.2f} ms",
        ]


def measure_overhead(
    source_size: tuple[int, int] = (480, 640), guide_size: tuple[int, int] = (960, 1280), repeats: int = 15
) -> Overhead:
    """Takes one pair through all steps, again and again.

    Args:
        source_size: (h, w). guide_size: (H, W), which is the size of the result too.
    """
    bench = _Bench(source_size, guide_size)
    with _one_thread():
        bench.pass_through()  # what is computed once
        bench.enlargements.clear()
        steps, fewer = bench.measured(repeats)
    return Overhead(steps, fewer, median(bench.enlargements))


class _Bench:
    """One pair of messages, and what the node has beside them."""

    def __init__(self, source_size: tuple[int, int], guide_size: tuple[int, int]) -> None:
        self.parameters = NodeParameters()
        self.header = Header(frame_id="source")
        self.source, self.guide = made_images(source_size, guide_size)
        self.cameras = Cameras({"source": False, "guide": False}, lambda line: None)
        self.cameras.take("source", made_camera_info(source_size, "source"))
        self.cameras.take("guide", made_camera_info(guide_size, "guide", d=(0.05, -0.02, 0.0, 0.0, 0.0)))
        self.view = GuideView(guide_size[0] / source_size[0], (0.0, 0.002, 0.0), lambda line: None)
        self.network = RobSelf(RobSelfConfig.from_preset("robot").model)
        self.normalisation: Normalisation | None = None
        self.tally = Tally()
        self.synchronizer = Synchronizer(
            make_pairer(0.02, 10),
            0.02,
            source_encodings("depth"),
            guide_encodings(),
            self.tally,
            lambda source, guide: True,
            lambda reason: None,
            lambda role, rejected: None,
        )
        self.steps: dict[str, list[float]] = {}
        self.enlargements: list[float] = []

    def measured(self, repeats: int) -> list[dict[str, float]]:
        """Medians of the steps with by-products, and of those without: in turn, for a machine may become slower."""
        both: tuple[dict[str, list[float]], ...] = {}, {}
        for _ in range(repeats):
            for self.steps, by_products in zip(both, (True, False), strict=True):
                self.pass_through(by_products)
        return [{name: median(taken) for name, taken in steps.items()} for steps in both]

    def pass_through(self, by_products: bool = True) -> None:
        """One pair, from messages to messages."""
        step, parameters = self._step, self.parameters
        step("check and pair the messages", self._take)
        source = step(
            "source from its message",
            lambda: source_of(self.source, "depth", parameters.depth_min, parameters.depth_max),
        )
        guide = step("guide from its message", lambda: guide_of(self.guide))
        sizes = {"source": source.shape, "guide": guide.shape[:2]}
        cameras = step("cameras", lambda: {role: self.cameras.of(role, size) for role, size in sizes.items()})
        guide, seen = step(
            "register the guide",
            lambda: self.view(guide, source.shape, *(camera.model for camera in cameras.values())),
        )
        pair = step("check the pair", lambda: Pair.from_images(source, guide, guide_valid=seen))
        self.normalisation = self.normalisation or Normalisation.of(pair)
        observation = step(
            "prepare for the network", lambda: Observations(pair, self.normalisation, {1.0}, CPU).full
        )
        prediction = _prediction(observation.upsampled, translated=by_products)
        result = step("assemble the result", lambda: self._assembled(pair, observation, prediction))
        self._publish(result, by_products)
        self._time(self.enlargements, lambda: bicubic_of_filled(pair.filled, pair.size))

    def _publish(self, result: Result, by_products: bool) -> None:
        step, header = self._step, self.header
        source_camera = self.cameras.of("source", (self.source.height, self.source.width))
        step("sr message", lambda: source_message(result.sr, "16UC1", "depth", header))
        step("sr camera_info", lambda: scaled_camera_info(source_camera.info, result.sr.shape, header))
        if by_products:
            step("translated message", lambda: source_message(result.translated, "16UC1", "depth", header))
            step("aligned guide message", lambda: image_message(result.aligned_guide, "rgb8", header))
        product = Product(Job(self.source, self.guide), result, source_camera, 0.0)
        step(
            "status message",
            lambda: status_message(product, self.parameters, self.synchronizer, self.tally, 0.0),
        )

    def _take(self) -> None:
        for image in (self.source, self.guide):
            image.header.stamp.sec += 1
        check_image(self.source, source_encodings("depth"))
        self.synchronizer.source(self.source)
        self.synchronizer.guide(self.guide)

    def _assembled(self, pair: Pair, observation: Any, prediction: Prediction) -> Result:
        info = {"mode": "track", "start": "warm", "iterations": 0, "stopped_by": "schedule", "device": "cpu"}
        return assemble(
            pair,
            observation,
            prediction,
            self.network,
            self.normalisation,
            None,
            lambda sr, observation: sr,
            MOST_TRUSTED,
            info,
        )

    def _step(self, name: str, run: Callable[[], Any]) -> Any:
        return self._time(self.steps.setdefault(name, []), run)

    @staticmethod
    def _time(taken: list[float], run: Callable[[], Any]) -> Any:
        begin = time.process_time()
        outcome = run()
        taken.append(1000 * (time.process_time() - begin))
        return outcome


def _prediction(upsampled: torch.Tensor, translated: bool) -> Prediction:
    """What a network might give: the upsampled source, and a displacement of some pixels."""
    height, width = upsampled.shape[-2:]
    ramp = torch.linspace(-3, 3, height)[:, None] + torch.linspace(-2, 2, width)
    translation = upsampled.clone() if translated else None
    return Prediction(upsampled.clone(), translation, ramp.expand(1, 2, height, width).contiguous())


@contextmanager
def _one_thread():
    torch_threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(torch_threads)
        cv2.setNumThreads(cv_threads)


def main(*sizes: tuple[int, int]) -> None:
    """Measure at 640x480 -> 1280x960, or at the sizes of source and guide (rows, columns), and print."""
    keep_memory()  # as the node does
    print("\n".join(measure_overhead(*sizes).lines()))


if __name__ == "__main__":
    main()
