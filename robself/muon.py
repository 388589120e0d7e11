"""Muon for the filters of convolutions, Adam for everything else.

K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024): the momentum of a weight
matrix is replaced by the nearest orthogonal matrix before it is applied, so that every direction in which the
loss asks for a change is followed alike. On RobSelf it is far ahead of Adam after equal
iterations (docs/method.md).
"""

from __future__ import annotations

from itertools import groupby

import torch
from torch import nn

# Newton-Schulz coefficients of the reference: fast rather than exact, singular values end in 0.7 to 1.2.
A, B, C = 3.4445, -4.7750, 2.0315
STEPS = 5
MOMENTUM = 0.95


def orthogonalised(matrices: torch.Tensor) -> torch.Tensor:
    """The orthogonal matrices U V^T nearly, of the singular value decompositions U S V^T.

    An iteration of Newton and Schulz is X <- (A I + B G + C G G) X with G = X X^T. These factors are polynomials
    of the first G, so they commute: their product is built from matrices as small as G, a third of the work,
    and meets X once.

    Shape: (n, rows, columns) -> the same; rows <= columns is the cheap way round.
    """
    X = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    if tall := X.shape[1] > X.shape[2]:
        X = X.mT
    gram, product = X @ X.mT, None
    for _ in range(STEPS):
        factor = torch.baddbmm(gram, gram, gram, beta=B, alpha=C)
        factor.diagonal(dim1=1, dim2=2).add_(A)
        product = factor if product is None else factor @ product
        gram = factor @ gram @ factor
    X = product @ X
    return X.mT if tall else X


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; every weight (rows, ...) is taken as a matrix of `rows` rows."""

    def __init__(self, weights: list[nn.Parameter], learning_rate: float = 0.02) -> None:
        super().__init__(weights, {"lr": learning_rate})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update of every weight that has a gradient."""
        for group in self.param_groups:
            given = [weight for weight in group["params"] if weight.grad is not None]
            for _, alike in groupby(sorted(given, key=_shape), key=_shape):
                self._update(list(alike), group["lr"])

    def _update(self, weights: list[nn.Parameter], learning_rate: float | torch.Tensor) -> None:
        """Weights of one shape together: one batched product instead of many small ones."""
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        gradients = [weight.grad for weight in weights]
        momenta = [self.state[weight]["momentum"] for weight in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)
        shape = weights[0].shape
        updates = orthogonalised(torch.stack([update.flatten(1) for update in ahead]))
        rows, columns = updates.shape[1:]
        # A tall matrix moves each of its many outputs as far as a wide one does.
        updates = updates * (learning_rate * -(max(1.0, rows / columns) ** 0.5))
        torch._foreach_add_(weights, [update.reshape(shape) for update in updates])


def _shape(weight: nn.Parameter) -> tuple[int, ...]:
    return tuple(weight.shape)
