"""Compiled where it works, as it is where not: the results are the same, and the log says why."""

import numpy as np
import pytest
import torch
from small_pairs import small_config, small_pair

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
