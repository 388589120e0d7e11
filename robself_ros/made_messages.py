"""Messages of two cameras that are not there, for measurements of what does not depend on the scene."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from robself_ros.conversions import image_message


def made_images(source_size: tuple[int, int], guide_size: tuple[int, int]) -> tuple[Image, Image]:
    """A wavy wall with 2 % of holes, 16UC1, and noise, rgb8; sizes in rows and columns."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[: source_size[0], : source_size[1]] / min(source_size)
    depth = (2000 + 500 * np.sin(9 * rows) * np.cos(7 * columns)).astype(np.uint16)
    depth[random.random(source_size) < 0.02] = 0
    guide = random.integers(0, 256, (*guide_size, 3), np.uint8)
    return image_message(depth, "16UC1", Header(frame_id="source")), image_message(
        guide, "rgb8", Header(frame_id="guide")
    )


def made_camera_info(size: tuple[int, int], frame_id: str, d: tuple[float, ...] = ()) -> CameraInfo:
    """Of a camera that sees 64 degrees across, with distortion coefficients `d`; size in rows and columns."""
    height, width = size
    f, cx, cy = 0.8 * width, (width - 1) / 2, (height - 1) / 2
    return CameraInfo(
        header=Header(frame_id=frame_id),
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=list(d),
        k=[f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0],
        r=np.eye(3).ravel().tolist(),
        p=[f, 0.0, cx, 0.0, 0.0, f, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
