"""What RobSelf is told before it sees a pair: network, optimisation, presets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from robself.errors import ConfigError

Variant = Literal["re", "de"]
ScheduleName = Literal["coarse_to_fine", "paper"]
Modality = Literal["depth", "nir"]
Acceleration = Literal["auto", "none", "compile", "cuda_graphs"]


class ModelConfig(BaseModel):
    """The network: paper Sec. 3 and 5.

    eta None: no threshold (Eq. 4 is not used, every pixel has the large kernel).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: Variant = "re"
    channels: int = Field(64, ge=4, le=256, description="C, channels of every feature map")
    levels: int = Field(4, ge=1, le=7, description="i, levels of the misalignment estimator")
    large_kernel: int = Field(7, ge=1, le=31, description="m, kernel of important pixels (odd)")
    small_kernel: int = Field(5, ge=1, le=31, description="n, kernel of the other pixels (odd)")
    eta: float | None = Field(0.7, ge=0, description="scale of the importance threshold, Eq. 4")
    separate_heads: bool = Field(False, description="a head of its own for the translation (Sec. 5.4, NIR)")
    residual: bool = Field(False, description="heads predict what is to be added to the upsampled source")

    @model_validator(mode="after")
    def _kernels_are_centred_and_nested(self) -> ModelConfig:
        if self.large_kernel % 2 == 0 or self.small_kernel % 2 == 0:
            raise ValueError(f"kernels {self.large_kernel} and {self.small_kernel}, expected odd sizes")
        if self.small_kernel > self.large_kernel:
            raise ValueError(
                f"small_kernel {self.small_kernel} is larger than large_kernel {self.large_kernel}"
            )
        return self


class RobSelfConfig(BaseModel):
    """Everything a run depends on besides its pair."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str
    model: ModelConfig
    modality: Modality = "depth"
    schedule: ScheduleName = "coarse_to_fine"
    seed: int = Field(0, ge=0, lt=2**63)

    @property
    def variant(self) -> Variant:
        return self.model.variant

    @classmethod
    def from_preset(
        cls,
        name: str,
        variant: str = "re",
        schedule: str = "coarse_to_fine",
        modality: str | None = None,
        seed: int = 0,
    ) -> RobSelfConfig:
        """A preset's configuration.

        Args:
            modality: "depth" or "nir"; None: the preset's own.

        Raises:
            ConfigError: an unknown name, with the names there are.
        """
        one_of("preset", name, list(PRESETS))
        one_of("variant", variant, list(get_args(Variant)))
        one_of("schedule", schedule, list(get_args(ScheduleName)))
        settings: dict[str, Any] = dict(PRESETS[name])
        own = settings.pop("modality", "depth")
        modality = modality or own
        one_of("modality", modality, list(get_args(Modality)))
        try:
            model = ModelConfig(variant=variant, **settings)
            return cls(preset=name, model=model, modality=modality, schedule=schedule, seed=seed)
        except ValidationError as error:
            raise _told(error) from None

    def with_seed(self, seed: int) -> RobSelfConfig:
        """The same with another seed. Raises ConfigError: it is out of range."""
        try:
            return type(self)(**dict(self) | {"seed": seed})
        except ValidationError as error:
            raise _told(error) from None


def _told(error: ValidationError) -> ConfigError:
    """The first thing that is wrong, in one line."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return ConfigError(f"{where}: {first['input']!r}: {first['msg']}")


# The settings of Sec. 5.2 to 5.4; those of `robot` are this project's own (docs/method.md).
_DEPTH = {"large_kernel": 7, "small_kernel": 5, "eta": 0.7}
_NIR = {"large_kernel": 3, "small_kernel": 3, "eta": None, "separate_heads": True, "modality": "nir"}
PRESETS: dict[str, dict[str, Any]] = {
    "task1_x4": {"levels": 4, **_DEPTH},
    "task1_x8": {"levels": 5, "large_kernel": 13, "small_kernel": 7, "eta": 0.7},
    "task2_x2": {"levels": 3, **_DEPTH},
    "task2_x4": {"levels": 4, **_DEPTH},
    "task3_x2": {"levels": 4, **_NIR},
    "task3_x4": {"levels": 5, **_NIR},
    "robot": {"levels": 4, "channels": 32, **_DEPTH},
    "robot_nir": {"levels": 5, "channels": 32, **_NIR},
}


def presets() -> list[str]:
    """Names of the presets: the paper's tasks at their factors, `robot` and `robot_nir`."""
    return list(PRESETS)


def one_of(what: str, value: str, known: Collection[str]) -> None:
    """Raises ConfigError: a value that is none of the known ones, which it lists."""
    if value not in known:
        raise ConfigError(f"{what}: {value!r} is unknown, expected one of {', '.join(known)}")
