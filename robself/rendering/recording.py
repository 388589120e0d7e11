"""The built-in recording as a rosbag2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from robself.camera_model import CameraModel
from robself.errors import ConfigError
from robself.recording import RecordingWriter
from robself.rendering.frames import render_frame, render_nir_frame
from robself.rendering.rig import DESK, Rig

SOURCE_TOPIC = "/depth/image_raw"
NIR_TOPIC = "/nir/image_raw"
GUIDE_TOPIC = "/rgb/image_raw"
TRUTH_TOPIC = "/truth/image_raw"
RGB_DELAY_SECONDS = 0.004


def write_recording(
    path: str | Path,
    *,
    frames: int = 20,
    seed: int = 0,
    period_seconds: float = 0.5,
    standstill_seconds: float = 0.0,
    start_ns: int = 1_700_000_000_000_000_000,
    on_progress: Callable[[int, int], None] | None = None,
    nir: Literal["mono8", "mono16"] | None = None,
    rig: Rig = DESK,
) -> Path:
    """Renders the built-in scene into a recording.

    Topics: `/depth/image_raw` (16UC1 millimetres, 96x72, noise and holes), `/rgb/image_raw` (rgb8, 456x336,
    4 ms later), both with `camera_info`; `/truth/image_raw` (32FC1 metres, 384x288, exact, the depth
    camera's frame and stamps). A NIR recording has `/nir/image_raw` in place of depth, a truth in the same
    counts, and a rolling ball.

    Args:
        path: a `.mcap` file, replaced if it is there, or a rosbag2 folder, which must not exist.
        period_seconds: between frames; standstill_seconds: more of it after the first. start_ns: its stamp.
        on_progress: called with (frames done, frames in all) after each frame.
        nir: encoding of a NIR camera in place of the depth camera; None: depth. rig: the cameras.

    Raises:
        ConfigError: no frames or no time between them. OutputError: the place cannot be written to.
    """
    if frames < 1 or period_seconds <= 2 * RGB_DELAY_SECONDS or standstill_seconds < 0:
        raise ConfigError(
            f"{frames} frames every {period_seconds} s after a standstill of {standstill_seconds} s, expected"
            f" >= 1, > {2 * RGB_DELAY_SECONDS} and >= 0"
        )
    delay_ns = round(RGB_DELAY_SECONDS * 1e9)
    with RecordingWriter(path) as writer:
        for index in range(frames):
            stamp = start_ns + round((index * period_seconds + (standstill_seconds if index else 0)) * 1e9)
            topic, source, truth, rgb = _frame(nir, index, seed, RGB_DELAY_SECONDS / period_seconds, rig)
            _write(writer, topic, rig.source, *source, stamp)
            writer.write_image(TRUTH_TOPIC, *truth, stamp_ns=stamp, frame_id=rig.source.frame_id)
            _write(writer, GUIDE_TOPIC, rig.guide, rgb, "rgb8", stamp + delay_ns)
            if on_progress is not None:
                on_progress(index + 1, frames)
    return Path(path)


def _frame(nir: str | None, index: int, seed: int, delay: float, rig: Rig) -> tuple:
    """The source's topic, source and truth each with encoding, and the colour image."""
    if nir is None:
        depth = render_frame(index, seed=seed, rgb_delay=delay, rig=rig)
        return SOURCE_TOPIC, (depth.source_mm, "16UC1"), (depth.truth_m, "32FC1"), depth.rgb
    frame = render_nir_frame(index, nir, seed=seed, rgb_delay=delay, rig=rig)
    return NIR_TOPIC, (frame.source, nir), (frame.truth, nir), frame.rgb


def _write(
    writer: RecordingWriter, topic: str, camera: CameraModel, pixels: np.ndarray, encoding: str, stamp: int
) -> None:
    writer.write_camera_info(f"{topic.rpartition('/')[0]}/camera_info", camera, stamp_ns=stamp)
    writer.write_image(topic, pixels, encoding, stamp_ns=stamp, frame_id=camera.frame_id)
