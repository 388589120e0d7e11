from pathlib import Path

import pytest
import rclpy
import yaml

from robself.errors import ConfigError
from robself_ros.sensors import load_sensor, sensor_names, sibling_camera_info
from robself_ros.validation import keys

SENSORS = {
    "azure_kinect": ("depth", "/depth/image_raw", "/rgb/image_raw"),
    "azure_kinect_ir": ("nir", "/ir/image_raw", "/rgb/image_raw"),
    "generic_depth": ("depth", "/depth/image_raw", "/rgb/image_raw"),
    "generic_nir": ("nir", "/nir/image_raw", "/rgb/image_raw"),
    "iphone_arkit": ("depth", "/iphone/depth/image_raw", "/iphone/rgb/image_raw"),
    "kinect_v2": ("depth", "/kinect2/sd/image_depth", "/kinect2/qhd/image_color"),
    "kinect_v2_ir": ("nir", "/kinect2/sd/image_ir", "/kinect2/qhd/image_color"),
    "oak_d": ("depth", "/oak/stereo/image_raw", "/oak/rgb/image_raw"),
    "orbbec_femto": ("depth", "/camera/depth/image_raw", "/camera/color/image_raw"),
    "orbbec_femto_ir": ("nir", "/camera/ir/image_raw", "/camera/color/image_raw"),
    "orbbec_gemini330": ("depth", "/camera/depth/image_raw", "/camera/color/image_raw"),
    "realsense_d405": (
        "depth",
        "/camera/camera/depth/image_rect_raw",
        "/camera/camera/color/image_rect_raw",
    ),
    "realsense_d435i": ("depth", "/camera/camera/depth/image_rect_raw", "/camera/camera/color/image_raw"),
    "realsense_d455": ("depth", "/camera/camera/depth/image_rect_raw", "/camera/camera/color/image_raw"),
    "realsense_ir": ("nir", "/camera/camera/infra1/image_rect_raw", "/camera/camera/color/image_raw"),
    "rgb_nir": ("nir", "/nir/image_raw", "/rgb/image_raw"),
    "thermal": ("nir", "/thermal/image_raw", "/rgb/image_raw"),
    "zed": ("depth", "/zed/zed_node/depth/depth_registered", "/zed/zed_node/rgb/color/rect/image"),
}


def test_every_sensor_of_the_table_has_a_preset():
    assert sensor_names() == sorted(SENSORS)


@pytest.mark.parametrize("name", SENSORS)
def test_a_preset_names_its_topics(name):
    sensor = load_sensor(name)
    assert (sensor.parameters.modality, sensor.source.topic, sensor.guide.topic) == SENSORS[name]
    assert sensor.source.info_topic.rpartition("/")[0] == sensor.source.topic.rpartition("/")[0]


@pytest.mark.parametrize("name", SENSORS)
def test_ros_reads_a_preset_as_the_schema_does(name):
    sensor = load_sensor(name)
    read = parameters_that_a_node_gets("robself_node", sensor.file)
    assert read
    assert {key: value_at(sensor.parameters.model_dump(), key) for key in read} == read


def test_the_topics_of_a_preset_reach_no_node_as_parameters():
    assert "title" not in parameters_that_a_node_gets("robself_node", load_sensor("zed").file)


@pytest.mark.parametrize("name", [name for name, (modality, *_) in SENSORS.items() if modality == "depth"])
def test_depth_presets_have_a_range_in_metres(name):
    parameters = load_sensor(name).parameters
    assert 0 < parameters.depth_min < parameters.depth_max <= 20


def test_a_sensor_of_your_own_is_a_path(tmp_path):
    assert load_sensor(str(edited(tmp_path, {}))).name == "mine"


