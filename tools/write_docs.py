"""Write the pages of docs/ that are made from the code: one a sensor, and the node's reference.

    .venv/bin/python tools/write_docs.py

A test compares them with what this would write, so that they cannot go stale.
"""

from __future__ import annotations

from math import isinf
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from robself_ros.conversions import guide_encodings, source_encodings
from robself_ros.declaration import descriptor, field_of
from robself_ros.launching import arguments, plan
from robself_ros.outputs import TOPICS
from robself_ros.parameters import NodeParameters
from robself_ros.qos_overrides import CHOICES, OVERRIDABLE
from robself_ros.sensors import Sensor, load_sensor, sensor_names
from robself_ros.validation import keys

PROJECT = Path(__file__).resolve().parents[1]
DOCS = PROJECT / "docs"
ROS_TYPES = {bool: "bool", int: "int", float: "double", str: "string", list: "double[]"}
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def pages() -> dict[Path, str]:
    """Every page by its file."""
    sensors = [load_sensor(name) for name in sensor_names()]
    each = {DOCS / "sensors" / f"{sensor.name}.md": sensor_page(sensor) for sensor in sensors}
    index = TEMPLATES.get_template("sensors.md.j2").render(sensors=sensors)
    return {DOCS / "sensors" / "index.md": index, DOCS / "node.md": node_page(), **each}


def sensor_page(sensor: Sensor) -> str:
    """How to run a sensor, and what to expect of it."""
    modality = sensor.parameters.modality
    defaults = NodeParameters(modality=modality)
    settings = {name: value_at(sensor.parameters, name) for name in keys(NodeParameters)}
    remappings = [
        f"-r {one}:={other}" for one, other in plan({"sensor": sensor.name}, modality, {}).remappings
    ]
    return TEMPLATES.get_template("sensor.md.j2").render(
        sensor=sensor,
        parameters=sensor.parameters,
        launch_file=f"{modality}_sr.launch.py",
        remappings=remappings,
        driver=[" ".join(line.split()) for line in sensor.driver],
        settings={name: value for name, value in settings.items() if value != value_at(defaults, name)},
        description=lambda name: field_of(name).description,
    )


def node_page() -> str:
    """Topics, encodings, parameters and launch arguments."""
    return TEMPLATES.get_template("node.md.j2").render(
        published=[(topic, ros_name(kind)) for topic, kind in TOPICS.values()],
        encodings={
            "source, depth": sorted(source_encodings("depth")),
            "source, NIR": sorted(source_encodings("nir")),
            "guide": sorted(guide_encodings()),
        },
        qos_policies={
            kind.name.lower(): ", ".join(CHOICES.get(kind.name.lower(), ["an integer of at least 1"]))
            for kind in OVERRIDABLE.policy_kinds
        },
        parameters=[parameter_row(name) for name in keys(NodeParameters)],
        arguments=[one for one in arguments("depth") if one.name != "sensor"],
        status=(PROJECT / "msg" / "Status.msg").read_text(encoding="utf-8").strip(),
    )


def parameter_row(name: str) -> tuple[str, ...]:
    """Name, type, default, what is allowed, and meaning."""
    default = value_at(NodeParameters(), name)
    told = str(default).lower() if isinstance(default, bool) else str(default)
    return name, ROS_TYPES[type(default)], told, allowed(name), field_of(name).description


def allowed(name: str) -> str:
    """The range or the choices that ROS tools show."""
    described = descriptor(name)
    if described.additional_constraints:
        return described.additional_constraints
    for bounds in (*described.floating_point_range, *described.integer_range):
        low, high = bounds.from_value, bounds.to_value
        endless = isinf(high) or high == 2**63 - 1
        return f"at least {low:g}" if endless else f"{low:g} to {high:g}"
    return ""


def value_at(parameters: NodeParameters, name: str) -> Any:
    value: Any = parameters
    for part in name.split("."):
        value = getattr(value, part)
    return value


def ros_name(kind: type) -> str:
    """`sensor_msgs/Image` for the class of that message."""
    return f"{kind.__module__.partition('.')[0]}/{kind.__name__}"


def main() -> None:
    """Write what differs."""
    for file, text in pages().items():
        file.parent.mkdir(exist_ok=True)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"write_docs: {file.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
