"""The same figures on a CUDA device as on the CPU."""

import numpy as np
import pytest
import torch
from small_pairs import assert_sound, coarse_pair, small_config

from robself.config import ModelConfig
from robself.network import RobSelf
from robself.network.neighbourhood_attention import neighbourhood_attention
from robself.online import Budget, OnlineSuperResolver

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("threshold", [False, True])
@pytest.mark.parametrize("kernels", [(3, 3), (7, 5), (13, 7)])
def test_filter_agrees_with_the_cpu_in_values_and_gradients(kernels, threshold):
    reference, source = torch.randn(2, 2, 16, 37, 51, generator=torch.Generator().manual_seed(0)).unbind()
    important = torch.rand(2, 37, 51) > 0.5 if threshold else None
    outcomes = []
    for device in ("cpu", "cuda"):
        inputs = [image.to(device).requires_grad_() for image in (reference, source)]
        mask = important if important is None else important.to(device)
        enhanced = neighbourhood_attention(*inputs, *kernels, mask)
        weights = torch.linspace(-1, 1, enhanced.numel(), device=device).view_as(enhanced)
        outcomes.append((enhanced, *torch.autograd.grad((enhanced * weights).sum(), inputs)))
    for on_cpu, on_gpu in zip(*outcomes, strict=True):
        torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("variant", ["re", "de"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 5e-3), (torch.bfloat16, 6e-2)])
def test_network_agrees_with_the_cpu(variant, dtype, tolerance):
    torch.manual_seed(0)
    network = RobSelf(ModelConfig(variant=variant, channels=32)).to(memory_format=torch.channels_last)
    image = torch.randn(1, 4, 45, 70)
    expected = network(image[:, :1], image[:, 1:])
    image, network = image.cuda(), network.cuda()
    got = network(image[:, :1], image[:, 1:], dtype=dtype)
    for ours, theirs in zip(got[:2], expected[:2], strict=True):  # float32 multiplies in TF32 there
        assert (ours.cpu() - theirs).norm() < tolerance * theirs.norm()


@pytest.mark.parametrize("variant", ["re", "de"])
def test_a_short_keyframe_agrees_with_the_cpu(variant):
    pair = coarse_pair()
    results = []
    for device in ("cpu", "cuda"):
        resolver = OnlineSuperResolver(small_config(variant, residual=True, channels=8), device)
        results.append(resolver.keyframe(pair, Budget(iterations=5)))
        assert_sound(results[-1], pair.size)
        assert_sound(resolver.track(pair), pair.size)
    on_cpu, on_gpu = results
    assert on_gpu.info["device"].startswith("cuda")
    spread = on_cpu.translated.std()
    assert np.abs(on_gpu.translated - on_cpu.translated).max() < 0.2 * spread
    assert on_gpu.info["loss_before"] == pytest.approx(on_cpu.info["loss_before"], rel=0.05)


def test_auto_chooses_the_gpu_and_a_seed_its_result():
    pair = coarse_pair()
    first, again = (
        OnlineSuperResolver(small_config(seed=3)).keyframe(pair, Budget(iterations=1)) for _ in range(2)
    )
    assert first.info["device"].startswith("cuda")
    np.testing.assert_allclose(first.translated, again.translated, rtol=1e-3)
