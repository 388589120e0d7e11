"""What differs between ROS 2 distributions is in one module and, of Fast DDS, in `dds`; it is what this one has."""

import re
from pathlib import Path

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter

from robself_ros import distributions

CODE = Path(distributions.__file__).parent
DIFFERS = re.compile(r"qos_event|rclpy\.event_handler|add_pre_set_parameters_callback|\bhumble\b")


def test_no_other_module_knows_of_the_differences():
    knowing = {file.name for file in CODE.glob("*.py") if DIFFERS.search(file.read_text(encoding="utf-8"))}
    assert knowing == {"distributions.py", "dds.py"}


def test_matched_events_are_there_where_a_publisher_takes_them():
    def given():
        return distributions.PublisherEventCallbacks(matched=lambda event: None)

    if distributions.HAS_MATCHED_EVENTS:
        assert given()
    else:
        with pytest.raises(TypeError):
            given()


class LikeHumble(Node):
    @property
    def add_pre_set_parameters_callback(self):
        raise AttributeError


@pytest.mark.ros
@pytest.mark.parametrize("kind", [Node, LikeHumble])
def test_values_are_converted_before_ros_compares_types(context, kind):
    node = kind("converting", context=context)
    node.declare_parameter("factor", 1.0)
    distributions.convert_before_set(
        node, lambda changes: [Parameter(one.name, value=float(one.value)) for one in changes]
    )
    (done,) = node.set_parameters([Parameter("factor", value=2)])
    assert done.successful and node.get_parameter("factor").value == 2.0
    assert node.set_parameters_atomically([Parameter("factor", value=3)]).successful
    assert node.get_parameter("factor").value == 3.0
    node.destroy_node()
