"""Super-resolve NIR, infrared or thermal images by RGB.

    ros2 launch robself_ros nir_sr.launch.py sensor:=realsense_ir

`--show-args` lists the arguments.
"""

from launch import LaunchDescription

from robself_ros.launch_description import launch_description


def generate_launch_description() -> LaunchDescription:
    return launch_description("nir")
