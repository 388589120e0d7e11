import numpy as np
import pytest

from robself.camera_model import CameraModel
from robself.demo import run_demo
from robself.recording import RecordingReader, RecordingWriter

START_NS = 1_700_000_000_000_000_000
TOPICS = {"source_topic": "/depth/image_raw", "guide_topic": "/rgb/image_raw", "gt_topic": "/truth/image_raw"}


def small_bag(path, frames=3, period=1.5):
    """A slanted floor with a box, 24x18 depth by 48x36 colour, with truth and cameras."""
    camera = CameraModel(width=24, height=18, K=np.array([[20, 0, 11.5], [0, 20, 8.5], [0, 0, 1.0]]))
    fine = camera.scaled(48, 36)
    with RecordingWriter(path) as writer:
        for index in range(frames):
            stamp = START_NS + round(index * period * 1e9)
            truth = np.tile(np.linspace(1, 3, 48, dtype=np.float32), (36, 1))
            truth[10:26, 12 + index : 28 + index] = 0.8
            pooled = truth.reshape(18, 2, 24, 2).mean(axis=(1, 3))
            rgb = np.repeat((80 * truth).astype(np.uint8)[..., None], 3, axis=2)
            writer.write_camera_info("/depth/camera_info", camera, stamp_ns=stamp, frame_id="depth")
            writer.write_image(
                "/depth/image_raw", np.uint16(1000 * pooled), "16UC1", stamp_ns=stamp, frame_id="depth"
            )
            writer.write_image("/truth/image_raw", truth, "32FC1", stamp_ns=stamp, frame_id="depth")
            writer.write_camera_info("/rgb/camera_info", fine, stamp_ns=stamp, frame_id="rgb")
            writer.write_image("/rgb/image_raw", rgb, "rgb8", stamp_ns=stamp, frame_id="rgb")
    return path
