"""Triton kernels: what a GPU does in one pass over its memory, where PyTorch's own operations take several.

Each does what the plain form beside its use does; the tests compare them. Where Triton is not installed, the plain
forms serve.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec

import torch

logger = logging.getLogger(__name__)


def usable(tensor: torch.Tensor) -> bool:
    """Whether the kernels serve this tensor; a compiler is to see the plain forms, which it can fuse itself."""
    return tensor.is_cuda and not torch.compiler.is_compiling() and _installed()


@cache
def _installed() -> bool:
    there = find_spec("triton") is not None
    if not there:
        logger.warning(
            "Triton is not installed: the GPU computes the network by PyTorch's operations, twice as slowly"
        )
    return there
