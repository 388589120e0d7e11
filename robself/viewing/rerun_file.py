"""A run as a `.rrd` file.

    /frames/<frame_id>/<name>  an image: source, guide, guide_aligned, sr, translated, confidence, displacement
    /frames/<frame_id>/camera  the pinhole camera of the super-resolved image
    /frames/<frame_id>/points  super-resolved depth as points, coloured by the aligned guide
    /status/<field>            what the statuses say, as curves and as lines of text

The time line `stamp` holds the stamps of the headers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from robself.camera_model import CameraModel
from robself.config import Modality
from robself.errors import InputError, RecordingError
from robself.file_writing import check_place, write_file
from robself.recording import RecordedImage
from robself.source_encoding import source_values
from robself.status import MODES
from robself.viewing.pictures import direction_colours, points
from robself.viewing.viewed_run import OpenRun, Seen, ViewedRun
from robself.viewing.viewer import require_rerun

JPEG_QUALITY = 90
ENCODINGS = {"confidence": "32FC1", "displacement": "32FC2"}
CURVES = (
    "mode",
    "iterations",
    "consistency_before",
    "consistency_after",
    "processing_seconds",
    "latency_seconds",
)
MODE_NAMES = {number: name.replace("_", " ") for name, number in MODES.items()}


def write_rrd(
    path: str | Path,
    run: ViewedRun,
    on_progress: Callable[[int, int], None] = lambda done, all_images: None,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Writes a run for the Rerun viewer; a file of that name is replaced.

    Args:
        on_progress: called with the number of images that are done, and that of all.
        say: told what is not there to be shown.

    Raises:
        RecordingError: a recording that is missing or damaged, or lacks a topic.
        OutputError: a file that cannot be written. MissingPackageError: `rerun-sdk` is not installed.
    """
    require_rerun()
    check_place(path)
    opened = OpenRun(run)
    os.environ.setdefault("RUST_LOG", "off")  # what it has to say comes as errors, too
    import rerun as rr

    stream = rr.RecordingStream("robself")
    # Kept in memory until the end: rerun-sdk's own file sink may never return from a full disk (0.41).
    encoded = stream.binary_stream()
    try:
        stream.set_log_tick_enabled(False)
        stream.set_log_time_enabled(False)
        stream.send_recording_name(Path(run.results).resolve().parent.name)
        scene = _Scene(stream, opened, say)
        done = 0
        for _, group in groupby(opened, key=attrgetter("stamp_ns")):
            done += scene.show(list(group))
            on_progress(done, opened.messages)
        scene.arrange()
        write_file(path, encoded.read() or b"")
    finally:
        stream.disconnect()


