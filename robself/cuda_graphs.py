"""Work of fixed shapes, recorded once as a CUDA graph and replayed: a GPU then waits for no launch.

An iteration is some hundred short kernels, and a CPU hands a GPU one in 5 to 40 microseconds: without graphs, most of
a keyframe's time is spent handing over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch

Tensors = tuple[torch.Tensor | None, ...]
Work = Callable[..., Tensors]
Run = Callable[..., Tensors]  # takes what `Graphs` does

logger = logging.getLogger(__name__)


def directly(
    key: Hashable, work: Work, inputs: Sequence[torch.Tensor] = (), lasting: bool = True, again: bool = True
) -> Tensors:
    """Runs work as it is: what `Graphs` does where there are none."""
    return work(*inputs)


@dataclass
class _Recorded:
    graph: torch.cuda.CUDAGraph
    inputs: Sequence[torch.Tensor]  # where the graph reads
    outputs: Tensors  # where it writes
    given: Sequence[torch.Tensor]  # what its inputs were copied from last
    work: Work  # holds what else the graph reads

    def replay(self, inputs: Sequence[torch.Tensor]) -> Tensors:
        for ours, theirs, last in zip(self.inputs, inputs, self.given, strict=True):
            if theirs is not last:
                ours.copy_(theirs)
        self.given = inputs
        self.graph.replay()
        return self.outputs


class Graphs:
    """Runs work as it is and records it the first time, so that all that it keeps is made before; then replays it.

    What is recorded must do the same to the same memory each time, may make nothing from numbers and must not wait
    for the GPU. What cannot be recorded runs as it is from then on, and the log says why.

    Attributes:
        bytes: of the GPU's memory that recordings hold, which its allocator does not count as in use.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._pool = torch.cuda.graph_pool_handle()
        self._recorded: dict[Hashable, _Recorded] = {}
        self._usable = True

    def __call__(
        self,
        key: Hashable,
        work: Work,
        inputs: Sequence[torch.Tensor] = (),
        lasting: bool = True,
        again: bool = True,
    ) -> Tensors:
        """What `work(*inputs)` returns.

        Args:
            key: of the work: of two with equal keys, only the first is ever run, with inputs of equal shapes.
            inputs: are taken for unchanged as long as they are the same tensors.
            lasting: whether the results are kept; otherwise the next run of any work may overwrite them.
            again: whether the work may be done twice the first time.
        """
        recorded = self._recorded.get(key)
        if recorded is None:
            results = work(*inputs)
            recorded = self._record(key, work, inputs) if self._usable else None
            if recorded is None or not again:
                return results
        outputs = recorded.replay(inputs)
        return tuple(value if value is None else value.clone() for value in outputs) if lasting else outputs

    def _record(self, key: Hashable, work: Work, inputs: Sequence[torch.Tensor]) -> _Recorded | None:
        reads = [value.clone() for value in inputs]
        torch.cuda.empty_cache()
        before = torch.cuda.memory_reserved()
        graph = torch.cuda.CUDAGraph()
        try:
            # Other threads may go on using the GPU meanwhile.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                outputs = work(*reads)
        except Exception as error:  # whatever a kernel or a library says of it; memory that is short
            self._usable = False
            logger.warning(
                "acceleration: the network runs as it is, for it was not recorded as a CUDA graph: %s: %s",
                type(error).__name__,
                str(error).strip().partition("\n")[0],
            )
            return None
        self.bytes += max(0, torch.cuda.memory_reserved() - before)
        self._recorded[key] = _Recorded(graph, reads, outputs, inputs, work)
        return self._recorded[key]
