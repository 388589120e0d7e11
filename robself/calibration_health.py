"""How far the two cameras are from where their calibration says, from keyframe to keyframe."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from robself.camera_model import CameraModel
from robself.edge_registration import Parallax, Turn, turn_between
from robself.extrinsics import Extrinsics, rpy_of
from robself.file_writing import write_file
from robself.pair import Pair, Result
from robself.upsampling import nearest

REMEMBERED = 5  # keyframes: a rig that was knocked is told after three of them
LEAST_KEYFRAMES = 3  # before it is called misaligned
DEVIATION = 1.4826  # of the median absolute one, for normal errors


@dataclass(frozen=True, eq=False)
class Misalignment:
    """What the recent keyframes say, in the median.

    Attributes:
        pixels, pixels_spread: px of the super-resolved image, by which the guide shows things elsewhere than
            its calibration says.
        degrees: (3,) roll, pitch, yaw: by which the guide camera is turned against its calibration, about the
            x, y, z of the source's optical frame. spread: degrees, the largest of the three; from keyframe to
            keyframe, so without what all of them get wrong alike (a tenth of a degree on the rendered rig).
        keyframes: how many they are.
        extrinsics: what they were registered by.
    """

    pixels: float
    pixels_spread: float
    degrees: np.ndarray
    spread: float
    keyframes: int
    extrinsics: Extrinsics

    @property
    def angle(self) -> float:
        """Degrees, of the whole turn."""
        return float(np.linalg.norm(self.degrees))

    def exceeds(self, degrees: float) -> bool:
        """Whether the rig is surely turned by more; 0: never asked."""
        return bool(degrees) and self.keyframes >= LEAST_KEYFRAMES and self.angle - self.spread > degrees

    @property
    def corrected_rpy(self) -> tuple[float, float, float]:
        """Rad; what `extrinsics.rpy` ought to be."""
        # A direction d of the source is at extrinsics.rotation @ d' in the guide, d' being d turned.
        return rpy_of(self.extrinsics.rotation @ cv2.Rodrigues(np.deg2rad(self.degrees))[0])

    def fields(self) -> dict[str, float | int]:
        """The message's fields, see `msg/Status.msg`."""
        roll, pitch, yaw = (float(angle) for angle in self.degrees)
        return {
            "misalignment_px": self.pixels,
            "misalignment_px_spread": self.pixels_spread,
            "misalignment_roll": roll,
            "misalignment_pitch": pitch,
            "misalignment_yaw": yaw,
            "misalignment_spread": self.spread,
            "misalignment_keyframes": self.keyframes,
        }


class CalibrationHealth:
    """Remembers what the recent keyframes of a registered rig tell.

    Attributes:
        misalignment: None as long as none has told anything; may be read by another thread.
    """

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque(maxlen=REMEMBERED)
        self._rig: tuple | None = None
        self.misalignment: Misalignment | None = None

    def observe(
        self,
        result: Result,
        pair: Pair,
        source_camera: CameraModel,
        extrinsics: Extrinsics,
        distance: float,
    ) -> None:
        """Look at a keyframe's result.

        Args:
            pair: with the guide as it was registered. source_camera: of the source.
            extrinsics, distance: what the guide was registered by.
        """
        rig = source_camera, extrinsics, distance
        if rig != self._rig:
            self._turns.clear()
            self._rig, self.misalignment = rig, None
        size = result.sr.shape
        parallax = None
        if result.info["modality"] == "depth":
            translation = extrinsics.rotation.T @ extrinsics.translation
            parallax = Parallax(translation, bool(translation.any()), distance)
        turn = turn_between(
            np.where(result.valid, result.sr, nearest(pair.filled, size)),
            result.valid,
            pair.guide,
            pair.guide_valid,
            source_camera.delivered().scaled(size[1], size[0]),
            parallax,
        )
        if turn:
            self._turns.append(turn)
            self.misalignment = _summary(list(self._turns), extrinsics)


def save_extrinsics(path: str | Path, misalignment: Misalignment) -> None:
    """Writes the corrected rotation as a parameter file, to be given beside the sensor's own, after it.

    Raises:
        OutputError: a place that cannot be written to.
    """
    rpy, xyz = (
        ", ".join(f"{number:.6f}" for number in numbers)
        for numbers in (misalignment.corrected_rpy, misalignment.extrinsics.translation)
    )
    text = (
        f"# The rig was off by {misalignment.angle:.2f} degrees, +- {misalignment.spread:.2f},"
        f" over {misalignment.keyframes} keyframes.\n"
        "/**:\n  ros__parameters:\n    extrinsics:\n"
        "      use_tf: false  # it says what was wrong\n"
        f"      rpy: [{rpy}]  # rad\n"
        f"      xyz: [{xyz}]  # m, as it was\n"
    )
    write_file(path, text.encode())


def _summary(turns: list[Turn], extrinsics: Extrinsics) -> Misalignment:
    degrees, spread = _middle(np.rad2deg([turn.vector for turn in turns]))
    pixels, pixels_spread = _middle(np.array([turn.shift for turn in turns]))
    return Misalignment(
        float(pixels), float(pixels_spread), degrees, float(spread.max()), len(turns), extrinsics
    )


def _middle(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median over the first axis, and its robust deviation."""
    middle = np.median(values, axis=0)
    return middle, DEVIATION * np.median(np.abs(values - middle), axis=0)
