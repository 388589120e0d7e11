import ast
import subprocess
import sys
from pathlib import Path

import pytest

from robself.errors import ConfigError
from robself.output_topics import output_topics
from robself_ros import dds
from robself_ros.launching import arguments, plan
from robself_ros.sensors import load_sensor, sibling_camera_info
from robself_ros.share import share_directory

LAUNCH_FILES = {"depth": "depth_sr.launch.py", "nir": "nir_sr.launch.py"}


@pytest.fixture
def bag(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    (folder / "metadata.yaml").touch()
    return folder


def test_a_sensor_gives_the_topics_and_the_parameter_file():
    sensor = load_sensor("azure_kinect")
    depth = plan({"sensor": "azure_kinect"}, "depth", {})
    assert depth.remappings == [
        ("source/image", "/depth/image_raw"),
        ("source/camera_info", "/depth/camera_info"),
        ("guide/image", "/rgb/image_raw"),
        ("guide/camera_info", "/rgb/camera_info"),
    ]
    assert depth.parameters == [str(sensor.file), {"use_sim_time": False}]
    assert depth.player is None


@pytest.mark.parametrize("modality", LAUNCH_FILES)
def test_without_arguments_the_generic_sensor_is_launched(modality):
    assert plan({}, modality).sensor.name == f"generic_{modality}"


def test_a_given_topic_brings_its_camera_info_along():
    given = {"sensor": "zed", "source_topic": "/small/depth/image", "guide_info_topic": "/left/info"}
    assert plan(given, "depth").remappings == [
        ("source/image", "/small/depth/image"),
        ("source/camera_info", "/small/depth/camera_info"),
        ("guide/image", "/zed/zed_node/rgb/color/rect/image"),
        ("guide/camera_info", "/left/info"),
    ]


def test_given_settings_come_after_the_sensors():
    given = {"preset": "task1_x4", "variant": "de", "schedule": "paper", "device": "cpu"}
    assert plan(given, "depth").parameters[1] == {**given, "use_sim_time": False}


def test_images_are_not_lost_by_default():
    assert plan({}, "depth", {}).environment == dds.environment({})


def test_a_profile_of_the_users_own_is_left_alone():
    assert plan({}, "depth", {"FASTRTPS_DEFAULT_PROFILES_FILE": "/mine.xml"}).environment == {}


def test_a_bag_is_played_with_its_clock_once_the_node_is_active(bag):
    with_bag = plan({"bag": str(bag), "namespace": "front"}, "depth")
    assert with_bag.player == [
        *(sys.executable, "-m", "robself_ros.wait_until_active", "/front/robself_node", "--"),
        *("ros2", "bag", "play", str(bag), "--clock"),
    ]
    assert with_bag.parameters[1]["use_sim_time"] is True


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("False", False), ("auto", True)])
def test_the_clock_can_be_chosen(bag, value, expected):
    assert plan({"bag": str(bag), "use_sim_time": value}, "depth").parameters[1]["use_sim_time"] is expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sensor": "azure_kinekt"}, "unknown sensor 'azure_kinekt', did you mean azure_kinect"),
        ({"sensor": "/nowhere/mine.yaml"}, "sensor file '/nowhere/mine.yaml' does not exist"),
        ({"sensor": "thermal"}, "sensor 'thermal' is a nir sensor: launch nir_sr.launch.py"),
        ({"sensors": "zed"}, "unknown launch argument 'sensors', did you mean sensor?"),
        ({"source_topik": "/a"}, "unknown launch argument 'source_topik', did you mean source_topic?"),
        ({"preset": "robt"}, "launch arguments: preset: 'robt'"),
        ({"variant": "rr"}, "launch arguments: variant: 'rr': expected 're' or 'de'"),
        ({"schedule": "fast"}, "launch arguments: schedule: 'fast'"),
        ({"guide_topic": "rgb image"}, "launch arguments: guide_topic: 'rgb image': expected a topic name"),
        ({"namespace": "front camera"}, "launch arguments: namespace: 'front camera'"),
        ({"use_sim_time": "maybe"}, "use_sim_time: 'maybe': expected true, false or auto"),
        ({"pointcloud": "yes"}, "pointcloud: 'yes': expected true or false"),
        ({"rviz": "on"}, "rviz: 'on': expected true or false"),
        ({"bag": "/nowhere"}, "bag: '/nowhere' does not exist"),
    ],
)
def test_a_wrong_argument_stops_the_launch_with_one_line(given, message):
    with pytest.raises(ConfigError, match=message) as raised:
        plan(given, "depth")
    assert "\n" not in str(raised.value)


