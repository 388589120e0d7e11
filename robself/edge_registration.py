"""By how much the guide camera is turned against what is believed, seen from edges that both images have.

Every edge of the super-resolved image looks along its normal for a colour edge of the same direction. One small
rotation, and for depth one translation, explain where most of them find it: parallax falls with the distance
and a turn does not, so that the two can be told apart. The translator's displacement knows this only roughly,
for it has no reason to be right where any other place in the guide would explain the source as well
(docs/method.md); here all edges vote on five numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from robself.camera_model import CameraModel

MOST_EDGES = 3000  # px on edges, the steepest ones
STEEP = 0.02  # of the image's range, a px
REACH = 24  # px along the normal, to either side
SMOOTHING = 1.0  # px
RIM = 4  # px: the frame's own border is no edge
NEAREST = 0.01  # m: a prediction may be absurd
GUIDE_NOISE = 4.0  # grey levels a px: fainter colour edges count for less
NARROWING = (12.0, 8.0, 5.0, 3.0, 2.0, 1.5)  # px: how near an edge must be to vote, from step to step
ROUNDS = 6  # at each step
BASELINE = 0.05  # m: how far the cameras are thought to be apart where nobody says
BASELINE_KNOWN = 0.005  # m: how wrong a known one may be
WEIGHT_OF_BASELINE = 0.15  # px^2 for each edge, against the edges' own deviations
LEAST_EDGES = 100  # px
LEAST_AGREEMENT = 1.6  # times what edges find by chance; 1.9 to 5.7 on pairs, 1.1 to 1.3 on a mirrored scene
CORRELATED = 30  # px on edges that err together
LEAST_CERTAINTY = np.deg2rad(0.5)  # deviation of the turn about its least certain axis
NUDGE = 1e-4  # rad or m, of derivatives


class Turn(NamedTuple):
    """What is left between the guide and the source.

    Attributes:
        vector: (3,) rad; a direction of the source's optical frame, turned about this axis by its length, is
            where the registered guide shows what is there.
        shift: px, the median length of the displacement, from source to guide, that this makes at the edges.
    """

    vector: np.ndarray
    shift: float


def turn_between(
    image: np.ndarray,
    valid: np.ndarray,
    guide: np.ndarray,
    guide_valid: np.ndarray | None,
    camera: CameraModel,
    parallax: Parallax | None,
) -> Turn | None:
    """Estimates the turn of a registered guide.

    Args:
        image: (H, W) float32, the source super-resolved or enlarged, holes filled; metres if there is a parallax.
        valid: (H, W) bool, False in holes.
        guide: (H, W, 3) uint8, registered. guide_valid: (H, W) bool, None for everywhere.
        camera: of the image.
        parallax: how nearer things are displaced; None: not at all, or unknown.

    Returns:
        None where the images do not tell: too few edges, all of one direction, or edges that do not agree.
    """
    measure = 1 / np.maximum(image, NEAREST) if parallax else image
    places, normals = _edges(measure, valid)
    if len(places) < LEAST_EDGES:
        return None
    offsets, votes = _votes(guide, guide_valid, places, normals)
    rays = camera.rays(places)
    start, derivatives = _model(camera, rays, parallax and parallax.at(places, measure))
    start, along = _dot(normals, start - places), np.einsum("nd,ndk->nk", normals, derivatives)
    prior = np.zeros(along.shape[1])
    if parallax:
        prior[3:] = WEIGHT_OF_BASELINE * len(places) / (BASELINE_KNOWN if parallax.known else BASELINE) ** 2
    answer, certainty, agreement = _agreed(along, offsets - start[:, None], votes, prior)
    if agreement < LEAST_AGREEMENT or certainty > LEAST_CERTAINTY:
        return None
    displacement = derivatives[..., :3] @ answer[:3]
    return Turn(answer[:3], float(np.median(np.hypot(*displacement.T))))


class Parallax(NamedTuple):
    """What the cameras' distance from each other does.

    Attributes:
        translation: (3,) m, the source camera's place seen from the guide camera, by the source's axes.
        known: whether somebody has said so.
        distance: m to the plane that was registered without parallax; 0: infinitely far.
    """

    translation: np.ndarray
    known: bool
    distance: float

    def at(self, places: np.ndarray, inverse_depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For edges: 1/m of their nearer side, which is where the edge belongs; and the ray's known shift."""
        nearer = cv2.dilate(inverse_depth, np.ones((5, 5), np.uint8))[places[:, 1], places[:, 0]]
        registered = 1 / self.distance if self.distance else 0.0
        return nearer, self.translation * (nearer - registered)[:, None]


