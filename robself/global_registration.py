"""Guides turned as a whole before anything is optimised, until the edges that they share with the source agree.

The translator looks for each pixel's place by itself, and between modalities it finds few: on NIR it leaves most of a
misalignment of several pixels as it is (docs/method.md). One rotation for all pixels is found far more surely.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from robself.camera_model import CameraModel
from robself.edge_registration import Parallax, turn_between
from robself.extrinsics import Extrinsics
from robself.geometry import GuideRegistration
from robself.pair import Pair
from robself.upsampling import bicubic_of_filled, enlarge_mask

ROUNDS = 3  # each looks again from where the last one has come to
LEAST_TURN = np.deg2rad(0.01)
# Of cameras that nobody has told of: 53 degrees. A turn then is a shift and a rotation in the image.
ASSUMED_FOCAL_LENGTH = 1.0  # widths


class GlobalRegistration:
    """A turn found on one pair, good for those that the same rig takes after it.

    Attributes:
        turn: (3,) rad, about this axis of the source's optical frame by its length; zero as long as none is known.
    """

    def __init__(self) -> None:
        self.turn = np.zeros(3)
        self._registration: GuideRegistration | None = None

    def find(self, pair: Pair, camera: CameraModel | None, metric: bool) -> None:
        """Looks at a pair; where it does not tell, guides are left as they are.

        Args:
            camera: of the source; None: unknown. metric: whether the source is in metres.
        """
        height, width = pair.size
        camera = camera.delivered().scaled(width, height) if camera else _assumed(width, height)
        parallax = Parallax(np.zeros(3), False, 0.0) if metric else None
        image, valid = bicubic_of_filled(pair.filled, pair.size), enlarge_mask(pair.valid, pair.size)
        rotation = np.eye(3)
        self.turn, self._registration, seen = np.zeros(3), None, pair
        for _ in range(ROUNDS):
            found = turn_between(image, valid, seen.guide, seen.guide_valid, camera, parallax)
            if found is None or np.linalg.norm(found.vector) < LEAST_TURN:
                break
            rotation = rotation @ cv2.Rodrigues(found.vector)[0]
            self.turn = cv2.Rodrigues(rotation)[0].ravel()
            self._registration = GuideRegistration(camera, camera, Extrinsics(rotation), pair.size)
            seen = self(pair)

    def __call__(self, pair: Pair) -> Pair:
        """The pair with its guide turned; the same pair while no turn is known."""
        if self._registration is None:
            return pair
        guide, valid = self._registration.apply(pair.guide)
        if pair.guide_valid is not None:
            mask = np.where(pair.guide_valid, np.uint8(255), np.uint8(0))
            valid = valid & (self._registration.apply(mask)[0][..., 0] == 255)
            guide[~valid] = 0
        return replace(pair, guide=guide, guide_valid=valid)


def _assumed(width: int, height: int) -> CameraModel:
    f = ASSUMED_FOCAL_LENGTH * width
    return CameraModel(
        width, height, np.array([[f, 0, (width - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1]])
    )