@pytest.mark.parametrize(
    ("name", "hint"), [("azur_kinect", "did you mean azure_kinect"), ("xyz", "expected one of azure_kinect,")]
)
def test_an_unknown_sensor_is_answered_with_the_known_ones(name, hint):
    with pytest.raises(ConfigError, match=f"unknown sensor '{name}', {hint}"):
        load_sensor(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"/**.sync.slopp": 0.02}, r"mine.yaml: /\*\*: unknown key 'sync.slopp', did you mean sync.slop"),
        ({"/**.sync.slop": "fast"}, r"mine.yaml: /\*\*: sync.slop: 'fast': expected a valid number"),
        ({"/**.depth_min": -1.0}, r"mine.yaml: /\*\*: depth_min: -1.0: expected at least 0"),
        ({"/**.depth_min": 9.0}, r"mine.yaml: /\*\*: depth_min 9.0 m, depth_max 5.46 m: expected min < max"),
        ({"/**.device": "gpu"}, r"device: 'gpu': expected auto, cpu, cuda or cuda:N"),
        ({"/**.factor": 2}, r"mine.yaml: /\*\*.factor: 2: expected a floating-point number, write 2.0"),
        ({"/**.extrinsics.rpy": [0, 0.0, 0.0]}, r"extrinsics.rpy: 0: expected a floating-point number"),
        ({"/**.preset": "robt"}, "preset: 'robt'.*robot"),
        (
            {"robself_sensor.source.topic": "/depth image"},
            "source.topic: '/depth image': expected a topic name",
        ),
        (
            {"robself_sensor.source.encodings": ["16UC2"]},
            "source.encodings.0: '16UC2': expected one of .*16UC1",
        ),
        ({"robself_sensor.source.encodings": []}, "source.encodings: .*at least 1 item"),
        ({"robself_sensor.sorce": {}}, "unknown key 'sorce', did you mean source"),
        ({"robself_sensor.title": None}, "title: None: expected a valid string"),
    ],
)
def test_what_is_wrong_in_a_preset_is_named(tmp_path, change, message):
    with pytest.raises(ConfigError, match=message):
        load_sensor(str(edited(tmp_path, change)))


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"sensor file '/nowhere/mine.yaml' does not exist"):
        load_sensor("/nowhere/mine.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "mine.yaml is no YAML file"),
        ("[]", "no parameters under robself_sensor"),
        ("robself_sensor: {ros__parameters: {}}", r"no parameters under /\*\*"),
        (
            "robself_sensor: {ros__parameters: {}}\n/**: {ros__parameters: {}}\nother: 1",
            "unknown section 'other'",
        ),
    ],
)
def test_a_file_that_is_no_preset_is_named(tmp_path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_sensor(str(file))


@pytest.mark.parametrize(
    ("topic", "info"),
    [
        ("/camera/depth/image_raw", "/camera/depth/camera_info"),
        ("depth/image", "depth/camera_info"),
        ("/image", "/camera_info"),
        ("image", "camera_info"),
    ],
)
def test_camera_info_lies_beside_the_image(topic, info):
    assert sibling_camera_info(topic) == info


def test_dotted_keys_cover_nested_parameters():
    assert {"preset", "sync.slop"} <= set(keys(type(load_sensor("zed").parameters)))


def edited(folder: Path, changes: dict) -> Path:
    """A copy of the Azure Kinect's preset with the dotted keys changed."""
    content = yaml.safe_load(load_sensor("azure_kinect").file.read_text())
    for dotted, value in changes.items():
        section, *path, last = dotted.split(".")
        place = content[section]["ros__parameters"]
        for key in path:
            place = place.setdefault(key, {})
        place[last] = value
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def parameters_that_a_node_gets(node_name: str, file: Path) -> dict:
    context = rclpy.Context()
    rclpy.init(args=["--ros-args", "--params-file", str(file)], context=context)
    try:
        node = rclpy.create_node(
            node_name,
            context=context,
            automatically_declare_parameters_from_overrides=True,
            enable_rosout=False,
            start_parameter_services=False,
        )
        read = {name: parameter.value for name, parameter in node.get_parameters_by_prefix("").items()}
    finally:
        rclpy.shutdown(context=context)
    return {name: as_list(value) for name, value in read.items() if name not in OF_EVERY_NODE}


OF_EVERY_NODE = {"use_sim_time", "start_type_description_service"}


def as_list(value):
    return list(value) if hasattr(value, "typecode") else value


def value_at(tree: dict, dotted: str):
    for key in dotted.split("."):
        tree = tree[key]
    return list(tree) if isinstance(tree, tuple) else tree
