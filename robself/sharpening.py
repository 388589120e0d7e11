"""What the guide does not say of an edge, said by a prior: depth has few edges, and they are steep.

A hyper-Laplacian on the differences between neighbours (Krishnan and Fergus, "Fast image deconvolution using
hyper-Laplacian priors", 2009) prefers one steep step to many small ones, and a straight contour to a staircase
in step with the source's grid. The source's means decide where the step is.
"""

from __future__ import annotations

import math

import torch

from robself.network import kernels
from robself.preparation import Observation

# Neighbours (rows, columns) with weights that make the length of a contour nearly independent of its direction.
NEIGHBOURS = {(0, 1): 0.26, (1, 0): 0.26, (1, 1): 0.19, (1, -1): 0.19} | dict.fromkeys(
    ((1, 2), (2, 1), (1, -2), (2, -1)), 0.1
)
TURNS = 4  # a step looks along every fourth direction: four steps see all, and the result hardly differs
STRENGTH = 0.4  # of the prior, against FIDELITY to the source and ANCHORING to the image that came in
FIDELITY = 120.0
ANCHORING = 0.05
STEEP = 0.1  # deviations: smaller differences are noise, not edges, and penalised as their square
ANCHOR_STEEP = 0.01
RATE = 0.05  # deviations a step, falling to zero
MOMENTUM, SCALE_MOMENTUM = 0.5, 0.5  # of Adam: longer memories need three times the steps (docs/method.md)


def sharpened(image: torch.Tensor, observation: Observation, steps: int) -> torch.Tensor:
    """Minimises

        FIDELITY k^2 sum_q valid(q) (f_down(x) - source)(q)^2
        + STRENGTH sum_p sum_n w_n (|x(p) - x(p + n)|^2 + STEEP^2)^(1/4) + ANCHORING sum_p |x - image|(p)

    over x by Adam, k^2 being the pixels of the image in one of the source. Each step has TURNS times the prior of
    some of the directions n. The gradient is written out and its memory is reused: it runs between the stages of a
    keyframe and for every tracked pair.

    Shape: (1, 1, H, W) normalised -> the same.
    """
    if not steps:
        return image
    if kernels.usable(image):
        from robself.network.kernels.prior import sharpened_by_kernels

        return sharpened_by_kernels(image, observation, steps)
    pool, valid = observation.pool, observation.valid
    height, width = image.shape[-2:]
    area = image.numel() / observation.source.numel()
    fidelity = 2 * FIDELITY * area * valid
    spare = torch.empty((3, *image.shape), dtype=image.dtype, device=image.device)
    terms = [
        [
            _Term(spare, rows, columns, weight)
            for rows, columns, weight in turn
            if rows < height and abs(columns) < width
        ]
        for turn in turns()
    ]
    x, momentum, scale = image.clone(), torch.zeros_like(image), torch.zeros_like(image)
    gradient, slope = torch.empty_like(image), spare[0]
    for step in range(steps):
        torch.sub(x, image, out=gradient)
        torch.mul(gradient, gradient, out=slope)
        gradient.mul_(slope.add_(ANCHOR_STEEP**2).rsqrt_()).mul_(ANCHORING)
        gradient.add_(pool.adjoint(fidelity * (pool(x) - observation.source)))
        for term in terms[step % TURNS]:
            term.add_gradient(x, gradient)
        momentum.lerp_(gradient, 1 - MOMENTUM)
        scale.lerp_(gradient.square_(), 1 - SCALE_MOMENTUM)
        x.addcmul_(momentum, torch.add(scale, 1e-16, out=slope).rsqrt_(), value=-rate(step, steps))
    return x


def turns() -> list[tuple[tuple[int, int, float], ...]]:
    """What each of TURNS steps in a row looks at: rows, columns and strength of its terms."""
    terms = [(*offset, TURNS * STRENGTH * weight) for offset, weight in NEIGHBOURS.items()]
    return [tuple(terms[turn::TURNS]) for turn in range(TURNS)]


def rate(step: int, steps: int) -> float:
    """Adam's learning rate, its correction of young moments included."""
    unbiased = math.sqrt(1 - SCALE_MOMENTUM ** (step + 1)) / (1 - MOMENTUM ** (step + 1))
    return RATE * (1 - step / steps) * unbiased


class _Term:
    """The prior's share of one neighbour. All work in the same memory, three images, which a CPU's cache then holds."""

    def __init__(self, spare: torch.Tensor, rows: int, columns: int, weight: float) -> None:
        height, width = spare.shape[-2:]
        right, left = max(columns, 0), max(-columns, 0)
        self.there = (..., slice(rows, None), slice(right, width - left))
        self.here = (..., slice(0, height - rows), slice(left, width - right))
        self.weight = weight / 2  # the derivative of (d^2 + e^2)^(1/4) is d / 2 (d^2 + e^2)^(-3/4)
        self.difference, self.slope, self.root = spare[self.here]

    def add_gradient(self, x: torch.Tensor, gradient: torch.Tensor) -> None:
        difference, slope, root = self.difference, self.slope, self.root
        torch.sub(x[self.there], x[self.here], out=difference)
        torch.mul(difference, difference, out=slope)
        torch.rsqrt(slope.add_(STEEP**2).rsqrt_(), out=root)  # two thirds of the time of `sqrt`
        difference.mul_(slope).div_(root)
        gradient[self.there].add_(difference, alpha=self.weight)
        gradient[self.here].sub_(difference, alpha=self.weight)
