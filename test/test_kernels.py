"""Where the kernels do not work, the plain forms serve, and the log says why, once."""

from types import SimpleNamespace

import pytest
import torch

from robself.network import kernels

ON_A_GPU = SimpleNamespace(is_cuda=True, device=torch.device("cuda", 0))


@pytest.fixture(autouse=True)
def asked_anew():
    kernels._work_on.cache_clear()
    yield
    kernels._work_on.cache_clear()


def machine(monkeypatch, installed=True, capability=(9, 0), trying=lambda device: None):
    monkeypatch.setattr(kernels, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    monkeypatch.setattr(kernels, "_try", trying)


def no_compiler(device):
    raise RuntimeError("Failed to find C compiler.\nPlease specify")


@pytest.mark.parametrize(
    ("hindrance", "reason"),
    [
        (
            {"installed": False},
            "Triton is not installed: the network is computed by PyTorch's own operations",
        ),
        ({"capability": (7, 5)}, "the GPU's compute capability is 7.5, the kernels need 8.0: the network"),
        (
            {"trying": no_compiler},
            "Triton does not work: RuntimeError: Failed to find C compiler.: the network",
        ),
    ],
)
def test_what_keeps_them_from_working_is_said_once(monkeypatch, caplog, hindrance, reason):
    machine(monkeypatch, **hindrance)
    assert not kernels.usable(ON_A_GPU) and not kernels.usable(ON_A_GPU)
    assert caplog.text.count(reason) == 1


def test_they_serve_a_gpu_on_which_they_work_and_no_cpu(monkeypatch, caplog):
    machine(monkeypatch)
    assert kernels.usable(ON_A_GPU)
    assert not kernels.usable(torch.zeros(1))
    assert not caplog.text


def test_memory_that_is_short_is_no_hindrance_for_good(monkeypatch):
    def full(device):
        raise torch.OutOfMemoryError

    machine(monkeypatch, trying=full)
    with pytest.raises(torch.OutOfMemoryError):
        kernels.usable(ON_A_GPU)
    machine(monkeypatch)
    assert kernels.usable(ON_A_GPU)
