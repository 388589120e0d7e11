"""The same figures on a CUDA device as on the CPU."""

import numpy as np
import pytest
import torch
from small_pairs import assert_sound, coarse_pair, small_config

from robself.config import ModelConfig
from robself.network import Prediction, RobSelf
from robself.network.neighbourhood_attention import neighbourhood_attention
from robself.normalisation import Normalisation
from robself.online import Budget, OnlineSuperResolver
from robself.pair import Pair
from robself.preparation import Observations
from robself.result import assemble

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


@pytest.mark.parametrize("value", [0.0, np.nan])
@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("size", [(24, 32), (25, 33)])
def test_a_prediction_is_judged_and_assembled_as_on_the_cpu(size, registered, value):
    draw = np.random.default_rng(0)
    source = draw.uniform(-1, 9, (6, 8)).astype(np.float32)
    seen = draw.random(size) > 0.2 if registered else None
    pair = Pair.from_images(source, draw.integers(0, 256, (*size, 3), np.uint8), guide_valid=seen)
    normalisation, network = Normalisation.of(pair), RobSelf(ModelConfig(channels=8))
    difference = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0))
    difference[..., 3, 4] += value
    results = []
    for device in map(torch.device, ("cpu", "cuda")):
        full = Observations(pair, normalisation, set(), device).full
        sr = full.upsampled + 0.1 * difference.to(device)
        prediction = Prediction(sr, sr, torch.zeros(1, 2, *size, device=device))
        info = {"stopped_by": "schedule"}
        results.append(
            assemble(
                pair, full, prediction, network.to(device), normalisation, None, lambda sr, _: sr, 9.0, info
            )
        )
    on_cpu, on_gpu = results
    assert on_cpu.info["fallback"] == on_gpu.info["fallback"] == bool(np.isnan(value))
    for name in ("consistency_before", "consistency_after", "consistency_bicubic"):
        assert on_gpu.info[name] == pytest.approx(on_cpu.info[name], rel=1e-4), name
    for name in ("sr", "translated", "displacement"):
        np.testing.assert_allclose(getattr(on_gpu, name), getattr(on_cpu, name), rtol=1e-4, atol=1e-4)
