"""Where the Triton kernels can be tried: on a GPU, or in Triton's interpreter (TRITON_INTERPRET=1)."""

import os

import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def needs_kernels() -> None:
    """Skips the test file where nothing can run them."""
    pytest.importorskip("triton", reason="Triton is not installed")
    if DEVICE == "cpu" and os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("needs a CUDA device, or TRITON_INTERPRET=1", allow_module_level=True)
