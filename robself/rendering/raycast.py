"""What a camera at some pose sees of the scene: distance, direction of the surface, colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from robself.camera_model import CameraModel
from robself.rendering.shapes import Shape, Texture

TO_LIGHT = np.float32([-0.42, -0.78, -0.46]) / np.float32(np.linalg.norm([0.42, 0.78, 0.46]))
LIGHT, SKY, GROUND = (
    np.float32([1.0, 0.95, 0.86]),
    np.float32([0.36, 0.39, 0.44]),
    np.float32([0.20, 0.17, 0.14]),
)

Scene = Sequence[Shape]  # closed: every ray meets something


@dataclass(frozen=True)
class Pose:
    """Where a camera is: `turn` (3, 3) takes its optical frame (z forward, y down) to the world's."""

    position: np.ndarray
    turn: np.ndarray


class RayGrid:
    """One ray per pixel centre of a camera, lens distortion included; made once, cast often."""

    def __init__(self, camera: CameraModel) -> None:
        height, width = camera.image_size
        rows, columns = np.mgrid[:height, :width]
        pixels = np.stack([columns, rows], axis=-1).reshape(-1, 2)
        self.rays = camera.rays(pixels).astype(np.float32).reshape(height, width, 3)
        x, y = self.rays[..., 0], self.rays[..., 1]
        self._columns, self._rows = (x.min(axis=0), x.max(axis=0)), (y.min(axis=1), y.max(axis=1))

    def window(self, corners: np.ndarray | None) -> tuple[slice, slice]:
        """Rows and columns where a thing within these corners, (8, 3) in the camera's frame, can appear."""
        if corners is None or corners[:, 2].min() < 0.05:
            return slice(None), slice(None)
        spans = []
        for axis, (low, high) in ((1, self._rows), (0, self._columns)):
            slope = corners[:, axis] / corners[:, 2]
            seen = np.flatnonzero((high >= slope.min()) & (low <= slope.max()))
            spans.append(slice(seen[0], seen[-1] + 1) if seen.size else slice(0, 0))
        return spans[0], spans[1]


@dataclass(frozen=True)
class View:
    """What the rays met.

    Attributes:
        depth: (H, W) float32, metres along the optical axis.
        points: (n, 3), world, n = H * W in row order. normals: (n, 3), unit, towards the camera.
        cosine: (n,), of the angle between ray and normal.
        coordinates: (n, 2), metres on the surface.
        pixels: for each shape met its number and the places of its pixels in those n.
    """

    depth: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    cosine: np.ndarray
    coordinates: np.ndarray
    pixels: Sequence[tuple[int, np.ndarray]]


def cast(scene: Scene, grid: RayGrid, pose: Pose) -> View:
    """Meets the first surface along every ray of the grid; the scene has to be closed."""
    turn, position = pose.turn.astype(np.float32), pose.position.astype(np.float32)
    directions = grid.rays @ turn.T
    depth = np.full(grid.rays.shape[:2], np.inf, np.float32)
    index = np.zeros(depth.shape, np.int16)
    for number, shape in enumerate(scene):
        window = grid.window(None if shape.corners is None else (shape.corners - position) @ turn)
        nearest = depth[window]
        if nearest.size == 0:
            continue
        # The rays have z = 1 in the camera's frame, so t is the depth along the optical axis.
        with np.errstate(divide="ignore", invalid="ignore"):
            t = shape.meets(position[None], directions[window].reshape(-1, 3)).reshape(nearest.shape)
        index[window][t < nearest] = number
        np.minimum(nearest, t, out=nearest)
    directions = directions.reshape(-1, 3)
    points = position + depth.reshape(-1, 1) * directions
    pixels = _by_shape(index.ravel())
    normals, coordinates = np.empty_like(points), np.empty((len(points), 2), np.float32)
    for number, places in pixels:
        normals[places], coordinates[places] = scene[number].surface(points[places])
    against = np.einsum("nc,nc->n", normals, directions)
    normals[against > 0] *= -1
    cosine = np.abs(against) / np.sqrt(np.einsum("nc,nc->n", directions, directions))
    return View(depth, points, normals, cosine, coordinates, pixels)


def _by_shape(index: np.ndarray) -> list[tuple[int, np.ndarray]]:
    order = np.argsort(index, kind="stable")
    numbers, starts = np.unique(index[order], return_index=True)
    return list(zip(numbers.tolist(), np.split(order, starts[1:]), strict=True))


def colours(scene: Scene, view: View) -> np.ndarray:
    """(H, W, 3) float32 linear light: Lambert's law, one lamp with shadows, light from above and below."""
    return _lit(scene, view, lambda shape: shape.texture)


def infrared(scene: Scene, view: View) -> np.ndarray:
    """(H, W) float32 linear light in the near infrared, of the same lamp."""
    return _lit(scene, view, lambda shape: shape.infrared_texture).mean(axis=2)


def _lit(scene: Scene, view: View, texture: Callable[[Shape], Texture]) -> np.ndarray:
    reflectance = np.empty_like(view.points)
    for number, places in view.pixels:
        reflectance[places] = texture(scene[number])(view.coordinates[places])
    lamp = np.maximum(view.normals @ TO_LIGHT, 0)
    lamp[_shadowed(scene, view, np.flatnonzero(lamp > 0))] = 0
    upward = (0.5 - 0.5 * view.normals[:, 1:2]).astype(np.float32)
    light = lamp[:, None] * LIGHT + upward * (SKY - GROUND) + GROUND
    return (reflectance * light).reshape(*view.depth.shape, 3)


def _shadowed(scene: Scene, view: View, lit: np.ndarray) -> np.ndarray:
    """Which of the points turned to the lamp lie in a shadow, as places."""
    # Seen from the lamp, a shape darkens only what lies within its outline: two coordinates decide, and
    # points in the order of the first are cut down to a slice before the second is looked at.
    across = np.linalg.svd(TO_LIGHT[None])[2][1:].astype(np.float32)
    points = view.points[lit] + np.float32(2e-3) * view.normals[lit]
    order = np.argsort(points @ across[0])
    lit, points = lit[order], points[order]
    u, v = across @ points.T
    dark = np.zeros(len(points), bool)
    for shape in scene:
        if not shape.casts_shadow:
            continue
        cu, cv = across @ shape.corners.T
        first, last = np.searchsorted(u, np.float32([cu.min(), cu.max()]))
        chosen = first + np.flatnonzero((v[first:last] > cv.min()) & (v[first:last] < cv.max()))
        if chosen.size:
            with np.errstate(divide="ignore", invalid="ignore"):
                dark[chosen] |= np.isfinite(shape.meets(points[chosen], TO_LIGHT[None]))
    return lit[dark]
