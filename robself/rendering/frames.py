"""One frame of the built-in recording as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from robself.camera_model import CameraModel
from robself.rendering.raycast import RayGrid, cast, colours
from robself.rendering.rig import DEPTH_CAMERA, FACTOR, RGB_CAMERA, TRUTH_CAMERA, depth_pose, rgb_pose
from robself.rendering.scene import build_scene
from robself.rendering.sensors import answers, measured_depth, photographed

RGB_SAMPLES = 2  # rays along each side of a colour pixel


@dataclass(frozen=True, eq=False)
class RenderedFrame:
    """What the two cameras saw, and what was there.

    Attributes:
        source_mm: (72, 96) uint16, the depth camera's reading in millimetres, 0 = no measurement.
        rgb: (336, 456, 3) uint8. truth_m: (288, 384) float32, metres, at the centres of the SR pixels.
        depth_camera, rgb_camera: as their camera_info tells. truth_camera: the depth camera at SR size.
    """

    source_mm: np.ndarray
    rgb: np.ndarray
    truth_m: np.ndarray
    depth_camera: CameraModel = DEPTH_CAMERA
    rgb_camera: CameraModel = RGB_CAMERA
    truth_camera: CameraModel = TRUTH_CAMERA


def render_frame(index: float = 0, *, seed: int = 0, rgb_delay: float = 0.0) -> RenderedFrame:
    """Renders frame `index` of the built-in recording.

    Args:
        index: position on the cameras' path, in frames.
        seed: of the plant's leaves and the sensors' noise.
        rgb_delay: how much later the colour image was taken, in frames.
    """
    scene = build_scene(seed)
    draw = np.random.default_rng([seed, round(1000 * index)])
    depth_view = cast(scene, _grid(TRUTH_CAMERA), depth_pose(index))
    source = measured_depth(depth_view.depth, answers(scene, depth_view), FACTOR, draw)
    fine = _grid(RGB_CAMERA.scaled(RGB_SAMPLES * RGB_CAMERA.width, RGB_SAMPLES * RGB_CAMERA.height))
    light = np.minimum(colours(scene, cast(scene, fine, rgb_pose(index + rgb_delay))), 1.5)
    light = light.reshape(RGB_CAMERA.height, RGB_SAMPLES, RGB_CAMERA.width, RGB_SAMPLES, 3).mean(axis=(1, 3))
    return RenderedFrame(source, photographed(light, draw), depth_view.depth)


@cache
def _grid(camera: CameraModel) -> RayGrid:
    return RayGrid(camera)
