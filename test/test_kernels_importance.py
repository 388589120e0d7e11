"""The kernel of Eq. 3 against the importance map that it replaces."""

import pytest
import torch
from kernels_device import DEVICE, needs_kernels

needs_kernels()

from robself.network.kernels.importance import gradient_magnitude  # noqa: E402
from robself.network.reference_filter import importance_map  # noqa: E402


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("channels", [1, 20, 64])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 2), (11, 9)], ids="{0[0]}x{0[1]}".format)
def test_importance_is_that_of_equation_3(size, channels, dtype):
    source = torch.randn(2, channels, *size, generator=torch.Generator().manual_seed(0))
    source = source.to(DEVICE, dtype, memory_format=torch.channels_last)
    importance = gradient_magnitude(source)
    assert importance.dtype == torch.float32
    torch.testing.assert_close(importance, importance_map(source), rtol=1e-5, atol=1e-6)
