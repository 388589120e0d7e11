"""Pairs of cameras fixed to each other, and how they move through the scene."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from robself.camera_model import CameraModel
from robself.rendering.raycast import Pose
from robself.rendering.shapes import rotation


@dataclass(frozen=True, eq=False)
class Rig:
    """A coarse source camera and a fine guide camera.

    Attributes:
        source, guide: as their camera_info tells.
        guide_in_source: where the guide camera really is; turns the guide's optical frame into the source's.
        factor: truth and super-resolved size over the source's size.
    """

    source: CameraModel
    guide: CameraModel
    guide_in_source: Pose
    factor: int = 4

    @cached_property
    def truth(self) -> CameraModel:
        """The source camera at the super-resolved size."""
        return self.source.scaled(self.factor * self.source.width, self.factor * self.source.height)

    def guide_pose(self, index: float) -> Pose:
        """The guide camera at frame `index`."""
        source = source_pose(index)
        mounted = self.guide_in_source
        return Pose(source.position + source.turn @ mounted.position, source.turn @ mounted.turn)


# What no camera_info tells: the colour camera sits 25 mm to the right and has been turned by 0.9 degrees.
DESK = Rig(
    source=CameraModel(
        width=96,
        height=72,
        K=np.array([[79.4, 0.0, 47.9], [0.0, 79.6, 35.2], [0.0, 0.0, 1.0]]),
        frame_id="depth_camera_optical_frame",
    ),
    guide=CameraModel(
        width=456,
        height=336,
        K=np.array([[352.0, 0.0, 229.6], [0.0, 351.2, 165.8], [0.0, 0.0, 1.0]]),
        D=(-0.14, 0.035, 0.0007, -0.0005, 0.0),
        frame_id="rgb_camera_optical_frame",
    ),
    guide_in_source=Pose(position=np.array([0.0245, 0.003, -0.002]), turn=rotation(x=-0.45, y=-0.25, z=0.75)),
)


def source_pose(index: float) -> Pose:
    """The source camera at frame `index`, which may be broken: a slow sway, some 3 px a frame at SR size."""
    phase = 2 * np.pi * index / 40
    position = np.array([0.09 * np.sin(phase), -0.12 - 0.02 * np.sin(2 * phase), 0.05 * (1 - np.cos(phase))])
    return Pose(
        position, rotation(x=-6 + 0.6 * np.sin(phase + 0.7), y=1.6 * np.sin(phase), z=0.5 * np.sin(2 * phase))
    )
