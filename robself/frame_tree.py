"""Static transforms between named frames, chained: what tf2 holds of `/tf_static`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np


class Transform(NamedTuple):
    """Takes a point to another frame: rotation @ point + translation. Shapes: (3, 3), (3,) metres."""

    rotation: np.ndarray
    translation: np.ndarray

    def after(self, first: Transform) -> Transform:
        """Both, `first` first."""
        return Transform(self.rotation @ first.rotation, self.rotation @ first.translation + self.translation)

    def inverse(self) -> Transform:
        """The way back."""
        return Transform(self.rotation.T, -self.rotation.T @ self.translation)


class FrameTree:
    """Every frame's parent; one thread may add while another asks."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, Transform]] = {}

    def add(self, transforms: Iterable[Any]) -> None:
        """The `transforms` of a `tf2_msgs/TFMessage`, of rclpy or of `rosbags`.

        A frame has one parent: the latest one said. What has no direction or no names is left out, as tf2 does.
        """
        for stamped in transforms:
            parent, child = (name.lstrip("/") for name in (stamped.header.frame_id, stamped.child_frame_id))
            q, t = stamped.transform.rotation, stamped.transform.translation
            turn = _rotation(np.array([q.x, q.y, q.z, q.w]))
            if parent and child and parent != child and turn is not None:
                self._parents[child] = parent, Transform(turn, np.array([t.x, t.y, t.z]))

    def transform(self, target: str, source: str) -> Transform | None:
        """From frame `source` to frame `target`; None where nothing connects them."""
        ways = dict(self._upwards(target))
        for frame, way in self._upwards(source):
            if frame in ways:
                return ways[frame].inverse().after(way)
        return None

    def _upwards(self, frame: str) -> list[tuple[str, Transform]]:
        """A frame and its ancestors, each with the way there; not at all from a frame that nobody named."""
        frame = frame.lstrip("/")
        way = Transform(np.eye(3), np.zeros(3))
        chain, seen = [(frame, way)], {frame}
        while (above := self._parents.get(chain[-1][0])) and above[0] not in seen:
            parent, step = above
            way = step.after(way)
            chain.append((parent, way))
            seen.add(parent)
        return chain if frame else []


def _rotation(quaternion: np.ndarray) -> np.ndarray | None:
    """(x, y, z, w) -> (3, 3); None of a quaternion whose length is far from 1, which is no rotation."""
    length = float(np.linalg.norm(quaternion))
    if not abs(length - 1) < 1e-3:
        return None
    x, y, z, w = quaternion / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
