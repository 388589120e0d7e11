"""Which time is measured."""

from __future__ import annotations

import time

import torch


def seconds(device: torch.device, threads: int) -> float:
    """The clock of a measurement: its difference over a piece of work is what that took.

    With one thread on a CPU, that which the process computed: what else the machine does is then left out. With
    several, and on a GPU once it has caught up, the time that passed.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif threads == 1:
        return time.process_time()
    return time.perf_counter()


def clock_name(device: torch.device, threads: int) -> str:
    """Which of both, for the record."""
    return "processor time" if device.type == "cpu" and threads == 1 else "wall time"
