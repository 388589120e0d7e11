"""The network through `torch.compile`, or through CUDA graphs, where that works; as it is where not."""

from __future__ import annotations

import logging

import torch

from robself.config import Acceleration
from robself.network import Prediction, RobSelf

# Modes of torch.compile: the second records the compiled kernels as CUDA graphs.
MODES = {"compile": "default", "cuda_graphs": "reduce-overhead"}

logger = logging.getLogger(__name__)


def accelerate(network: RobSelf, how: Acceleration, device: torch.device) -> None:
    """Lets the network's calls run compiled. The first call of each size compiles, which takes minutes on a CPU.

    What cannot be compiled runs as it is from then on, and the log says why.
    """
    if how == "none":
        return
    if how == "cuda_graphs" and device.type != "cuda":
        logger.warning(
            "acceleration: cuda_graphs needs a CUDA device, not %s: the network runs as it is", device
        )
        return
    network.forward = _Compiled(network, MODES[how])


class _Compiled:
    """Stands in for `network.forward` until compiling fails."""

    def __init__(self, network: RobSelf, mode: str) -> None:
        self._network, self._plain = network, network.forward
        self._compiled = torch.compile(self._plain, mode=mode, dynamic=False)
        self._tried: set[tuple[object, ...]] = set()

    def __call__(self, source: torch.Tensor, *others: object) -> Prediction:
        case = source.shape, torch.is_grad_enabled(), others[1:]  # all but the guide
        try:
            torch.compiler.cudagraph_mark_step_begin()
            if case not in self._tried:
                self._try(source, *others)
                self._tried.add(case)
            prediction = self._compiled(source, *others)
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
        # A CUDA graph's results lie where the next call will write.
        if torch.is_grad_enabled():
            return prediction
        return Prediction(*(image if image is None else image.clone() for image in prediction))

    def _try(self, *inputs: object) -> None:
        """The backward pass is compiled by its first call, which is here rather than in the optimisation."""
        prediction = self._compiled(*inputs)
        if torch.is_grad_enabled():
            weights = [weight for weight in self._network.parameters() if weight.requires_grad]
            images = [image.sum() for image in (prediction.sr, prediction.translated) if image is not None]
            torch.autograd.grad(sum(images), weights, allow_unused=True)
