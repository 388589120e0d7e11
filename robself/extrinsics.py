"""Where the guide camera is beside the source camera, and who says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from robself.errors import InputError
from robself.frame_tree import FrameTree


@dataclass(frozen=True, eq=False)
class Extrinsics:
    """Takes points of the source's optical frame to the guide's: rotation @ point + translation.

    Attributes:
        rotation: (3, 3). translation: (3,), metres.
        origin: who says so, in words; None: nobody, no turn is assumed.

    Raises:
        InputError: not a rotation.
    """

    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    translation: np.ndarray = field(default_factory=lambda: np.zeros(3))
    origin: str | None = None

    def __post_init__(self) -> None:
        R = np.asarray(self.rotation, np.float64)
        if R.shape != (3, 3) or not np.allclose(R @ R.T, np.eye(3), atol=1e-4) or np.linalg.det(R) < 0:
            raise InputError(f"extrinsics: rotation {R.tolist()}, expected a 3x3 rotation")
        object.__setattr__(self, "rotation", R)
        object.__setattr__(self, "translation", np.asarray(self.translation, np.float64))

    def __eq__(self, other: object) -> bool:
        """Alike in every number and in who says so."""
        return isinstance(other, Extrinsics) and self._numbers() == other._numbers()

    def __hash__(self) -> int:
        return hash(self._numbers())

    def _numbers(self) -> tuple:
        return self.rotation.tobytes(), self.translation.tobytes(), self.origin


class KnownExtrinsics:
    """Asks the tree of static frames first, then what the user gave; failing both, assumes no turn.

    Args:
        rpy: rad; roll, pitch, yaw about fixed axes, turning the source's optical frame into the guide's.
        xyz: metres; the source camera's place in the guide's optical frame. Both zero: not given.
        frames: None where there is no such tree, or it is not to be asked.
    """

    def __init__(
        self,
        rpy: Sequence[float] = (0.0, 0.0, 0.0),
        xyz: Sequence[float] = (0.0, 0.0, 0.0),
        frames: FrameTree | None = None,
    ) -> None:
        origin = "the parameters" if any((*rpy, *xyz)) else None
        self._given = Extrinsics(rotation(*rpy), np.array(xyz), origin)
        self._frames = frames

    def __call__(self, source_frame: str, guide_frame: str) -> Extrinsics:
        """Between two optical frames, named as in the headers of the camera_info."""
        found = self._frames and self._frames.transform(guide_frame, source_frame)
        return Extrinsics(*found, "static transforms") if found else self._given

    def may_improve(self, source_frame: str, guide_frame: str) -> bool:
        """Whether static transforms that are still to come could say more."""
        return self._frames is not None and self._frames.transform(guide_frame, source_frame) is None


def rotation(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """(3, 3): roll, pitch, yaw about the fixed x, y, z axes, rad (REP 103)."""
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in (roll, pitch, yaw))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def rpy_of(turn: np.ndarray) -> tuple[float, float, float]:
    """The inverse of `rotation`, with the pitch between -90 and 90 degrees. Shape: (3, 3)."""
    roll = np.arctan2(turn[2, 1], turn[2, 2])
    pitch = np.arctan2(-turn[2, 0], np.hypot(turn[2, 1], turn[2, 2]))
    yaw = np.arctan2(turn[1, 0], turn[0, 0])
    return float(roll), float(pitch), float(yaw)
