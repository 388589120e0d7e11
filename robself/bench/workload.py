"""How large the inputs of the benchmark are, and how long each side runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """Sizes are (height, width) px of the guide; a crop is made smaller where the case is.

    Attributes:
        equal_crop, equal_iterations: of literal and product, for equal output and time (a). Few, for differences
            of rounding grow from each to the next.
        filter_size: of the features whose filter's memory is measured (a).
        crop: of the case that is to reach the literal reference's RMSE (b). paper_iterations: of the latter.
        peers_crop: of the case that is to reach MMSR's (f).
        timed: iterations after which the time of the literal reference (b) and of MMSR (f) is taken to be known, the
            rest being in proportion; None: all of them are run.
        mmsr_iterations, p2p_iterations: of the peers (f).
        moving_crop, moving_frames: of the recording, warm against cold (c).
        track_crop, track_iterations: pair and iterations beside a track pass (d).
        sides, scaled_iterations: squares of the guide, for time against pixels (e); their keyframe's iterations.
        scales: factors of super-resolution at the middle side (e).
        node_rates: pairs a second that the node is sent, for node_seconds each (g). node_iterations: of its keyframes;
            0: as many as its budgets in seconds allow. node_factor: of super-resolution.
        absolute_size: of the paper's network on a GPU; paper_iterations of it.
    """

    equal_crop: tuple[int, int]
    equal_iterations: int
    filter_size: tuple[int, int]
    crop: tuple[int, int]
    peers_crop: tuple[int, int]
    timed: int | None
    moving_crop: tuple[int, int]
    moving_frames: int
    track_crop: tuple[int, int]
    sides: tuple[int, ...]
    scales: tuple[int, ...] = (2, 4, 8)
    absolute_size: tuple[int, int] = (576, 640)
    paper_iterations: int = 1000
    mmsr_iterations: int = 1000
    p2p_iterations: int = 32768
    track_iterations: int = 6
    scaled_iterations: int = 4
    node_rates: tuple[float, ...] = (1, 5, 15, 30)
    node_seconds: float = 30
    node_iterations: int = 0
    node_factor: float = 4.0


FULL = Workload(
    equal_crop=(192, 192),
    equal_iterations=3,
    filter_size=(512, 576),
    crop=(192, 192),
    peers_crop=(192, 192),
    timed=30,
    moving_crop=(192, 256),
    moving_frames=4,
    track_crop=(288, 384),
    sides=(96, 192, 384),
)
# Everything in 20 to 30 minutes on one idle core, the more if it computes in float32 (estimated).
QUICK = Workload(
    equal_crop=(96, 96),
    equal_iterations=4,
    filter_size=(128, 144),
    crop=(64, 64),
    peers_crop=(80, 80),
    timed=12,
    moving_crop=(80, 80),
    moving_frames=1,
    track_crop=(192, 256),
    sides=(48, 96, 192),
    p2p_iterations=2048,
    node_seconds=10,
)
