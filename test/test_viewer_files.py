"""The files for RViz and Foxglove show topics and fields that exist."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from robself_ros.msg import Status

from robself.output_topics import output_topics
from robself_ros.companions import RVIZ_INPUTS, points_topic
from robself_ros.sensors import load_sensor
from robself_ros.share import share_directory

OUTPUTS = {*output_topics(), points_topic()}
RVIZ = yaml.safe_load((share_directory() / "rviz" / "robself.rviz").read_text(encoding="utf-8"))
FOXGLOVE = json.loads((share_directory() / "foxglove" / "robself.json").read_text(encoding="utf-8"))
DISPLAYS = {one["Name"]: one for one in RVIZ["Visualization Manager"]["Displays"]}
RELIABLE, BEST_EFFORT = "Reliable", "Best Effort"


def values_of(tree: object, key: str) -> Iterator[str]:
    """What stands under a key, anywhere in a JSON tree."""
    if isinstance(tree, dict):
        yield from (value for name, value in tree.items() if name == key)
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from values_of(branch, key)


def panels_of(layout: object) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
    else:
        yield from panels_of(layout["first"])
        yield from panels_of(layout["second"])


def test_rviz_shows_inputs_outputs_points_and_frames():
    shown = {one["Topic"]["Value"] for one in DISPLAYS.values() if "Topic" in one}
    assert shown <= {*OUTPUTS, *RVIZ_INPUTS}
    assert shown >= {*RVIZ_INPUTS, output_topics().sr, output_topics().guide_aligned, points_topic()}
    assert "rviz_default_plugins/TF" in {one["Class"] for one in DISPLAYS.values()}


@pytest.mark.parametrize("name", [name for name, one in DISPLAYS.items() if "Topic" in one])
def test_rviz_asks_for_no_more_than_is_offered(name):
    """Cameras and depth_image_proc publish by best effort: a reliable subscriber would get nothing."""
    topic = DISPLAYS[name]["Topic"]
    offered = RELIABLE if topic["Value"] in output_topics() else BEST_EFFORT
    assert topic["Reliability Policy"] == offered


def test_foxglove_shows_topics_of_the_node_and_of_the_generic_sensor():
    sensor = load_sensor("generic_depth")
    inputs = {sensor.source.topic, sensor.source.info_topic}
    images = {*values_of(FOXGLOVE, "imageTopic"), *values_of(FOXGLOVE, "calibrationTopic")}
    assert images <= OUTPUTS | inputs
    assert images >= {sensor.source.topic, output_topics().sr, output_topics().guide_aligned}
    assert set(FOXGLOVE["configById"]["3D!points"]["topics"]) == {points_topic()}
    assert list(values_of(FOXGLOVE, "topicToRender")) == ["/diagnostics"]


def test_foxglove_plots_fields_of_the_status():
    plotted = {path["value"] for paths in values_of(FOXGLOVE, "paths") for path in paths}
    fields = {re.fullmatch(rf"{output_topics().status}\.(\w+)", path)[1] for path in plotted}
    assert fields <= set(Status.get_fields_and_field_types())
    assert fields >= {"latency_seconds", "consistency_before", "consistency_after"}


def test_every_panel_of_foxglove_is_laid_out_once():
    assert sorted(panels_of(FOXGLOVE["layout"])) == sorted(FOXGLOVE["configById"])
