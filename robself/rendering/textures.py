"""Procedural textures: (n, 2) metres on a surface -> (n, 3) linear reflectance in 0..1."""

from __future__ import annotations

from functools import cache

import numpy as np

from robself.rendering.shapes import Texture

Colour = tuple[float, float, float]


@cache
def _lattice() -> np.ndarray:
    return np.random.default_rng(7).random((128, 128), np.float32)


def noise(points: np.ndarray, period: float, octaves: int = 3) -> np.ndarray:
    """Smooth value noise in 0..1, (n,), its coarsest waves `period` metres long."""
    total, weight = np.zeros(len(points), np.float32), 0.0
    for octave in range(octaves):
        scaled = points * np.float32(2**octave / period) + np.float32(17.3 * octave)
        cell = np.floor(scaled).astype(np.int32)
        u, v = (scaled - cell).T
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        x0, y0 = (cell & 127).T
        x1, y0, y1 = (x0 + 1) & 127, y0 * 128, ((y0 + 1) & 127) * 128
        top = _lattice().take(y0 + x0) * (1 - u) + _lattice().take(y0 + x1) * u
        bottom = _lattice().take(y1 + x0) * (1 - u) + _lattice().take(y1 + x1) * u
        total += (top * (1 - v) + bottom * v) * np.float32(0.5**octave)
        weight += 0.5**octave
    return total / np.float32(weight)


def _mixed(share: np.ndarray, first: Colour | np.ndarray, second: Colour | np.ndarray) -> np.ndarray:
    share = share.astype(np.float32)[:, None]
    return np.float32(first) * (1 - share) + np.float32(second) * share


def mottled(first: Colour, second: Colour, period: float = 0.1) -> Texture:
    """Two colours that blend into each other."""
    return lambda p: _mixed(np.clip(2 * noise(p, period) - 0.5, 0, 1), first, second)


def planks(first: Colour, second: Colour, width: float = 0.11, length: float = 0.9) -> Texture:
    """Boards along the second axis, each of its own shade, with grain and dark joints."""

    def texture(p: np.ndarray) -> np.ndarray:
        board = np.floor(p[:, 0] / width)
        along = p[:, 1] / length + 0.37 * board
        shade = np.modf(np.sin(board * 12.9898 + np.floor(along) * 78.233) * 43758.547)[0] * 0.5 + 0.5
        grain = noise(p * np.float32([1, 0.08]) + board[:, None].astype(np.float32), 0.02)
        colour = _mixed(0.55 * shade + 0.45 * grain, first, second)
        u, v = p[:, 0] / width - board, along - np.floor(along)
        joint = (np.minimum(u, 1 - u) * width < 0.003) | (np.minimum(v, 1 - v) * length < 0.003)
        return np.where(joint[:, None], colour * np.float32(0.35), colour)

    return texture


def bricks(brick: Colour, mortar: Colour, width: float = 0.22, height: float = 0.075) -> Texture:
    """A brick wall in running bond."""

    def texture(p: np.ndarray) -> np.ndarray:
        row = np.floor(p[:, 1] / height)
        along = p[:, 0] / width + 0.5 * (row % 2)
        u, v = (along - np.floor(along)) * width, p[:, 1] - row * height
        joint = (np.minimum(u, width - u) < 0.006) | (np.minimum(v, height - v) < 0.006)
        shade = np.modf(np.sin(np.floor(along) * 12.99 + row * 78.23) * 43758.5)[0] * 0.2 + 0.9
        colour = np.float32(brick) * (shade * (0.75 + 0.5 * noise(p, 0.05)))[:, None]
        return np.where(joint[:, None], np.float32(mortar), colour).astype(np.float32)

    return texture


def stripes(
    first: Colour, second: Colour, period: float = 0.04, share: float = 0.5, axis: int = 0
) -> Texture:
    """Even stripes across one axis."""
    return lambda p: _mixed((p[:, axis] / period) % 1 < share, first, second)


def checks(first: Colour, second: Colour, size: float = 0.06) -> Texture:
    """A chequered cloth with a little wear."""

    def texture(p: np.ndarray) -> np.ndarray:
        odd = np.floor(p / size).astype(np.int32).sum(axis=1) & 1
        return _mixed(odd, first, second) * (0.85 + 0.3 * noise(p, 0.05))[:, None]

    return texture


def parcel(card: Colour, tape: Colour, label: Colour) -> Texture:
    """Cardboard with a strip of tape and a printed label: edges in colour where depth has none."""

    def texture(p: np.ndarray) -> np.ndarray:
        colour = np.float32(card) * (0.85 + 0.3 * noise(p * np.float32([1, 6]), 0.08))[:, None]
        colour = np.where((np.abs(p[:, 0]) < 0.022)[:, None], np.float32(tape), colour)
        u, v = p[:, 0] - 0.05, p[:, 1] + 0.01
        on_label = (np.abs(u) < 0.035) & (np.abs(v) < 0.03)
        printed = on_label & (np.abs(u) < 0.028) & (((v / 0.012) % 1) < 0.4)
        colour = np.where(on_label[:, None], np.float32(label), colour)
        return np.where(printed[:, None], np.float32([0.03, 0.03, 0.04]), colour).astype(np.float32)

    return texture


def poster(width: float, height: float, wall: Texture) -> Texture:
    """A wall with a poster of discs and bars glued flat onto it, centred on the wall's origin."""

    def texture(p: np.ndarray) -> np.ndarray:
        colour = wall(p)
        u, v = p[:, 0] / (width / 2), p[:, 1] / (height / 2)
        on_paper = (np.abs(u) < 1) & (np.abs(v) < 1)
        paper = np.where((v > 0.45)[:, None], np.float32([0.05, 0.10, 0.22]), np.float32([0.80, 0.66, 0.38]))
        sun = np.hypot(u * width / height - 0.35, v + 0.25)
        paper = np.where((sun < 0.45)[:, None], np.float32([0.72, 0.12, 0.06]), paper)
        hills = v > 0.25 + 0.18 * np.sin(3.1 * u + 0.6) + 0.06 * np.sin(11 * u)
        paper = np.where(hills[:, None], np.float32([0.06, 0.20, 0.16]), paper)
        waves = (v > 0.6) & (np.sin(40 * v + 2 * np.sin(5 * u)) > 0.3)
        paper = np.where(waves[:, None], np.float32([0.35, 0.48, 0.55]), paper)
        rim = (np.abs(u) > 1 - 0.05) | (np.abs(v) > 1 - 0.05 * width / height)
        paper = np.where(rim[:, None], np.float32([0.03, 0.03, 0.03]), paper)
        return np.where(on_paper[:, None], paper, colour).astype(np.float32)

    return texture
