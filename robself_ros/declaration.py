"""The schema `NodeParameters` as ROS parameters: declared with descriptors, checked on every change."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from robself.errors import ConfigError
from robself_ros.distributions import convert_before_set
from robself_ros.parameters import NodeParameters
from robself_ros.qos_overrides import PREFIX
from robself_ros.validation import keys, unknown, validated

# Only read when the node starts: to set them later would change nothing.
READ_ONLY = {"autostart"}
# Declared by rclpy itself.
OF_EVERY_NODE = {"use_sim_time", "start_type_description_service"}
# What may change from one pair to the next; everything else is fixed while the node is active.
LIVE = ("budget.", "keyframe.", "calibration.")
LARGEST_INTEGER = 2**63 - 1


class Declaration:
    """Declares a node's parameters from its overrides, and guards them afterwards.

    Args:
        node: made with `automatically_declare_parameters_from_overrides`, so that what was given on the
            command line and in parameter files is there to be read.
        may_change: whether those can be set now that are not LIVE.
        on_change: takes the parameters as they are going to be.

    Raises:
        ConfigError: an unknown parameter, a wrong type or a value out of range: key, value, what is allowed.
    """

    def __init__(
        self,
        node: Node,
        may_change: Callable[[], bool],
        on_change: Callable[[NodeParameters], None] = lambda parameters: None,
    ) -> None:
        self._node, self._may_change, self._on_change = node, may_change, on_change
        given = _given(node)
        # rclpy logs a wrong one and goes on by the wrong clock.
        if not isinstance(sim_time := node.get_parameter("use_sim_time").value, bool):
            raise ConfigError(f"parameters: use_sim_time: {sim_time!r}: expected true or false")
        known = keys(NodeParameters)
        for name in given:
            if name not in known:
                raise ConfigError(f"parameters: {unknown('parameter', name, known)}")
        values = _checked(given)
        for name, default in _flat(values.model_dump()).items():
            if node.has_parameter(name):  # as an override, without a descriptor and perhaps as an integer
                node.undeclare_parameter(name)
            node.declare_parameter(name, default, descriptor(name), ignore_override=True)
        convert_before_set(node, _with_doubles)
        node.add_on_set_parameters_callback(self._on_set)

    def read(self) -> NodeParameters:
        """The parameters as they are now.

        Raises:
            ConfigError: values that do not fit each other.
        """
        return _checked(_given(self._node))

    def _on_set(self, changes: list[Parameter]) -> SetParametersResult:
        overrides = [change.name for change in changes if change.name.startswith(PREFIX)]
        for name in filter(self._node.has_parameter, overrides):  # else ROS itself declares it now
            reason = f"{name}: is fixed once the node runs: give it when the node is started"
            return SetParametersResult(successful=False, reason=reason)
        ours = {
            change.name: change.value
            for change in changes
            if change.name not in OF_EVERY_NODE and change.name not in overrides
        }
        if not ours:
            return SetParametersResult(successful=True)
        fixed = [name for name in ours if not name.startswith(LIVE)]
        if fixed and not self._may_change():
            reason = f"{min(fixed)}: is fixed while the node is active: deactivate it first"
            return SetParametersResult(successful=False, reason=reason)
        try:
            parameters = _checked({**_given(self._node), **_plain(ours)})
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._on_change(parameters)
        return SetParametersResult(successful=True)


def descriptor(name: str) -> ParameterDescriptor:
    """What ROS tools show of a parameter and hold its values to, by its dotted name."""
    field = field_of(name)
    described = ParameterDescriptor(description=field.description or "", read_only=name in READ_ONLY)
    low, high = _bounds(field.metadata)
    if field.annotation is float and (low, high) != (None, None):
        described.floating_point_range = [
            FloatingPointRange(
                from_value=float("-inf") if low is None else float(low),
                to_value=float("inf") if high is None else float(high),
            )
        ]
    elif field.annotation is int and (low, high) != (None, None):
        described.integer_range = [
            IntegerRange(
                from_value=-LARGEST_INTEGER if low is None else low,
                to_value=LARGEST_INTEGER if high is None else high,
            )
        ]
    elif choices := [choice for choice in get_args(field.annotation) if isinstance(choice, str)]:
        described.additional_constraints = f"one of {', '.join(choices)}"
    return described


def field_of(name: str) -> FieldInfo:
    model: type[BaseModel] = NodeParameters
    *sections, last = name.split(".")
    for section in sections:
        model = model.model_fields[section].annotation
    return model.model_fields[last]


def _bounds(metadata: Iterable[Any]) -> tuple[Any, Any]:
    low = high = None
    for constraint in metadata:
        if isinstance(constraint, Ge | Gt):
            low = constraint.ge if isinstance(constraint, Ge) else constraint.gt
        elif isinstance(constraint, Le | Lt):
            high = constraint.le if isinstance(constraint, Le) else constraint.lt
    return low, high


def _given(node: Node) -> dict[str, Any]:
    """The node's parameters by dotted name, without those of every node."""
    return _plain(
        {
            name: parameter.value
            for name, parameter in node.get_parameters_by_prefix("").items()
            if name not in OF_EVERY_NODE and not name.startswith(PREFIX)
        }
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, array) else value for name, value in values.items()}


def _checked(dotted: Mapping[str, Any]) -> NodeParameters:
    nested: dict[str, Any] = {}
    for name, value in dotted.items():
        *sections, last = name.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return validated(NodeParameters, nested, "parameters")


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    dotted: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            dotted |= _flat(value, f"{prefix}{name}.")
        else:
            dotted[prefix + name] = value
    return dotted


def _with_doubles(changes: list[Parameter]) -> list[Parameter]:
    """`ros2 param set … factor 2` means 2.0, and `[0, 1, 0]` doubles: ROS itself would refuse them for their type."""
    known = keys(NodeParameters)
    return [_with_double(change) if change.name in known else change for change in changes]


def _with_double(change: Parameter) -> Parameter:
    if change.type_ == Parameter.Type.INTEGER_ARRAY:  # no parameter is a list of integers
        return Parameter(change.name, Parameter.Type.DOUBLE_ARRAY, [float(value) for value in change.value])
    if change.type_ == Parameter.Type.INTEGER and field_of(change.name).annotation is float:
        return Parameter(change.name, Parameter.Type.DOUBLE, float(change.value))
    return change
