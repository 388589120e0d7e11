"""Super-resolve depth images by RGB.

    ros2 launch robself_ros depth_sr.launch.py sensor:=azure_kinect

`--show-args` lists the arguments.
"""

from launch import LaunchDescription

from robself_ros.launch_description import launch_description


def generate_launch_description() -> LaunchDescription:
    return launch_description("depth")
