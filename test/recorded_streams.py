"""A small recording: two image topics, 22 images each, 20 a second; those of the second 4 ms later."""

from pathlib import Path

import numpy as np

from robself.recording import RecordingWriter

START_NS = 1_700_000_000_000_000_000
FRAMES, PERIOD_SECONDS = 22, 0.05
DEPTH, RGB = "/depth/image_raw", "/rgb/image_raw"


def record_streams(path: Path) -> Path:
    draw = np.random.default_rng(0)
    with RecordingWriter(path) as writer:
        for index in range(FRAMES):
            stamp = START_NS + round(index * PERIOD_SECONDS * 1e9)
            depth = draw.integers(0, 5000, (18, 24), np.uint16)
            writer.write_image(DEPTH, depth, "16UC1", stamp_ns=stamp, frame_id="depth")
            rgb = draw.integers(0, 255, (36, 48, 3), np.uint8)
            writer.write_image(RGB, rgb, "rgb8", stamp_ns=stamp + 4_000_000, frame_id="rgb")
    return path
