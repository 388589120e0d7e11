"""The schema as ROS parameters of a real node."""

import pytest
from rcl_interfaces.msg import ParameterType
from rclpy.node import Node
from rclpy.parameter import Parameter

from robself.errors import ConfigError
from robself_ros.declaration import Declaration, descriptor
from robself_ros.parameters import NodeParameters
from robself_ros.validation import keys

pytestmark = pytest.mark.ros


@pytest.fixture
def declared(context):
    """A function: overrides -> a node and its declaration, free to change."""
    nodes = []

    def declare(overrides=None, may_change=lambda: True):
        node = Node(
            "declared",
            context=context,
            automatically_declare_parameters_from_overrides=True,
            parameter_overrides=[Parameter(name, value=value) for name, value in (overrides or {}).items()],
            start_parameter_services=False,
        )
        nodes.append(node)
        return node, Declaration(node, may_change)

    yield declare
    for node in nodes:
        node.destroy_node()


def test_every_parameter_of_the_schema_is_declared_with_its_default(declared):
    node, declaration = declared()
    assert all(node.has_parameter(name) for name in keys(NodeParameters))
    assert declaration.read() == NodeParameters()


def test_overrides_hold(declared):
    _, declaration = declared({"preset": "task1_x4", "sync.slop": 0.1, "extrinsics.rpy": [0.1, 0.2, 0.3]})
    read = declaration.read()
    assert (read.preset, read.sync.slop, read.extrinsics.rpy) == ("task1_x4", 0.1, [0.1, 0.2, 0.3])


def test_an_integer_is_taken_for_a_floating_point_number_and_stays_one(declared):
    node, declaration = declared({"factor": 2})
    assert declaration.read().factor == 2.0
    assert node.get_parameter("factor").type_ == Parameter.Type.DOUBLE
    node.set_parameters([Parameter("factor", value=4)])
    assert declaration.read().factor == 4.0


@pytest.mark.parametrize(
    "overrides, told",
    [
        ({"slop": 0.1}, "parameters: unknown parameter 'slop', did you mean sync.slop?"),
        ({"sync.slop": "0.1"}, "parameters: sync.slop: '0.1': expected a valid number"),
        ({"sync.queue_size": 0}, "parameters: sync.queue_size: 0: expected at least 1 and at most 1000"),
        ({"factor": 0.5}, "parameters: factor: 0.5: expected 0, or 1 to 16"),
        ({"device": "tpu"}, "parameters: device: 'tpu': expected auto, cpu, cuda or cuda:N"),
        ({"variant": "ra"}, "parameters: variant: 'ra': expected 're' or 'de'"),
        ({"extrinsics.rpy": [0.0, 0.0]}, "parameters: extrinsics.rpy: [0.0, 0.0]:"),
        ({"register_guide": 1}, "parameters: register_guide: 1: expected a valid boolean"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_parameter_is_refused_with_key_value_and_what_is_allowed(declared, overrides, told):
    with pytest.raises(ConfigError) as caught:
        declared(overrides)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_a_change_is_checked_against_the_other_parameters(declared):
    node, declaration = declared()
    (answer,) = node.set_parameters([Parameter("depth_min", value=25.0)])
    assert (answer.successful, declaration.read().depth_min) == (False, 0.1)
    assert answer.reason == "parameters: depth_min 25.0 m, depth_max 20.0 m: expected min < max"
    together = [Parameter("depth_min", value=25.0), Parameter("depth_max", value=30.0)]
    assert node.set_parameters_atomically(together).successful
    assert (declaration.read().depth_min, declaration.read().depth_max) == (25.0, 30.0)


def test_no_change_is_taken_while_the_node_may_not_change(declared):
    node, _ = declared(may_change=lambda: False)
    (answer,) = node.set_parameters([Parameter("seed", value=3)])
    assert not answer.successful
    assert answer.reason == "seed: is fixed while the node is active: deactivate it first"


def test_what_is_read_at_the_start_alone_is_read_only(declared):
    node, _ = declared()
    (answer,) = node.set_parameters([Parameter("autostart", value=False)])
    assert not answer.successful


def test_parameters_of_every_node_are_left_to_rclpy(declared):
    node, declaration = declared({"use_sim_time": True})
    assert node.get_parameter("use_sim_time").value is True
    assert declaration.read() == NodeParameters()


def test_descriptors_hold_what_tools_show():
    slop, queue, variant = descriptor("sync.slop"), descriptor("sync.queue_size"), descriptor("variant")
    assert (slop.floating_point_range[0].from_value, slop.floating_point_range[0].to_value) == (0.0, 1.0)
    assert (queue.integer_range[0].from_value, queue.integer_range[0].to_value) == (1, 1000)
    assert variant.additional_constraints == "one of re, de"
    assert all(descriptor(name).description for name in keys(NodeParameters))


def test_declared_types_are_those_of_the_defaults(declared):
    node, _ = declared()
    types = {name: node.get_parameter(name).get_parameter_value().type for name in keys(NodeParameters)}
    assert types["sync.slop"] == ParameterType.PARAMETER_DOUBLE
    assert types["extrinsics.rpy"] == ParameterType.PARAMETER_DOUBLE_ARRAY
    assert types["seed"] == ParameterType.PARAMETER_INTEGER
