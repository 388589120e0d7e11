"""What the device that computes is, and how much memory it has in use."""

from __future__ import annotations

import os
from pathlib import Path

import torch

MEBIBYTE = 2**20


def device_name(device: torch.device) -> str:
    """`cpu (2 threads)`, or `cuda (NVIDIA H100)`."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"{device} ({torch.get_num_threads()} threads)"


def memory(device: torch.device) -> dict[str, str]:
    """Memory in MiB: of torch on a CUDA device and what is free there, of the whole process on a CPU."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        used = torch.cuda.memory_reserved(device)
        return {
            "device memory used (MiB)": f"{used / MEBIBYTE:.0f}",
            "device memory free (MiB)": f"{free / MEBIBYTE:.0f} of {total / MEBIBYTE:.0f}",
        }
    resident_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {"memory used (MiB)": f"{resident_pages * os.sysconf('SC_PAGE_SIZE') / MEBIBYTE:.0f}"}