class _Scene:
    """Where each thing is shown, and how."""

    def __init__(self, stream: Any, opened: OpenRun, say: Callable[[str], None]) -> None:
        self._stream, self._opened, self._say = stream, opened, say
        self._modality: Modality = opened.modality()
        self._paths: dict[str, str] = {}
        self._range: list[float] | None = None
        self._camera: CameraModel | None = None
        self._told_misfit = False

    def show(self, seen: list[Seen]) -> int:
        """All of one stamp; returns the number of images."""
        self._stream.set_time("stamp", timestamp=np.datetime64(seen[0].stamp_ns, "ns"))
        images: dict[str, RecordedImage] = {}
        for _, name, item in seen:
            if name == "camera":
                self._camera = item
            elif name == "status":
                self._show_status(item)
            else:
                images[name] = item
                self._log(item.frame_id, name, self._within(name, self._picture, name, item))
        if "sr" in images and self._camera and self._modality == "depth":
            self._show_points(images["sr"], self._camera, images.get("guide_aligned"))
        return len(images)

    def _within(self, name: str, convert: Callable[..., Any], *arguments: Any) -> Any:
        """What `convert` makes of an image; its errors say which it was."""
        try:
            return convert(*arguments)
        except InputError as error:
            bag, topic = self._opened.topics[name]
            raise RecordingError(f"{bag.path}: {topic}: {error}") from error

    def _picture(self, name: str, image: RecordedImage) -> Any:
        import rerun as rr

        if name in ("guide", "guide_aligned"):
            return rr.Image(image.rgb).compress(jpeg_quality=JPEG_QUALITY)
        if name in ENCODINGS and image.encoding != ENCODINGS[name]:
            raise InputError(f"{name} of encoding {image.encoding!r}, expected {ENCODINGS[name]}")
        if name == "displacement":
            return rr.Image(direction_colours(image.array))
        if name == "confidence":
            return rr.Image(image.array, "L")
        values = source_values(image.array, image.encoding, self._modality)
        if self._modality == "nir":
            return rr.Image(image.array, "L")
        if self._range is None and np.isfinite(values).any():
            self._range = [0.0, float(np.nanpercentile(values, 99))]  # one for all, so that colours compare
        per_metre = 1.0 if image.array.dtype == np.float32 else 1000.0
        return rr.DepthImage(
            image.array, meter=per_metre, depth_range=self._range and [per_metre * end for end in self._range]
        )

    def _show_points(self, sr: RecordedImage, camera: CameraModel, guide: RecordedImage | None) -> None:
        import rerun as rr

        size = sr.array.shape[:2]
        if misfit := camera.misfit(size):
            if not self._told_misfit:
                self._say(f"the result's camera_info is not used: {misfit}")
            self._told_misfit = True
            return
        coloured = guide is not None and guide.array.shape[:2] == size
        cloud, colours = points(
            source_values(sr.array, sr.encoding, "depth"), camera, guide.rgb if coloured else None
        )
        pinhole = rr.Pinhole(image_from_camera=camera.delivered().K, resolution=size[::-1])
        self._log(sr.frame_id, "camera", pinhole)
        self._log(sr.frame_id, "points", rr.Points3D(cloud, colors=colours))

    def _show_status(self, status: Any) -> None:
        import rerun as rr

        for name in CURVES:
            self._stream.log(["status", name], rr.Scalars(float(getattr(status, name))))
        words = [
            "FALLBACK" if status.fallback else "",
            MODE_NAMES.get(status.mode, f"mode {status.mode}"),
            "warm" if status.warm else "cold",
        ]
        line = (
            f"{' '.join(filter(None, words))}: {status.iterations} iterations, consistency "
            f"{status.consistency_before:.4g} -> {status.consistency_after:.4g} {status.consistency_unit}, "
            f"latency {status.latency_seconds:.3f} s"
        )
        self._stream.log("status/said", rr.TextLog(line, level="WARN" if status.fallback else "INFO"))

    def _log(self, frame_id: str, name: str, what: Any) -> None:
        """Where frame_id has slashes, spaces or nothing in it, the path is still one."""
        import rerun as rr

        frame = ["frames", frame_id or "(no frame_id)"]
        path = rr.new_entity_path([*frame, name])
        if name not in self._paths:
            self._paths[name] = path
            self._stream.log(rr.new_entity_path(frame), rr.ViewCoordinates.RDF, static=True)
        self._stream.log(path, what)

    def arrange(self) -> None:
        """The viewer's windows: images, points, curves."""
        import rerun.blueprint as rrb

        images = [
            rrb.Spatial2DView(origin=self._paths[name], name=name)
            for name in self._opened.topics
            if name in self._paths
        ]
        others: list[Any] = []
        if "points" in self._paths:
            contents = [self._paths["points"], self._paths["camera"]]
            origin = self._paths["points"].rpartition("/")[0]
            others.append(rrb.Spatial3DView(origin=origin, contents=contents, name="points"))
        for title, names in (("consistency", CURVES[2:4]), ("seconds", CURVES[4:])):
            others.append(rrb.TimeSeriesView(contents=[f"/status/{name}" for name in names], name=title))
        others.append(rrb.TextLogView(origin="/status/said", name="status"))
        self._stream.send_blueprint(rrb.Blueprint(rrb.Horizontal(rrb.Grid(*images), rrb.Vertical(*others))))
