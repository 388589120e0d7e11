"""Nodes of other packages that the launch files start on demand beside ours: a point cloud and RViz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from robself.output_topics import NODE, output_topics
from robself_ros.share import share_directory

# What the RViz file names the inputs, whose real names the sensor decides.
RVIZ_INPUTS = ("/source/image", "/guide/image")


@dataclass(frozen=True)
class Companion:
    """A node to start: what `launch_ros.actions.Node` takes."""

    package: str
    executable: str
    remappings: list[tuple[str, str]]
    parameters: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    arguments: list[str] = field(default_factory=list)


def points_topic(node: str = NODE) -> str:
    """Where the point cloud of a node of that name, namespace included, is published."""
    return f"{node}/sr/points"


def point_cloud(node: str) -> Companion:
    """depth_image_proc: super-resolved depth with the colours of the aligned guide.

    Both are of one size, in the depth camera's frame and of one stamp, so one camera_info serves both. Humble
    asks for `rgb/camera_info`, later distributions for the sibling of the image's own topic.
    """
    topics = output_topics(node)
    beside_the_guide = topics.guide_aligned.rpartition("/")[0] + "/camera_info"
    return Companion(
        package="depth_image_proc",
        executable="point_cloud_xyzrgb_node",
        name="robself_points",
        remappings=[
            ("depth_registered/image_rect", topics.sr),
            ("rgb/image_rect_color", topics.guide_aligned),
            ("rgb/camera_info", topics.camera_info),
            (beside_the_guide, topics.camera_info),
            ("points", points_topic(node)),
        ],
        parameters={"exact_sync": True},
    )


def rviz(node: str, inputs: Mapping[str, str], fixed_frame: str) -> Companion:
    """RViz with the project's file, its topics put where they are.

    Args:
        node: our node's name, namespace included.
        inputs: `RVIZ_INPUTS` by name -> resolved topics.
        fixed_frame: empty: the file's.
    """
    outputs = zip((*output_topics(), points_topic()), (*output_topics(node), points_topic(node)), strict=True)
    return Companion(
        package="rviz2",
        executable="rviz2",
        remappings=[*inputs.items(), *(pair for pair in outputs if len(set(pair)) == 2)],
        arguments=["-d", str(share_directory() / "rviz" / "robself.rviz"), *_frame(fixed_frame)],
    )


def _frame(fixed_frame: str) -> list[str]:
    return ["-f", fixed_frame] if fixed_frame else []
