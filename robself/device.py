"""Which device computes, and in which type."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from robself.errors import ConfigError


def choose_device(name: str) -> torch.device:
    """ "auto": the first CUDA device, else the CPU; otherwise the device of that name.

    Raises:
        ConfigError: a name torch does not know, or a device this machine has not.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda"):
            raise RuntimeError(f"{device.type} is not supported")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"device: {name!r} cannot be used ({reason}), expected auto, cpu or cuda[:N]"
        ) from None
    return device


def on(device: torch.device) -> AbstractContextManager:
    """For as long as something computes on that device: Triton and CUDA graphs take the current one."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def compute_type(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies it in hardware, float32 elsewhere."""
    if device.type == "cuda":  # not is_bf16_supported(): it counts older GPUs, which only emulate
        ampere = torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if ampere else torch.float32
    native = (
        torch.backends.cpu.get_cpu_capability() == "AVX512" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return torch.bfloat16 if native else torch.float32
