"""The node's parameters: names, defaults, ranges. ROS's dotted names and YAML files mirror the nesting."""

from __future__ import annotations

import re
from math import pi
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from robself.config import Acceleration, Modality, ScheduleName, Variant, presets


def _known_preset(name: str) -> str:
    if name not in presets():
        raise ValueError(f"expected one of {', '.join(presets())}")
    return name


def _known_device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError("expected auto, cpu, cuda or cuda:N")
    return name


def _no_shrinking(factor: float) -> float:
    if 0 < factor < 1:
        raise ValueError("expected 0, or 1 to 16")
    return factor


def _known_place(path: str) -> str:
    folder = Path(path).expanduser().parent
    if path and not folder.is_dir():
        raise ValueError(f"there is no folder {folder}, expected a file in one that exists")
    return path


Angle = Annotated[float, Field(ge=-pi, le=pi)]
Metres = Annotated[float, Field(ge=-10, le=10)]


class Section(BaseModel):
    """Unknown parameters are refused, and so are values of another type, but for an integer as a double."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SourceParameters(Section):
    transport: Literal["raw", "compressed", "compressedDepth"] = Field(
        "raw", description="image_transport's; all but raw name the topic below source/image"
    )


class GuideParameters(Section):
    transport: Literal["raw", "compressed"] = Field(
        "raw", description="image_transport's; all but raw name the topic below guide/image"
    )


class SyncParameters(Section):
    slop: float = Field(0.02, gt=0, le=1, description="s; stamps of a pair differ by less")
    queue_size: int = Field(10, ge=1, le=1000, description="images of a kind that wait for a partner")


class ExtrinsicParameters(Section):
    rpy: list[Angle] = Field(
        [0.0, 0.0, 0.0],
        min_length=3,
        max_length=3,
        description="rad; roll, pitch, yaw about the fixed x, y, z of the guide's optical frame: turns a"
        " direction of the source's optical frame into the guide's",
    )
    xyz: list[Metres] = Field(
        [0.0, 0.0, 0.0],
        min_length=3,
        max_length=3,
        description="m; the source camera's place in the guide's optical frame; matters with a distance only",
    )
    use_tf: bool = Field(
        True, description="take rotation and place from /tf_static, and rpy and xyz only where it has none"
    )
    distance: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="m from the source camera to what matters most, which is then registered without parallax;"
        " 0: infinitely far",
    )


class CalibrationParameters(Section):
    warn: float = Field(
        0.5,
        ge=0,
        le=180,
        description="degrees; diagnostics warn of a guide camera turned by more against its calibration; 0: never",
    )
    save_to: Annotated[str, AfterValidator(_known_place)] = Field(
        "", description="the parameter file that ~/save_extrinsics writes"
    )


class KeyframeParameters(Section):
    every_n: int = Field(
        1, ge=0, description="every n-th pair is a keyframe; 0: only as interval and consistency_ratio say"
    )
    interval: float = Field(0.0, ge=0, description="s; a keyframe so long after the last; 0: off")
    consistency_ratio: float = Field(
        0.0,
        ge=0,
        description="a keyframe once tracking is less consistent than right after the last by this factor; 0: off",
    )


class BudgetParameters(Section):
    first_seconds: float = Field(20.0, ge=0, description="s for a cold keyframe; 0: the schedule's own")
    seconds: float = Field(2.0, ge=0, description="s for a warm keyframe; 0: the schedule's own")
    first_iterations: int = Field(0, ge=0, description="for a cold keyframe; 0: the schedule's own")
    iterations: int = Field(0, ge=0, description="for a warm keyframe; 0: the schedule's own")


class NodeParameters(Section):
    """Everything the node can be told; budget, keyframe and calibration also while it is active."""

    preset: Annotated[str, AfterValidator(_known_preset)] = Field("robot", description="network and settings")
    variant: Variant = Field("re", description="re: resampling, de: deformable convolution")
    schedule: ScheduleName = Field("coarse_to_fine", description="coarse_to_fine, or the paper's")
    modality: Modality = Field("depth", description="what the source measures: depth or nir")
    device: Annotated[str, AfterValidator(_known_device)] = Field("auto", description="what computes")
    acceleration: Acceleration = Field(
        "auto",
        description="none, compile (torch.compile) or cuda_graphs, what fails is logged and left out; auto: "
        "cuda_graphs on a GPU",
    )
    memory_limit_mb: float = Field(
        0.0, ge=0, description="MiB a pair may take, above which it goes in tiles; 0: most of what is free"
    )
    seed: int = Field(0, ge=0, description="of the weights' initialisation")
    factor: Annotated[float, AfterValidator(_no_shrinking)] = Field(
        0.0,
        ge=0,
        le=16,
        description="of super-resolution; 0: as many times as the guide is finer, in angle if registered",
    )
    factor_max: float = Field(8.0, ge=1, le=16, description="the most that factor 0 may come to")
    depth_min: float = Field(0.1, ge=0, description="m; nearer is no measurement")
    depth_max: float = Field(20.0, gt=0, description="m; farther is no measurement")
    register_guide: bool = Field(True, description="warp the guide into the source's view by camera_info")
    align_guide: bool = Field(
        False, description="turn the guide as a whole until the edges it shares with the source agree"
    )
    autostart: bool = Field(True, description="configure and activate without being asked")
    lazy: bool = Field(
        True, description="subscribe to the cameras only while somebody subscribes to a result"
    )
    source: SourceParameters = SourceParameters()
    guide: GuideParameters = GuideParameters()
    sync: SyncParameters = SyncParameters()
    extrinsics: ExtrinsicParameters = ExtrinsicParameters()
    calibration: CalibrationParameters = CalibrationParameters()
    keyframe: KeyframeParameters = KeyframeParameters()
    budget: BudgetParameters = BudgetParameters()

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> NodeParameters:
        if self.depth_min >= self.depth_max:
            raise ValueError(
                f"depth_min {self.depth_min} m, depth_max {self.depth_max} m: expected min < max"
            )
        return self
