"""Images of any size from images of another, on the device where they lie.

On a CPU by OpenCV, which takes a tenth of PyTorch's time; elsewhere by PyTorch, to the same values but for rounding.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from robself.consistency import AveragePooling

Interpolation = Literal["bilinear", "bicubic"]
OPENCV: dict[str, int] = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}


def enlarged(
    image: torch.Tensor, size: tuple[int, int], interpolation: Interpolation = "bicubic"
) -> torch.Tensor:
    """About pixel centres. Shape: (1, 1, h, w) float32 -> (1, 1, H, W), H >= h, W >= w."""
    if image.device.type == "cpu":
        larger = cv2.resize(image[0, 0].numpy(), size[::-1], interpolation=OPENCV[interpolation])
        return torch.from_numpy(larger)[None, None]
    return enlarged_by_torch(image, size, interpolation)


def enlarged_by_torch(
    image: torch.Tensor, size: tuple[int, int], interpolation: Interpolation
) -> torch.Tensor:
    return F.interpolate(image, size, mode=interpolation, align_corners=False)


def shrunk(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The mean over each new pixel's area. Shape: (1, C, H, W) float32 -> (1, C, h, w)."""
    if image.device.type == "cpu":
        channels = [cv2.resize(one, size[::-1], interpolation=cv2.INTER_AREA) for one in image[0].numpy()]
        return torch.from_numpy(np.stack(channels))[None]
    return shrunk_by_torch(image, size)


def shrunk_by_torch(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return AveragePooling(tuple(image.shape[-2:]), size, image.device)(image)
