"""A pair that nothing is wrong with, and what the node owes for it: sent after faults."""

from __future__ import annotations

from typing import Any

import numpy as np
from robot import GUIDE_SIZE, SOURCE_SIZE, Robot, pixels_of
from robself_ros.msg import Status

METRES = {"16UC1": 1e-3, "32FC1": 1.0}


def exchange_good(robot: Robot, encoding: str = "16UC1", /, **guide: Any) -> Status:
    """Sends a pair and checks what is published for it; its status.

    Args:
        guide: of `Robot.guide`.
    """
    source = robot.source(encoding)
    stamp = robot.exchange(source, robot.guide(**guide))
    sr = robot.result(stamp, "sr")
    assert (sr.encoding, sr.height, sr.width) == (encoding, *guide.get("size", GUIDE_SIZE))
    metres, measured = (pixels_of(image) * METRES[encoding] for image in (sr, source))
    # Pooled, it is the source again.
    (h, w), (H, W) = SOURCE_SIZE, metres.shape
    pooled = metres.reshape(h, H // h, w, W // w).mean((1, 3))
    assert np.abs(pooled - measured).mean() < 0.03
    return robot.result(stamp)
