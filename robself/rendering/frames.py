"""One frame of a rendered recording as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from robself.camera_model import CameraModel
from robself.rendering.raycast import Pose, RayGrid, Scene, cast, colours
from robself.rendering.rig import DESK, Rig, source_pose
from robself.rendering.scene import build_scene
from robself.rendering.sensors import answers, measured_depth, photographed

RGB_SAMPLES = 2  # rays along each side of a colour pixel


@dataclass(frozen=True, eq=False)
class RenderedFrame:
    """What the two cameras saw, and what was there.

    Attributes:
        source_mm: (h, w) uint16, the depth camera's reading in millimetres, 0 = no measurement.
        rgb: (H', W', 3) uint8. truth_m: (H, W) float32, metres, at the centres of the SR pixels.
        rig: their cameras.
    """

    source_mm: np.ndarray
    rgb: np.ndarray
    truth_m: np.ndarray
    rig: Rig = DESK

    @property
    def depth_camera(self) -> CameraModel:
        return self.rig.source

    @property
    def rgb_camera(self) -> CameraModel:
        return self.rig.guide

    @property
    def truth_camera(self) -> CameraModel:
        return self.rig.truth


def render_frame(
    index: float = 0,
    *,
    seed: int = 0,
    rgb_delay: float = 0.0,
    rig: Rig = DESK,
    scene: Scene | None = None,
) -> RenderedFrame:
    """Renders frame `index` of the built-in recording.

    Args:
        index: position on the cameras' path, in frames.
        seed: of the plant's leaves and the sensors' noise.
        rgb_delay: how much later the colour image was taken, in frames.
        rig: the cameras. scene: None: the built-in one.
    """
    scene = build_scene(seed) if scene is None else scene
    draw = np.random.default_rng([seed, round(1000 * index)])
    depth_view = cast(scene, _grid(rig.truth), source_pose(index))
    source = measured_depth(depth_view.depth, answers(scene, depth_view), rig.factor, draw)
    rgb = photograph(scene, rig.guide, rig.guide_pose(index + rgb_delay), draw)
    return RenderedFrame(source, rgb, depth_view.depth, rig)


def photograph(scene: Scene, camera: CameraModel, pose: Pose, draw: np.random.Generator) -> np.ndarray:
    """What a colour camera takes: (H, W, 3) uint8 sRGB."""
    height, width = camera.image_size
    fine = _grid(camera.scaled(RGB_SAMPLES * width, RGB_SAMPLES * height))
    light = np.minimum(colours(scene, cast(scene, fine, pose)), 1.5)
    return photographed(light.reshape(height, RGB_SAMPLES, width, RGB_SAMPLES, 3).mean(axis=(1, 3)), draw)


@cache
def _grid(camera: CameraModel) -> RayGrid:
    return RayGrid(camera)
