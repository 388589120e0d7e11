"""Sensor presets: `config/<sensor>.yaml`, a ROS parameter file that also names the camera's topics.

    robself_sensor:              # what the launch files read
      ros__parameters:
        title, source, guide, driver
    /**:                         # the node's parameters (`robself_ros.parameters`)
      ros__parameters: ...

ROS refuses a parameter file with anything but `ros__parameters` under a top-level key, so the sensor's
section poses as the parameters of a node that does not exist. That keeps one file per sensor, which
`--params-file config/<sensor>.yaml` takes as it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from robself.errors import ConfigError
from robself.image_encoding import LAYOUTS
from robself_ros.parameters import NodeParameters
from robself_ros.share import share_directory
from robself_ros.validation import unknown, validated

_NAME = r"[A-Za-z_]\w*"
_TOPIC = re.compile(rf"(~?/)?{_NAME}(/{_NAME})*")


def _topic(name: str) -> str:
    if not _TOPIC.fullmatch(name):
        raise ValueError("expected a topic name such as /camera/depth/image_raw")
    return name


def _encoding(name: str) -> str:
    if name not in LAYOUTS:
        raise ValueError(f"expected one of {', '.join(LAYOUTS)}")
    return name


Topic = Annotated[str, AfterValidator(_topic)]
Encoding = Annotated[str, AfterValidator(_encoding)]


class Stream(BaseModel):
    """One of the two image topics."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    topic: Topic
    camera_info: Topic | None = Field(None, description="None: the image topic's sibling")
    encodings: list[Encoding] = Field(min_length=1, description="what the driver sends there")

    @property
    def info_topic(self) -> str:
        """The topic of the camera's `camera_info`."""
        return self.camera_info or sibling_camera_info(self.topic)


class SensorSection(BaseModel):
    """What stands under `robself_sensor`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str
    source: Stream
    guide: Stream
    driver: list[str] = Field(min_length=1, description="driver settings and what to know about the camera")


class Sensor(SensorSection):
    """A preset: its section, the node's parameters, and the file that holds both."""

    name: str
    file: Path
    parameters: NodeParameters


def sensor_names() -> list[str]:
    """The presets that the project ships, in alphabetical order."""
    return sorted(file.stem for file in (share_directory() / "config").glob("*.yaml"))


def load_sensor(name: str) -> Sensor:
    """A preset by its name, or one of your own by the path of its file.

    Raises:
        ConfigError: an unknown name, a file that is missing or no parameter file, or what is wrong in it.
    """
    file = _file(name)
    section, parameters = _sections(file)
    checked = validated(SensorSection, section, f"{file.name}: robself_sensor")
    where = f"{file.name}: /**"
    node = validated(NodeParameters, parameters, where)
    _check_types_as_ros_does(parameters, node.model_dump(), where)
    return Sensor(**dict(checked), name=file.stem, file=file, parameters=node)


def sibling_camera_info(topic: str) -> str:
    """Where drivers publish an image topic's `camera_info`: beside it."""
    namespace, _, _ = topic.rpartition("/")
    return f"{namespace}/camera_info" if "/" in topic else "camera_info"


def _file(name: str) -> Path:
    if "/" in name or name.endswith((".yaml", ".yml")):
        file = Path(name).expanduser()
        if not file.is_file():
            raise ConfigError(f"sensor file {name!r} does not exist")
        return file
    if name not in sensor_names():
        raise ConfigError(unknown("sensor", name, sensor_names()))
    return share_directory() / "config" / f"{name}.yaml"


def _sections(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two `ros__parameters` of a preset's file."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file.name} is no YAML file: {' '.join(str(error).split())}") from None
    sections = []
    for key in ("robself_sensor", "/**"):
        try:
            section = content[key]["ros__parameters"]
        except (KeyError, TypeError):
            section = None
        if not isinstance(section, dict):
            raise ConfigError(f"{file.name}: no parameters under {key}: ros__parameters")
        sections.append(section)
    if other := set(content) - {"robself_sensor", "/**"}:
        raise ConfigError(f"{file.name}: unknown section {min(other)!r}, expected robself_sensor and /**")
    return sections[0], sections[1]


def _check_types_as_ros_does(given: Any, expected: Any, where: str) -> None:
    """ROS does not take an integer for a floating-point parameter: `1` for `1.0` kills the node."""
    if isinstance(given, dict):
        for key, value in given.items():
            _check_types_as_ros_does(value, expected[key], f"{where}.{key}")
    elif isinstance(given, list):
        for value, one in zip(given, expected, strict=False):
            _check_types_as_ros_does(value, one, where)
    elif isinstance(expected, float) and type(given) is int:
        raise ConfigError(f"{where}: {given!r}: expected a floating-point number, write {float(given)!r}")
