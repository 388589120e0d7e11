"""What the launch files start, worked out and checked before anything starts.

ROS launches happily without a missing parameter file, and passes misspelt arguments over in silence. So the
arguments are checked here, against the sensor presets and the node's parameters. Imports no `launch`:
`robself_ros.launch_description` turns a `Plan` into its actions.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from robself.errors import ConfigError
from robself_ros import dds
from robself_ros.companions import RVIZ_INPUTS, Companion, point_cloud, rviz
from robself_ros.sensors import Sensor, Stream, Topic, load_sensor, sensor_names, sibling_camera_info
from robself_ros.validation import validated

NODE_NAME = "robself_node"
SWITCH = {"true": True, "false": False}
OTHER_FILE = {"depth": "nir_sr.launch.py", "nir": "depth_sr.launch.py"}


class Argument(NamedTuple):
    """A launch argument; an empty default leaves the choice to the sensor preset."""

    name: str
    default: str
    description: str


def arguments(modality: str) -> list[Argument]:
    """The arguments of the launch file for a modality, "depth" or "nir"."""
    return [
        Argument(
            "sensor", f"generic_{modality}", f"one of {', '.join(sensor_names())}; or the path of your own"
        ),
        Argument("source_topic", "", "depth or NIR images, instead of the sensor's"),
        Argument("source_info_topic", "", "their camera_info; default: beside them"),
        Argument("guide_topic", "", "RGB images, instead of the sensor's"),
        Argument("guide_info_topic", "", "their camera_info; default: beside them"),
        Argument("preset", "", "network and its settings: robot, task1_x4, …"),
        Argument("variant", "", "re (resampling) or de (deformable convolution)"),
        Argument("schedule", "", "coarse_to_fine or paper"),
        Argument("device", "", "auto, cpu, cuda or cuda:N"),
        Argument("namespace", "", "of the node; topics given with a leading / stay as they are"),
        Argument("bag", "", "a recording to play into the node, with its clock"),
        Argument("use_sim_time", "auto", "true, false, or auto: true with a bag"),
        Argument("pointcloud", "false", "true: super-resolved depth as coloured points, by depth_image_proc"),
        Argument("rviz", "false", "true: show it all in rviz2"),
        Argument("fixed_frame", "", "of rviz2; the source camera's optical frame needs no tf"),
    ]


class _Names(BaseModel):
    """The arguments that name a place in the ROS graph."""

    source_topic: Topic | None
    source_info_topic: Topic | None
    guide_topic: Topic | None
    guide_info_topic: Topic | None
    namespace: Topic | None


@dataclass(frozen=True)
class Plan:
    """What to start: the node, its companions, and the player of a bag where one is given."""

    sensor: Sensor
    namespace: str
    parameters: list[str | dict[str, Any]]
    remappings: list[tuple[str, str]]
    environment: dict[str, str] = field(default_factory=dict)
    player: list[str] | None = None
    companions: list[Companion] = field(default_factory=list)

    @property
    def use_sim_time(self) -> bool:
        """Whether all of it lives by a bag's or a simulator's clock."""
        return self.parameters[-1]["use_sim_time"]


def plan(given: Mapping[str, str], modality: str, environment: Mapping[str, str] | None = None) -> Plan:
    """The launch file's arguments, checked and turned into what to start.

    Args:
        given: argument name to value. Names that are not the launch file's own are passed over unless they
            look like a misspelling of one: a launch file that includes this one hands its arguments down.
        environment: None: this process's.

    Raises:
        ConfigError: what is wrong, in one line.
    """
    known = {argument.name: argument.default for argument in arguments(modality)}
    _refuse_misspelt(set(given) - set(known), list(known))
    values = {name: given.get(name, default).strip() for name, default in known.items()}
    sensor = load_sensor(values["sensor"])
    if sensor.parameters.modality != modality:
        raise ConfigError(
            f"sensor {sensor.name!r} is a {sensor.parameters.modality} sensor: launch {OTHER_FILE[modality]}"
        )
    bag = _bag(values["bag"])
    validated(_Names, {name: values[name] or None for name in _Names.model_fields}, "launch arguments")
    overrides: dict[str, Any] = {
        name: values[name] for name in ("preset", "variant", "schedule", "device") if values[name]
    }
    validated(type(sensor.parameters), {**sensor.parameters.model_dump(), **overrides}, "launch arguments")
    overrides["use_sim_time"] = _choice(values, "use_sim_time", {**SWITCH, "auto": bag is not None})
    namespace = values["namespace"].strip("/")
    node = f"/{namespace}/{NODE_NAME}".replace("//", "/")
    remappings = [
        *_remappings("source", sensor.source, values["source_topic"], values["source_info_topic"]),
        *_remappings("guide", sensor.guide, values["guide_topic"], values["guide_info_topic"]),
    ]
    return Plan(
        sensor=sensor,
        namespace=namespace,
        parameters=[str(sensor.file), overrides],
        remappings=remappings,
        environment=dds.environment(environment),
        player=None if bag is None else _player(bag, node),
        companions=_companions(values, modality, node, dict(remappings)),
    )


def _remappings(role: str, stream: Stream, topic: str, info_topic: str) -> list[tuple[str, str]]:
    info_topic = info_topic or (sibling_camera_info(topic) if topic else stream.info_topic)
    return [(f"{role}/image", topic or stream.topic), (f"{role}/camera_info", info_topic)]


def _refuse_misspelt(unknown: set[str], known: list[str]) -> None:
    for name in sorted(unknown):
        if close := get_close_matches(name, known, n=1, cutoff=0.8):
            raise ConfigError(f"unknown launch argument {name!r}, did you mean {close[0]}?")


def _bag(path: str) -> Path | None:
    if not path:
        return None
    bag = Path(path).expanduser()
    if not bag.exists():
        raise ConfigError(f"bag: {path!r} does not exist")
    if bag.suffix == ".bag":
        raise ConfigError(f"bag: {path!r} is a ROS 1 bag: run rosbags-convert on it, or robself replay")
    if bag.is_dir() and not (bag / "metadata.yaml").is_file():
        raise ConfigError(f"bag: {path!r} holds no metadata.yaml, so it is no rosbag2 folder")
    return bag


def _player(bag: Path, node: str) -> list[str]:
    wait = [sys.executable, "-m", "robself_ros.wait_until_active", node, "--"]
    return [*wait, "ros2", "bag", "play", str(bag), "--clock"]


def _companions(
    values: Mapping[str, str], modality: str, node: str, remapped: Mapping[str, str]
) -> list[Companion]:
    companions = []
    if _choice(values, "pointcloud", SWITCH):
        if modality != "depth":
            raise ConfigError(f"pointcloud: a {modality} source has no depth, expected false")
        companions.append(point_cloud(node))
    if _choice(values, "rviz", SWITCH):
        inputs = {name: _resolved(remapped[name.lstrip("/")], node) for name in RVIZ_INPUTS}
        companions.append(rviz(node, inputs, values["fixed_frame"]))
    return companions


def _resolved(topic: str, node: str) -> str:
    """What ROS makes of a topic's name in our node."""
    namespace = node.rpartition("/")[0]
    if topic.startswith("~/"):
        return f"{node}/{topic[2:]}"
    return topic if topic.startswith("/") else f"{namespace}/{topic}"


def _choice(values: Mapping[str, str], name: str, choices: Mapping[str, bool]) -> bool:
    value = values[name]
    if value.lower() not in choices:
        *others, last = choices
        raise ConfigError(f"{name}: {value!r}: expected {', '.join(others)} or {last}")
    return choices[value.lower()]