def test_nothing_is_started_beside_the_node_unless_asked_for():
    assert plan({}, "depth").companions == []


def test_a_point_cloud_takes_depth_colour_and_camera_from_the_node():
    (cloud,) = plan({"pointcloud": "true", "namespace": "front"}, "depth").companions
    node = "/front/robself_node"
    inputs = dict(cloud.remappings)
    assert (cloud.package, cloud.executable) == ("depth_image_proc", "point_cloud_xyzrgb_node")
    assert inputs["depth_registered/image_rect"] == f"{node}/sr/image"
    assert inputs["rgb/image_rect_color"] == f"{node}/guide_aligned/image"
    assert inputs["points"] == f"{node}/sr/points"
    assert cloud.parameters == {"exact_sync": True}


def test_a_point_cloud_finds_its_camera_info_in_every_distribution():
    """Humble subscribes to rgb/camera_info, Jazzy and Kilted to what lies beside the resolved image topic."""
    (cloud,) = plan({"pointcloud": "true"}, "depth").companions
    inputs = dict(cloud.remappings)
    sibling = sibling_camera_info(inputs["rgb/image_rect_color"])
    assert inputs["rgb/camera_info"] == inputs[sibling] == output_topics().camera_info


def test_infrared_has_no_points():
    with pytest.raises(ConfigError, match="pointcloud: a nir source has no depth, expected false"):
        plan({"pointcloud": "true"}, "nir")


def test_rviz_shows_the_sensors_images_and_the_outputs_of_the_node_in_its_namespace():
    given = {"rviz": "true", "sensor": "azure_kinect", "namespace": "front", "guide_topic": "rgb/small"}
    (shown,) = plan(given, "depth").companions
    renamed = dict(shown.remappings)
    assert renamed["/source/image"] == "/depth/image_raw"
    assert renamed["/guide/image"] == "/front/rgb/small"
    assert renamed["/robself_node/sr/image"] == "/front/robself_node/sr/image"
    assert renamed["/robself_node/sr/points"] == "/front/robself_node/sr/points"
    assert shown.arguments == ["-d", str(share_directory() / "rviz" / "robself.rviz")]


def test_without_a_namespace_rviz_is_told_the_inputs_alone():
    (shown,) = plan({"rviz": "true"}, "nir").companions
    assert shown.remappings == [("/source/image", "/nir/image_raw"), ("/guide/image", "/rgb/image_raw")]


def test_rviz_can_be_given_a_frame():
    (shown,) = plan({"rviz": "true", "fixed_frame": "camera_depth_optical_frame"}, "depth").companions
    assert shown.arguments[-2:] == ["-f", "camera_depth_optical_frame"]


def test_a_private_topic_is_the_nodes():
    (shown,) = plan({"rviz": "true", "source_topic": "~/depth"}, "depth").companions
    assert dict(shown.remappings)["/source/image"] == "/robself_node/depth"


def test_a_ros_1_bag_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "old.bag").touch()
    with pytest.raises(ConfigError, match="ROS 1 bag: run rosbags-convert"):
        plan({"bag": str(tmp_path / "old.bag")}, "depth")


def test_a_folder_that_is_no_bag_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no rosbag2 folder"):
        plan({"bag": str(tmp_path)}, "depth")


def test_arguments_of_an_including_launch_file_pass():
    assert plan({"robot_model": "rover"}, "depth").sensor.name == "generic_depth"


@pytest.mark.parametrize("modality", LAUNCH_FILES)
def test_the_launch_files_differ_by_their_modality_alone(modality):
    source = (share_directory() / "launch" / LAUNCH_FILES[modality]).read_text()
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls] == [f"launch_description('{modality}')"]


@pytest.mark.parametrize("modality", LAUNCH_FILES)
def test_a_launch_file_declares_the_arguments(modality):
    launch = pytest.importorskip("launch.actions", reason="no ROS 2 installation: launch is not on PyPI")
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    file = str(share_directory() / "launch" / LAUNCH_FILES[modality])
    entities = get_launch_description_from_python_launch_file(file).entities
    declared = {one.name for one in entities if isinstance(one, launch.DeclareLaunchArgument)}
    assert declared == {argument.name for argument in arguments(modality)}


def test_planning_a_launch_needs_no_torch():
    code = "import sys, robself_ros.launching as l; l.plan({}, 'depth'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path("/")).returncode == 0
