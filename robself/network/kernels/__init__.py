"""Triton kernels: what a GPU does in one pass over its memory, where PyTorch's own operations take several.

Each does what the plain form beside its use does; the tests compare them. Where Triton does not work, the plain forms
serve.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec

import torch

LEAST_CAPABILITY = (8, 0)  # Ampere: what has bfloat16, and what they have been compiled for

logger = logging.getLogger(__name__)


def usable(tensor: torch.Tensor) -> bool:
    """Whether the kernels serve this tensor; a compiler is to see the plain forms, which it can fuse itself."""
    return tensor.is_cuda and not torch.compiler.is_compiling() and _work_on(tensor.device)


@cache
def _work_on(device: torch.device) -> bool:
    reason = _hindrance(device)
    if reason:
        logger.warning(
            "%s: the network is computed by PyTorch's own operations, which take several times as long",
            reason,
        )
    return reason is None


def _hindrance(device: torch.device) -> str | None:
    """Why the kernels do not work on a GPU, in one line; None: they do."""
    if find_spec("triton") is None:
        return "Triton is not installed"
    capability = torch.cuda.get_device_capability(device)
    if capability < LEAST_CAPABILITY:
        return "the GPU's compute capability is {}.{}, the kernels need {}.{}".format(
            *capability, *LEAST_CAPABILITY
        )
    try:
        _try(device)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # it needs a C compiler, a driver that fits, a folder for what it has compiled
        return f"Triton does not work: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return None


def _try(device: torch.device) -> None:
    """The smallest of the kernels, compiled and run."""
    from robself.network.kernels.finishing import finished

    with torch.cuda.device(device):  # Triton launches on the current one
        image = torch.zeros(1, 1, 1, 1, device=device).contiguous(memory_format=torch.channels_last)
        finished(image, torch.ones(1, device=device)).item()
