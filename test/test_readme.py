"""The README's reference is what the code says."""

from pathlib import Path
from typing import Any, get_origin

import pytest

from robself.config import RobSelfConfig, presets
from robself_ros.activity import ROLES
from robself_ros.declaration import LIVE, field_of
from robself_ros.lifecycle_node import RobSelfNode
from robself_ros.outputs import TOPICS
from robself_ros.parameters import NodeParameters
from robself_ros.sensors import load_sensor, sensor_names
from robself_ros.validation import keys

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def default_of(name: str) -> Any:
    value: Any = NodeParameters()
    for part in name.split("."):
        value = getattr(value, part)
    return str(value).lower() if isinstance(value, bool) else value


@pytest.mark.parametrize("name", keys(NodeParameters))
def test_every_parameter_is_listed_with_type_default_and_meaning(name):
    field = field_of(name)
    is_list = get_origin(field.annotation) is list
    kind = {float: "double", int: "int", bool: "bool"}.get(field.annotation, "string")
    kind = f"double[{len(default_of(name))}]" if is_list else kind
    assert f"| `{name}` | {kind} | `{default_of(name)}` | {field.description} |" in README


def test_the_parameters_that_may_change_while_active_are_named():
    told = ", ".join(f"`{section}*`" for section in LIVE)
    assert f"{' and '.join(told.rsplit(', ', 1))} may be changed while the node is active" in README


@pytest.mark.ros
def test_every_service_and_topic_of_the_node_is_listed(context):
    node = RobSelfNode(context=context)
    services = dict(node.get_service_names_and_types_by_node(node.get_name(), node.get_namespace()))
    node.destroy_node()
    own = {name: kind for name, (kind,) in services.items() if kind.startswith("std_srvs/")}
    assert own
    for name, kind in own.items():
        assert f"| `~/{name.rpartition('/')[2]}` | {kind.replace('/srv/', '/')} |" in README
    cameras = [f"{role}/{what}" for role in ROLES for what in ("image", "camera_info")]
    for topic in (*cameras, "/tf_static", "/diagnostics", *(topic for topic, _ in TOPICS.values())):
        assert f"| `{topic}` |" in README


@pytest.mark.parametrize("name", sensor_names())
def test_every_sensor_is_listed_with_its_topics(name):
    sensor = load_sensor(name)
    source, guide = (
        f"`{stream.topic}` {', '.join(stream.encodings)}" for stream in (sensor.source, sensor.guide)
    )
    factor = sensor.parameters.factor or "from sizes"
    assert f"| `{name}` | {sensor.title} | {source} | {guide} | {factor} |" in README


@pytest.mark.parametrize("name", presets())
def test_every_network_preset_is_listed_with_its_settings(name):
    model = RobSelfConfig.from_preset(name).model
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
    eta = "none" if model.eta is None else model.eta
    settings = f"{model.levels} | {{{model.large_kernel}, {model.small_kernel}}} | {eta} | {1 + model.separate_heads} |"
    assert row.endswith(settings)
