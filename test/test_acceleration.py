"""Compiled where it works, as it is where not: the results are the same, and the log says why."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from small_pairs import same_bits, small_config, small_pair
from torch.nn.modules.module import register_module_forward_pre_hook

from robself.errors import ConfigError
from robself.online import Budget, OnlineSuperResolver
from robself.schedule import Schedule, Stage

FEW = Budget(iterations=2)
ONE_SIZE = Schedule((Stage(1.0, 2),), (Stage(1.0, 2),))  # each size is compiled


def results(acceleration):
    resolver = OnlineSuperResolver(small_config(), device="cpu", schedule=ONE_SIZE, acceleration=acceleration)
    pair = small_pair()
    return [resolver.keyframe(pair, FEW).sr, resolver.track(pair).sr]


def test_cuda_graphs_without_cuda_fall_back_and_say_so(caplog):
    accelerated = results("cuda_graphs")
    assert "acceleration: cuda_graphs needs a CUDA device, not cpu: the network runs as it is" in caplog.text
    np.testing.assert_array_equal(accelerated, results("none"))


def test_what_cannot_be_compiled_runs_as_it_is_and_says_why_once(monkeypatch, caplog):
    compiling = torch.compile

    def broken_backend(graph, inputs):
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(
        torch, "compile", lambda model, **how: compiling(model, backend=broken_backend, **how)
    )
    accelerated = results("compile")
    assert caplog.text.count("acceleration: the network runs as it is, for it was not compiled") == 1
    assert "no compiler here" in caplog.text
    np.testing.assert_array_equal(accelerated, results("none"))


def test_a_traced_network_gives_the_same_results(monkeypatch, caplog):
    """The compiler's front end and its backward pass, with a backend that runs what was traced as it is: quick."""
    compiling = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model, **how: compiling(model, backend="aot_eager", **how))
    accelerated = results("compile")
    assert not caplog.text
    np.testing.assert_allclose(accelerated, results("none"), rtol=1e-3)


def test_what_cannot_be_recorded_runs_as_it_is(hooked, monkeypatch, caplog):
    """A recording that fails half way takes nothing from the iteration that ran before it: its gradients, say."""
    recording = []

    @contextmanager
    def capturing(*arguments, **settings):
        recording.append(True)
        try:
            yield
        finally:
            recording.clear()

    def refused(module, inputs):
        if recording:
            raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", capturing)
    hooked(register_module_forward_pre_hook, refused)
    recorded = OnlineSuperResolver(small_config(), "cpu", ONE_SIZE)
    recorded.acceleration = "cuda_graphs"
    plain = OnlineSuperResolver(small_config(), "cpu", ONE_SIZE, acceleration="none")
    for pair in (small_pair(), small_pair(edge=0.5)):
        assert same_bits(recorded.keyframe(pair, FEW), plain.keyframe(pair, FEW))
    assert caplog.text.count("was not recorded as a CUDA graph: RuntimeError: operation not permitted") == 1


def test_an_unknown_acceleration_is_refused():
    with pytest.raises(
        ConfigError, match="'warp' is unknown, expected one of auto, none, compile, cuda_graphs"
    ):
        OnlineSuperResolver(small_config(), acceleration="warp")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_compiled_results_are_the_same(caplog):
    def keyframe(acceleration):
        return (
            OnlineSuperResolver(small_config(), "cuda", acceleration=acceleration)
            .keyframe(small_pair(), FEW)
            .sr
        )

    accelerated = keyframe("compile")
    assert not caplog.text
    np.testing.assert_allclose(accelerated, keyframe("none"), rtol=2e-2)
