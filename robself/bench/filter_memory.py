"""(a) The filter alone, forward and backward: how much less memory than with windows of m^2 C H W numbers.

Each side runs in a process of its own, `python -m robself.bench.filter_memory`, so that neither finds memory that
the other has left.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import torch

from robself.bench.literal import enhanced
from robself.bench.measurement import Measurement, Setup, Tell
from robself.device import choose_device
from robself.errors import EvaluationError
from robself.network.neighbourhood_attention import neighbourhood_attention
from robself.peak_memory import PeakMemory

CHANNELS, LARGE, SMALL = 64, 7, 5  # of task I and II, x4


def measure(setup: Setup, run: int, tell: Tell) -> Measurement:
    """Peak bytes of the literal filter over those of the product's, both in float32.

    Raises:
        EvaluationError: a side that ended without an answer, as when it ran out of memory.
    """
    size, device = setup.workload.filter_size, choose_device(setup.device)
    literal = _in_a_process("literal", size, device, setup.threads)
    tell(0.7)
    ours = _in_a_process("ours", size, device, setup.threads)
    return Measurement(
        literal["bytes"] / ours["bytes"],
        {
            "size": list(size),
            "channels": CHANNELS,
            "kernels": [LARGE, SMALL],
            "literal_bytes": literal["bytes"],
            "bytes": ours["bytes"],
            "measured_as": ours["kind"],
        },
    )


def _in_a_process(side: str, size: tuple[int, int], device: torch.device, threads: int) -> dict:
    command = [sys.executable, "-m", __name__, side, *map(str, size), str(device)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise EvaluationError(
            f"memory of the {side} filter at {size[1]}x{size[0]}: ended with exit code {done.returncode}: {said[0]}"
        )
    told = json.loads(done.stdout)
    if not told["bytes"]:
        raise EvaluationError(f"memory of the {side} filter: this system does not tell it (/proc is Linux's)")
    return told


def filter_peak(side: str, size: tuple[int, int], device: torch.device) -> dict:
    """{"bytes", "kind"}: what forward and backward take beyond the two features and the mask."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 1, CHANNELS, *size, generator=generator).to(device)
    reference, source = (feature.clone().requires_grad_() for feature in features)
    important = (torch.rand(1, *size, generator=generator) > 0.5).to(device)
    del features
    with PeakMemory() as peak:
        before = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
        if side == "literal":
            output = enhanced(reference[0], source[0], LARGE, SMALL, important[0])
        else:
            output = neighbourhood_attention(reference, source, LARGE, SMALL, important)
        output.backward(torch.ones_like(output))
    return {"bytes": peak.bytes and peak.bytes - before, "kind": peak.kind}


if __name__ == "__main__":
    wanted, height, width, where = sys.argv[1:]
    print(json.dumps(filter_peak(wanted, (int(height), int(width)), choose_device(where))))
