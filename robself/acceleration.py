"""How the network's work gets to the device: as it is, through `torch.compile`, or as recorded CUDA graphs."""

from __future__ import annotations

import logging

import torch

from robself.config import Acceleration
from robself.network import Prediction, RobSelf

logger = logging.getLogger(__name__)


def chosen(how: Acceleration, device: torch.device) -> Acceleration:
    """What serves on this device: "auto" is CUDA graphs (`robself.cuda_graphs`) on a GPU and nothing on a CPU."""
    if how == "auto":
        return "cuda_graphs" if device.type == "cuda" else "none"
    if how == "cuda_graphs" and device.type != "cuda":
        logger.warning(
            "acceleration: cuda_graphs needs a CUDA device, not %s: the network runs as it is", device
        )
        return "none"
    return how


def compile_network(network: RobSelf) -> None:
    """Lets the network's calls run compiled. The first call of each size compiles, which takes minutes on a CPU.

    What cannot be compiled runs as it is from then on, and the log says why.
    """
    network.forward = _Compiled(network)


class _Compiled:
    """Stands in for `network.forward` until compiling fails."""

    def __init__(self, network: RobSelf) -> None:
        self._network, self._plain = network, network.forward
        self._compiled = torch.compile(self._plain, dynamic=False)
        self._tried: set[tuple[object, ...]] = set()

    def __call__(self, source: torch.Tensor, *others: object) -> Prediction:
        case = source.shape, torch.is_grad_enabled(), others[1:]  # all but the guide
        try:
            if case not in self._tried:
                self._try(source, *others)
                self._tried.add(case)
            return self._compiled(source, *others)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # of any of the compiler's layers, each of which has errors of its own
            cause = getattr(error, "inner_exception", error)
            logger.warning(
                "acceleration: the network runs as it is, for it was not compiled: %s: %s",
                type(cause).__name__,
                str(cause).strip().partition("\n")[0],
            )
            del self._network.forward
            return self._plain(source, *others)

    def _try(self, *inputs: object) -> None:
        """The backward pass is compiled by its first call, which is here rather than in the optimisation."""
        prediction = self._compiled(*inputs)
        if torch.is_grad_enabled():
            weights = [weight for weight in self._network.parameters() if weight.requires_grad]
            images = [image.sum() for image in (prediction.sr, prediction.translated) if image is not None]
            torch.autograd.grad(sum(images), weights, allow_unused=True)
