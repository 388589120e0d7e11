"""One frame of a rendered recording as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from robself.camera_model import CameraModel
from robself.depth_encoding import from_intensity
from robself.rendering.raycast import Pose, RayGrid, Scene, cast, colours, infrared
from robself.rendering.rig import DESK, Rig, source_pose
from robself.rendering.scene import build_scene, rolling_ball
from robself.rendering.sensors import (
    answers,
    infrared_counts,
    measured_depth,
    measured_infrared,
    photographed,
)

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


@dataclass(frozen=True, eq=False)
class RenderedNirFrame:
    """What a NIR camera in the place of the depth camera saw, and the colour camera; one ball rolls.

    Attributes:
        source: (h, w) uint8 or uint16, as `encoding` says. rgb: (H', W', 3) uint8.
        truth: (H, W) of the encoding's type, counts at the centres of the SR pixels. rig: their cameras.
    """

    source: np.ndarray
    rgb: np.ndarray
    truth: np.ndarray
    encoding: str
    rig: Rig = DESK


def render_nir_frame(
    index: float = 0, encoding: str = "mono8", *, seed: int = 0, rgb_delay: float = 0.0, rig: Rig = DESK
) -> RenderedNirFrame:
    """Renders frame `index` of the built-in NIR recording; the arguments are `render_frame`'s.

    Args:
        encoding: mono8 or mono16.
    """
    scene = (*build_scene(seed), rolling_ball(index))
    draw = np.random.default_rng([seed, round(1000 * index), 1])
    view = cast(scene, _grid(rig.truth), source_pose(index))
    truth = infrared_counts(infrared(scene, view), encoding)
    source = measured_infrared(truth, rig.factor, draw, encoding)
    later = index + rgb_delay
    rgb = photograph((*build_scene(seed), rolling_ball(later)), rig.guide, rig.guide_pose(later), draw)
    return RenderedNirFrame(source, rgb, from_intensity(truth, encoding), encoding, rig)


def photograph(scene: Scene, camera: CameraModel, pose: Pose, draw: np.random.Generator) -> np.ndarray:
    """What a colour camera takes: (H, W, 3) uint8 sRGB."""
    height, width = camera.image_size
    fine = _grid(camera.scaled(RGB_SAMPLES * width, RGB_SAMPLES * height))
    light = np.minimum(colours(scene, cast(scene, fine, pose)), 1.5)
    return photographed(light.reshape(height, RGB_SAMPLES, width, RGB_SAMPLES, 3).mean(axis=(1, 3)), draw)


@cache
def _grid(camera: CameraModel) -> RayGrid:
    return RayGrid(camera)
