"""How the node starts, and how it refuses to."""

import pytest
from middleware import of_fast_dds
from node_process import NodeProcess
from robot import Robot

from robself_ros import dds
from robself_ros.sensors import load_sensor

pytestmark = pytest.mark.ros


@pytest.mark.parametrize(
    "parameters, told",
    [
        ({"presett": "robot"}, "parameters: unknown parameter 'presett', did you mean preset?"),
        ({"preset": "task9"}, "parameters: preset: 'task9': expected one of task1_x4,"),
        ({"sync.slop": 2.0}, "parameters: sync.slop: 2.0: expected more than 0 and at most 1"),
        (
            {"qos_overrides./sorce/image.subscription.depth": 1},
            "did you mean qos_overrides./source/image.subscription.depth",
        ),
        ({"use_sim_time": 1}, "parameters: use_sim_time: 1: expected true or false"),
        ({"device": "cuda:77"}, "device: 'cuda:77' cannot be used"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_parameter_ends_the_start_with_one_line_and_exit_code_2(tmp_path, parameters, told):
    with NodeProcess(tmp_path, parameters) as node:
        assert node.ends() == 2
    line = the_one_line_of(node)
    assert told in line


@pytest.mark.parametrize(
    "content, told",
    [
        (None, "Error opening YAML file"),
        ("/**:\n  ros__parameters:\n   preset: [", "Couldn't parse params file"),
    ],
    ids=["missing", "not YAML"],
)
def test_a_wrong_parameter_file_ends_the_start_with_one_line_and_exit_code_2(tmp_path, content, told):
    file = tmp_path / "given.yaml"
    if content is not None:
        file.write_text(content)
    with NodeProcess(tmp_path, {}, "--params-file", str(file)) as node:
        assert node.ends() == 2
    line = the_one_line_of(node)
    assert told in line
    assert str(file) in line


def test_an_unknown_argument_ends_the_start_with_one_line_and_exit_code_2(tmp_path):
    with NodeProcess(tmp_path, {}, "--", "--sensor", "zed") as node:
        assert node.ends() == 2
    assert "unknown argument '--sensor'" in the_one_line_of(node)


def test_a_sensor_preset_a_namespace_and_remappings_hold(tmp_path):
    remapped = {
        "__ns": "/front",
        "source/image": "/depth/image_raw",
        "source/camera_info": "/depth/camera_info",
        "guide/image": "rgb/image_raw",
        "guide/camera_info": "rgb/camera_info",
    }
    options = [option for rule in remapped.items() for option in ("-r", ":=".join(rule))]
    options += ["--params-file", str(load_sensor("azure_kinect").file)]
    topics = {"source_topic": "/depth/image_raw", "guide_topic": "/front/rgb/image_raw"}
    with (
        NodeProcess(tmp_path, {}, *options).wait_until_active() as node,
        Robot(node.domain, "/front/robself_node", listens_to=("sr", "status"), **topics).meet() as robot,
    ):
        sr = robot.result(robot.exchange(), "sr")
        assert (sr.height, sr.width) == (36, 48)
        assert robot.report("source").name == "front/robself_node: source"


@of_fast_dds
def test_defaults_of_fast_dds_are_warned_of(tmp_path):
    with NodeProcess(tmp_path, {"autostart": False}, profile=False) as node:
        node.wait_until_it_says(f"_DEFAULT_PROFILES_FILE={dds.profile()}")


def test_an_integer_is_taken_for_a_float_the_device_is_said_and_the_profile_not_warned_of(tmp_path):
    with NodeProcess(tmp_path, {"factor": 2, "device": "cpu"}).wait_until_active() as node:
        assert "computing on cpu (" in node.said
        assert "Fast DDS" not in node.said


def the_one_line_of(node: NodeProcess) -> str:
    """What the node said, beside ROS's own complaints."""
    theirs = (
        "[rcl]: Failed to parse global arguments",
        "Invalid type for parameter 'use_sim_time'",
        "FASTRTPS_DEFAULT_PROFILES_FILE value is used",  # Kilted: tests set both names
    )
    (line,) = (line for line in node.said.splitlines() if not any(text in line for text in theirs))
    return line
