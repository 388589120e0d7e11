"""Faults on demand: run as a program, the node, in which goes wrong what a file says at that moment.

The file's path is the first argument. A fault is one of `FAULTS`, and may be followed by how many times it happens;
otherwise it does so until the file changes.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook

from robself.network import Prediction, RobSelf
from robself_ros.node import main

POLL_SECONDS = 0.02
LARGE = 11_000  # px; more than a tile has
OUT_OF_MEMORY = {
    "memory_of_gpu": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "memory_of_cpu": lambda: RuntimeError(
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9 B"
    ),
    "memory_of_python": MemoryError,
}


class Escape(BaseException):
    """Passes every handler of ordinary errors."""


ENDS = {"exit": SystemExit, "escape": lambda: Escape("forced by a test")}
NAN = {"weights", "gradients", "input"}
FAULTS = {*NAN, "worse", *OUT_OF_MEMORY, "memory_of_whole_images", *ENDS, "hang"}


class Faults:
    """Hooks of the network and its optimisers that do what the file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._written, self._fault, self._left = 0, "", math.inf
        register_module_forward_pre_hook(self._before)
        register_module_forward_hook(self._after)
        register_optimizer_step_pre_hook(self._step)

    def _read(self) -> str:
        """The fault that is to happen now; "" for none."""
        written = self._file.stat().st_mtime_ns if self._file.exists() else 0
        if written != self._written:
            fault, _, times = self._file.read_text(encoding="utf-8").strip().partition(" ")
            if fault and fault not in FAULTS:
                raise ValueError(f"{self._file}: {fault!r}, expected one of {', '.join(sorted(FAULTS))}")
            self._written, self._fault, self._left = written, fault, float(times or math.inf)
        return self._fault if self._left > 0 else ""

    def _due(self, happens: Callable[[str], bool]) -> str:
        fault = self._read()
        if not (fault and happens(fault)):
            return ""
        self._left -= 1
        return fault

    def _before(self, module: torch.nn.Module, inputs: tuple) -> tuple | None:
        if not isinstance(module, RobSelf):
            return None
        large = inputs[0][0, 0].numel() > LARGE
        fault = self._due(
            lambda fault: fault not in ("gradients", "worse") and (large or fault != "memory_of_whole_images")
        )
        if fault == "weights":
            with torch.no_grad():
                next(module.parameters()).fill_(math.nan)
        elif fault == "input":
            return inputs[0] * math.nan, *inputs[1:]
        elif fault in ENDS:
            raise ENDS[fault]()
        elif fault.startswith("memory"):
            raise OUT_OF_MEMORY.get(fault, MemoryError)()
        elif fault == "hang":
            written = self._written
            while self._written == written:
                time.sleep(POLL_SECONDS)
                self._read()
        return None

    def _after(self, module: torch.nn.Module, inputs: tuple, output: Prediction) -> Prediction | None:
        if isinstance(module, RobSelf) and self._due(lambda fault: fault == "worse"):
            return output._replace(sr=output.sr + 100.0)
        return None

    def _step(self, optimiser: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        if self._due(lambda fault: fault == "gradients"):
            for group in optimiser.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.grad.fill_(math.nan)


if __name__ == "__main__":
    Faults(Path(sys.argv.pop(1)))
    main()
