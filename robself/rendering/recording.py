"""The built-in recording as a rosbag2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from robself.errors import ConfigError
from robself.recording import RecordingWriter
from robself.rendering.frames import render_frame

SOURCE_TOPIC, SOURCE_INFO = "/depth/image_raw", "/depth/camera_info"
GUIDE_TOPIC, GUIDE_INFO = "/rgb/image_raw", "/rgb/camera_info"
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
) -> Path:
    """Renders the built-in scene into a recording.

    Topics: `/depth/image_raw` (16UC1 millimetres, 96x72, noise and holes), `/rgb/image_raw` (rgb8, 456x336,
    4 ms later), both with `camera_info`; `/truth/image_raw` (32FC1 metres, 384x288, exact, the depth
    camera's frame and stamps).

    Args:
        path: a `.mcap` file, replaced if it is there, or a rosbag2 folder, which must not exist.
        period_seconds: between frames; standstill_seconds: more of it after the first. start_ns: its stamp.
        on_progress: called with (frames done, frames in all) after each frame.

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
            frame = render_frame(index, seed=seed, rgb_delay=RGB_DELAY_SECONDS / period_seconds)
            stamp = start_ns + round((index * period_seconds + (standstill_seconds if index else 0)) * 1e9)
            depth_frame, rgb_frame = frame.depth_camera.frame_id, frame.rgb_camera.frame_id
            writer.write_camera_info(SOURCE_INFO, frame.depth_camera, stamp_ns=stamp)
            writer.write_image(SOURCE_TOPIC, frame.source_mm, "16UC1", stamp_ns=stamp, frame_id=depth_frame)
            writer.write_image(TRUTH_TOPIC, frame.truth_m, "32FC1", stamp_ns=stamp, frame_id=depth_frame)
            writer.write_camera_info(GUIDE_INFO, frame.rgb_camera, stamp_ns=stamp + delay_ns)
            writer.write_image(GUIDE_TOPIC, frame.rgb, "rgb8", stamp_ns=stamp + delay_ns, frame_id=rgb_frame)
            if on_progress is not None:
                on_progress(index + 1, frames)
    return Path(path)
