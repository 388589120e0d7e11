"""Eq. 5 and 6 as attention over small windows.

Query: a reference pixel. Keys and values: the source pixels in the m x m window around it (n x n where the
pixel is not important), reflected at the border. How that is computed depends on the device.
"""

from collections.abc import Callable

import torch

from robself.network import kernels
from robself.network.attention_by_rows import attention_by_rows
from robself.network.attention_by_tiles import attention_by_tiles

Attend = Callable[[torch.Tensor, torch.Tensor, int, int, torch.Tensor | None], torch.Tensor]


def neighbourhood_attention(
    reference: torch.Tensor,
    source: torch.Tensor,
    large: int,
    small: int,
    important: torch.Tensor | None,
    attend: Attend | None = None,
) -> torch.Tensor:
    """Eq. 5-6 for every pixel.

    Args:
        reference: (B, C, H, W), F_guide^Aligned.
        source: (B, C, H, W), F_source.
        large, small: odd kernel sizes m >= n.
        important: (B, H, W) bool: where the large kernel is used; None: everywhere.
        attend: the way to compute it (see `attention_by_rows`); None: by rows on a CPU, by a kernel of its own on a
            GPU, by tiles elsewhere.

    Returns:
        (B, C, H, W): F'_source.
    """
    return (attend or _usual_for(source))(reference, source, large, small, important)


def _usual_for(source: torch.Tensor) -> Attend:
    if kernels.usable(source):
        from robself.network.kernels.attention import attention_in_place

        return attention_in_place
    return attention_by_rows if source.device.type == "cpu" else attention_by_tiles
