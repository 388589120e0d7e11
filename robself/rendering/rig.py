"""The two cameras of the built-in recording and how they move through the scene."""

from __future__ import annotations

import numpy as np

from robself.camera_model import CameraModel
from robself.rendering.raycast import Pose
from robself.rendering.shapes import rotation

FACTOR = 4  # truth and super-resolved size over the depth camera's size

DEPTH_CAMERA = CameraModel(
    width=96,
    height=72,
    K=np.array([[79.4, 0.0, 47.9], [0.0, 79.6, 35.2], [0.0, 0.0, 1.0]]),
    frame_id="depth_camera_optical_frame",
)
TRUTH_CAMERA = DEPTH_CAMERA.scaled(FACTOR * DEPTH_CAMERA.width, FACTOR * DEPTH_CAMERA.height)
RGB_CAMERA = CameraModel(
    width=456,
    height=336,
    K=np.array([[352.0, 0.0, 229.6], [0.0, 351.2, 165.8], [0.0, 0.0, 1.0]]),
    D=(-0.14, 0.035, 0.0007, -0.0005, 0.0),
    frame_id="rgb_camera_optical_frame",
)

# What no camera_info tells: the colour camera sits 25 mm to the right and has been turned by 0.9 degrees.
RGB_IN_DEPTH = Pose(position=np.array([0.0245, 0.003, -0.002]), turn=rotation(x=-0.45, y=-0.25, z=0.75))


def depth_pose(index: float) -> Pose:
    """The depth camera at frame `index`, which may be broken: a slow sway, some 3 px a frame at SR size."""
    phase = 2 * np.pi * index / 40
    position = np.array([0.09 * np.sin(phase), -0.12 - 0.02 * np.sin(2 * phase), 0.05 * (1 - np.cos(phase))])
    return Pose(
        position, rotation(x=-6 + 0.6 * np.sin(phase + 0.7), y=1.6 * np.sin(phase), z=0.5 * np.sin(2 * phase))
    )


def rgb_pose(index: float) -> Pose:
    """The colour camera at frame `index`."""
    depth = depth_pose(index)
    return Pose(depth.position + depth.turn @ RGB_IN_DEPTH.position, depth.turn @ RGB_IN_DEPTH.turn)
