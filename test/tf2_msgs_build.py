"""tf2_msgs where ROS comes from PyPI, which has no wheel of it: made from its definition, into a prefix of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(tf2_msgs)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(geometry_msgs REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME} "msg/TFMessage.msg" DEPENDENCIES geometry_msgs)
ament_package()
"""
PACKAGE = """\
<?xml version="1.0"?>
<package format="3">
  <name>tf2_msgs</name>
  <version>0.0.0</version>
  <description>A test's.</description>
  <maintainer email="nobody@example.org">nobody</maintainer>
  <license>BSD</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>geometry_msgs</depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""


def tf2_msgs_environment(folder: Path) -> dict[str, str]:
    """What a process needs in its environment to import tf2_msgs; nothing where ROS has it."""
    if _importable({}):
        return {}
    prefix, source = folder / "prefix", folder / "source"
    (source / "msg").mkdir(parents=True)
    (source / "CMakeLists.txt").write_text(CMAKE)
    (source / "package.xml").write_text(PACKAGE)
    (source / "msg" / "TFMessage.msg").write_text("geometry_msgs/TransformStamped[] transforms\n")
    tools = {
        **os.environ,
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
        "AMENT_PREFIX_PATH": sys.prefix,
    }
    configure = [
        *("cmake", "-S", source, "-B", folder / "build", "-G", "Ninja"),
        *(f"-DCMAKE_INSTALL_PREFIX={prefix}", f"-DCMAKE_PREFIX_PATH={sys.prefix}"),
        *(f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Debug"),
    ]
    for command in (configure, ["cmake", "--build", folder / "build", "--target", "install"]):
        run = subprocess.run(command, env=tools, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
    packages = prefix / Path(sysconfig.get_path("platlib")).relative_to(sys.prefix)
    given = {
        "LD_LIBRARY_PATH": str(prefix / "lib"),
        "PYTHONPATH": str(packages),
        "AMENT_PREFIX_PATH": str(prefix),
    }
    defaults = {"AMENT_PREFIX_PATH": sys.prefix}
    given = {
        name: os.pathsep.join(filter(None, [path, os.environ.get(name), defaults.get(name)]))
        for name, path in given.items()
    }
    assert _importable(given), "the tf2_msgs just built cannot be imported"
    return given


def _importable(environment: dict[str, str]) -> bool:
    command = [sys.executable, "-c", "import rclpy; from tf2_msgs.msg import TFMessage; TFMessage()"]
    return not subprocess.run(command, env={**os.environ, **environment}, capture_output=True).returncode
