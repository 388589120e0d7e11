"""Solids that rays meet, each described in a frame of its own.

Every shape answers two questions in its frame: how far along a ray it is met first, and which way its
surface faces at a point. A ray is `origin + t * direction`; t is inf where it is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

NEAREST = 1e-3  # metres: a surface does not meet the rays that leave it

# (n, 2) metres on the surface -> (n, 3) linear reflectance in 0..1
Texture = Callable[[np.ndarray], np.ndarray]
# Weights of red, green and blue reflectance, and what is added: near infrared, where most dyes let light through.
FADED = (0.45, 0.10, 0.05, 0.15)


def rotation(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    """(3, 3) turning by the vector (x, y, z), in degrees (axis times angle)."""
    return cv2.Rodrigues(np.deg2rad([x, y, z]))[0].astype(np.float32)


@dataclass(frozen=True, eq=False)
class Shape:
    """A solid somewhere in the world.

    Attributes:
        centre: (3,) metres. turn: (3, 3), from the shape's frame to the world's.
        texture: its colours. casts_shadow: False for the room itself.
        reflects_infrared: False for what a depth camera gets no answer from.
        infrared: see FADED; how the texture looks to a NIR camera.
    """

    centre: tuple[float, float, float]
    texture: Texture
    turn: np.ndarray = field(default_factory=rotation)
    casts_shadow: bool = True
    reflects_infrared: bool = True
    infrared: tuple[float, float, float, float] = FADED

    @property
    def extent(self) -> tuple[float, float, float]:
        """Half sizes of the cuboid about the centre that holds the shape, metres."""
        return np.inf, np.inf, np.inf

    @cached_property
    def corners(self) -> np.ndarray | None:
        """(8, 3) float32, world: the corners of that cuboid; None for an endless shape."""
        if not np.isfinite(self.extent).all():
            return None
        signs = np.stack(np.meshgrid(*[[-1, 1]] * 3), axis=-1).reshape(8, 3)
        return np.float32(self.centre) + (signs * np.float32(self.extent)) @ self.turn.T

    def meets(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """First t per ray, (n,) float32; `origin` and `direction` are (n, 3) or (1, 3) in the world."""
        to_local = self.turn.T
        return self._meets(to_local @ (origin - np.float32(self.centre)).T, to_local @ direction.T)

    def infrared_texture(self, coordinates: np.ndarray) -> np.ndarray:
        """Metres on the surface, (n, 2) -> (n, 1) linear reflectance in the near infrared, 0..1."""
        *weights, offset = np.float32(self.infrared)
        return np.clip(self.texture(coordinates) @ np.float32(weights)[:, None] + offset, 0, 1)

    def surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World points on the surface -> (n, 3) outward unit normals and (n, 2) metres along the surface."""
        normal, coordinates = self._surface((points - np.float32(self.centre)) @ self.turn)
        return normal @ self.turn.T, coordinates

    def _meets(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Plane(Shape):
    """The endless plane z = 0 of its frame, facing -z."""

    def _meets(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return _forward(-origin[2] / direction[2])

    def _surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.broadcast_to(np.float32([0, 0, -1]), points.shape), points[:, :2]


@dataclass(frozen=True, eq=False)
class Box(Shape):
    """A cuboid of half sizes `half`, metres."""

    half: tuple[float, float, float] = (0.1, 0.1, 0.1)

    @property
    def extent(self) -> tuple[float, float, float]:
        return self.half

    def _meets(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        half = np.float32(self.half)[:, None]
        low, high = (-half - origin) / direction, (half - origin) / direction
        enter, leave = np.minimum(low, high).max(axis=0), np.maximum(low, high).min(axis=0)
        return np.where(enter <= leave, _forward(enter), np.float32(np.inf))

    def _surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        face = np.abs(points / np.float32(self.half)).argmax(axis=1)
        rows = np.arange(len(points))
        normal = np.zeros_like(points)
        normal[rows, face] = np.sign(points[rows, face])
        along = np.array([[2, 1], [0, 2], [0, 1]])[face]
        return normal, np.take_along_axis(points, along, axis=1)


@dataclass(frozen=True, eq=False)
class Ellipsoid(Shape):
    """An ellipsoid of half axes `half`, metres; a flat one makes a leaf."""

    half: tuple[float, float, float] = (0.1, 0.1, 0.1)

    @property
    def extent(self) -> tuple[float, float, float]:
        return self.half

    def _meets(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        half = np.float32(self.half)[:, None]
        o, d = origin / half, direction / half
        a, b, c = (d * d).sum(axis=0), (o * d).sum(axis=0), (o * o).sum(axis=0) - 1
        return _first_root(a, b, c)

    def _surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        half = np.float32(self.half)
        normal = points / half**2
        around = np.arctan2(points[:, 2] / half[2], points[:, 0] / half[0]) * half[0]
        return normal / np.linalg.norm(normal, axis=1, keepdims=True), np.stack(
            [around, points[:, 1]], axis=1
        )


@dataclass(frozen=True, eq=False)
class Cylinder(Shape):
    """An upright cylinder or cone stump about its y axis, closed by flat ends.

    Attributes:
        height: half of it, metres. top, bottom: radii at y = -height and y = +height (y points down).
    """

    height: float = 0.1
    top: float = 0.05
    bottom: float = 0.05

    @property
    def extent(self) -> tuple[float, float, float]:
        widest = max(self.top, self.bottom)
        return widest, self.height, widest

    def _meets(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        o, d = origin, direction
        # Radius along the axis: middle + slope * y.
        slope = np.float32((self.bottom - self.top) / (2 * self.height))
        middle = np.float32((self.bottom + self.top) / 2)
        edge, growth = middle + slope * o[1], slope * d[1]
        a = d[0] ** 2 + d[2] ** 2 - growth**2
        b = o[0] * d[0] + o[2] * d[2] - edge * growth
        c = o[0] ** 2 + o[2] ** 2 - edge**2
        side = _first_root(a, b, c)
        with np.errstate(invalid="ignore"):
            side = np.where(np.abs(o[1] + side * d[1]) <= self.height, side, np.float32(np.inf))
        for level, radius in ((-self.height, self.top), (self.height, self.bottom)):
            end = _forward((np.float32(level) - o[1]) / d[1])
            with np.errstate(invalid="ignore"):
                inside = (o[0] + end * d[0]) ** 2 + (o[2] + end * d[2]) ** 2 <= radius**2
            side = np.where(inside, np.minimum(side, end), side)
        return side

    def _surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slope = (self.bottom - self.top) / (2 * self.height)
        across = np.hypot(points[:, 0], points[:, 2])
        on_end = np.abs(points[:, 1]) >= self.height - 1e-4
        side = np.stack([points[:, 0] / across, np.full(len(points), -slope), points[:, 2] / across], axis=1)
        end = np.stack([0 * across, np.sign(points[:, 1]), 0 * across], axis=1)
        normal = np.where(on_end[:, None], end, side / np.hypot(1, slope)).astype(np.float32)
        around = np.arctan2(points[:, 2], points[:, 0]) * max(self.top, self.bottom)
        return normal, np.where(on_end[:, None], points[:, ::2], np.stack([around, points[:, 1]], axis=1))


def _forward(t: np.ndarray) -> np.ndarray:
    return np.where(t > NEAREST, t, np.float32(np.inf)).astype(np.float32, copy=False)


def _first_root(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Smaller positive t with a t^2 + 2 b t + c = 0, from outside the solid."""
    discriminant = b * b - a * c
    t = (-b - np.sqrt(np.maximum(discriminant, 0))) / a
    return np.where(discriminant > 0, _forward(t), np.float32(np.inf))