def _edges(measure: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels where the image is steepest along its gradient: (n, 2) int (x, y), and (n, 2) unit normals."""
    across, down = _gradients(measure)
    steepness = np.hypot(across, down)
    across, down = (part / np.maximum(steepness, 1e-12) for part in (across, down))
    height, width = measure.shape
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    before, after = (
        cv2.remap(steepness, x + step * across, y + step * down, cv2.INTER_LINEAR) for step in (-1, 1)
    )
    low, high = np.percentile(measure[valid], (2, 98)) if valid.any() else (0.0, 0.0)
    found = (steepness >= after) & (steepness > before) & (steepness > STEEP * (high - low)) & valid
    rows, columns = np.nonzero(found[RIM:-RIM, RIM:-RIM])
    rows, columns = rows + RIM, columns + RIM
    steepest = np.argsort(-steepness[rows, columns], kind="stable")[:MOST_EDGES]
    rows, columns = rows[steepest], columns[steepest]
    return np.stack((columns, rows), 1), np.stack((across[rows, columns], down[rows, columns]), 1)


def _gradients(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """d/dx and d/dy a px, of each channel."""
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTHING)
    return cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)


def _votes(
    guide: np.ndarray, guide_valid: np.ndarray | None, places: np.ndarray, normals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How much of a colour edge across each normal there is, at offsets along it: (m,) px, (n, m) from 0 to 1."""
    across, down = _gradients(guide)
    tensor = np.stack([(a * b).sum(2) for a, b in ((across, across), (across, down), (down, down))], 2)
    if guide_valid is not None:
        tensor[cv2.erode(guide_valid.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0) == 0] = 0
    offsets = np.arange(-REACH, REACH + 1, dtype=np.float32)
    x, y = ((places[:, axis, None] + offsets * normals[:, axis, None]).astype(np.float32) for axis in (0, 1))
    seen = cv2.remap(tensor, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    nx, ny = normals[:, :1], normals[:, 1:]
    strength = seen[..., 0] * nx * nx + 2 * seen[..., 1] * nx * ny + seen[..., 2] * ny * ny
    strength = np.sqrt(np.maximum(strength, 0))
    strength = np.maximum(strength - np.median(strength, axis=1, keepdims=True), 0)
    return offsets, strength / (strength.max(axis=1, keepdims=True) + GUIDE_NOISE)


def _model(
    camera: CameraModel, rays: np.ndarray, parallax: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Where the guide shows each ray, (n, 2) px, and how turns and translations along x and y move that."""
    nudges = [np.cross(axis, rays) for axis in NUDGE * np.eye(3)]
    if parallax:
        inverse_depth, shift = parallax
        rays = rays + shift
        nudges += [axis * inverse_depth[:, None] for axis in NUDGE * np.eye(3)[:2]]
    start = camera.pixels(rays)
    return start, np.stack([(camera.pixels(rays + nudge) - start) / NUDGE for nudge in nudges], axis=2)


def _agreed(
    along: np.ndarray, offsets: np.ndarray, votes: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """The numbers that most votes agree on: each votes for what is near, nearer from step to step.

    Args:
        along: (n, k), px along each normal a unit of each number. offsets, votes: (n, m). prior: (k,).

    Returns:
        The numbers; the deviation of the least certain turn, rad; how many times more votes than by chance.
    """
    answer = np.zeros(along.shape[1])
    for width in NARROWING:
        for _ in range(ROUNDS):
            near = votes * np.exp(-0.5 * ((offsets - (along @ answer)[:, None]) / width) ** 2)
            weight = near.sum(1)
            wanted = (near * offsets).sum(1) / np.maximum(weight, 1e-9)
            weight = weight / width
            normal = along.T * weight @ along + np.diag(prior)
            try:
                answer = np.linalg.solve(normal, along.T * weight @ wanted)
            except np.linalg.LinAlgError:
                return answer, np.inf, 0.0
    certainty = np.sqrt(CORRELATED * np.linalg.inv(normal).diagonal()[:3].max())
    chance = votes.mean() * width * np.sqrt(2 * np.pi)
    return answer, float(certainty), float(weight.mean() * width / max(chance, 1e-9))


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", one, other)
