"""The product in place of oneDNN's gradient by the weights gives the gradients that PyTorch gives."""

import pytest
import torch
import torch.nn.functional as F

from robself.network import RobSelf, weight_gradient
from robself.network.convolution import conv3x3
from robself.network.weight_gradient import convolved, slow_for


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "size, stride", [((3, 3), (1, 1)), ((3, 3), (2, 2)), ((6, 6), (4, 4)), ((4, 6), (2, 4))]
)
def test_gradients_are_those_of_pytorch(threads, monkeypatch, size, stride, count):
    threads(count)
    monkeypatch.setattr(weight_gradient, "PIXELS_AT_ONCE", 40)  # several bands, the last one smaller
    generator = torch.Generator().manual_seed(0)
    feature = torch.randn(2, 9, 37, 43, generator=generator, dtype=torch.float64)
    feature = feature.to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(5, 9, *size, generator=generator, dtype=torch.float64).requires_grad_()
    bias = torch.randn(5, generator=generator, dtype=torch.float64).requires_grad_()
    ours, theirs = convolved(feature, weight, bias, stride), F.conv2d(feature, weight, bias, stride)
    assert ours.equal(theirs)
    asked = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
    for own, expected in zip(
        torch.autograd.grad(ours, (feature, weight, bias), asked),
        torch.autograd.grad(theirs, (feature, weight, bias), asked),
        strict=True,
    ):
        torch.testing.assert_close(own, expected)


def test_only_the_gradients_that_are_asked_for_are_computed(monkeypatch):
    monkeypatch.setattr(weight_gradient, "weight_gradient", None)  # to call it would fail
    bias = torch.ones(4, requires_grad=True)
    convolved(torch.ones(1, 8, 9, 9), torch.ones(4, 8, 3, 3), bias, (1, 1)).sum().backward()
    assert bias.grad.tolist() == [49] * 4


def test_an_iteration_of_the_whole_network_has_the_same_gradients_either_way(monkeypatch):
    torch.manual_seed(0)
    network = RobSelf.from_preset("robot").to(memory_format=torch.channels_last)
    source, guide = torch.randn(1, 1, 48, 32), torch.randn(1, 3, 48, 32)
    gradients, called = [], []
    monkeypatch.setattr(
        weight_gradient, "weight_gradient", _counted(weight_gradient.weight_gradient, called.append)
    )
    for slow in (False, True):
        monkeypatch.setattr(weight_gradient, "_slow_here", lambda slow=slow: slow)
        network.zero_grad()
        prediction = network(source, guide)
        (prediction.sr.abs().sum() + prediction.translated.abs().sum()).backward()
        gradients.append([weight.grad for weight in network.parameters()])
    plain, product = (torch.cat([gradient.flatten() for gradient in run]) for run in gradients)
    assert (product - plain).norm() < 1e-4 * plain.norm()
    convolutions = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    wide = [layer for layer in convolutions if layer.in_channels >= 8 and layer.kernel_size == (3, 3)]
    assert len(called) == len(wide)  # and none of the first run


def _counted(function, tell):
    def counting(*arguments):
        tell(function)
        return function(*arguments)

    return counting


def test_it_serves_wide_float32_convolutions_on_a_cpu_where_that_is_slow(monkeypatch):
    monkeypatch.setattr(weight_gradient, "_slow_here", lambda: True)
    feature, weight = torch.empty(1, 32, 8, 8), torch.empty(32, 32, 3, 3)
    assert slow_for(feature, weight)
    assert not slow_for(feature.bfloat16(), weight)
    assert not slow_for(feature[:, :3], weight[:, :3])
    assert not slow_for(feature, weight[..., :1, :1])
    assert not slow_for(feature.to("meta"), weight)
    monkeypatch.setattr(weight_gradient, "_slow_here", lambda: False)
    assert not slow_for(feature, weight)


def test_a_convolution_takes_it_forward_and_back(monkeypatch):
    monkeypatch.setattr(weight_gradient, "_slow_here", lambda: True)
    layer = conv3x3(8, 8, relu=True)
    assert "_Convolved" in _history(layer(torch.randn(1, 8, 12, 12)))
    monkeypatch.setattr(weight_gradient, "_slow_here", lambda: False)
    assert "_Convolved" not in _history(layer(torch.randn(1, 8, 12, 12)))


def _history(output: torch.Tensor) -> str:
    """Names of what an output was made by, the last step first."""
    names, node = [], output.grad_fn
    while node is not None:
        names.append(node.name())
        node = node.next_functions[0][0] if node.next_functions else None
    return " ".join(names)
