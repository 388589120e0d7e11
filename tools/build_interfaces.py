"""Generate, compile and install `robself_ros.msg` into the virtual environment that runs this script.

On a ROS 2 machine colcon does this. Where ROS comes from PyPI, the same CMakeLists.txt is built here with
the environment as its prefix. Needs a C and C++ compiler; cmake and ninja come with requirements/build.txt.

    .venv/bin/python tools/build_interfaces.py
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy

PROJECT = Path(__file__).resolve().parents[1]
PREFIX = Path(sys.prefix)
SITE_PACKAGES = Path(sysconfig.get_path("platlib"))


def main() -> None:
    """Build in a temporary folder, then copy what was installed there into the environment."""
    if sys.prefix == sys.base_prefix:
        sys.exit("build_interfaces: run me with the Python of a virtual environment: .venv/bin/python")
    for compiler in (os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")):
        if shutil.which(compiler) is None:
            sys.exit(
                f"build_interfaces: no compiler {compiler!r} on PATH, and msg/Status has to be compiled:"
                " install gcc and g++ (Debian, Ubuntu: apt install build-essential)"
            )
    point_exports_at_this_python()
    with tempfile.TemporaryDirectory(prefix="robself_interfaces_") as scratch:
        source, build, stage = (Path(scratch, name) for name in ("source", "build", "stage"))
        # A copy: CMake refuses include folders inside its own source tree, where the environment may lie.
        shutil.copytree(PROJECT / "msg", source / "msg")
        for file in ("CMakeLists.txt", "package.xml"):
            shutil.copy(PROJECT / file, source)
        run(
            "cmake",
            *("-S", source, "-B", build, "-G", "Ninja"),
            f"-DCMAKE_INSTALL_PREFIX={stage}",
            f"-DCMAKE_PREFIX_PATH={PREFIX}",
            f"-DPython3_EXECUTABLE={sys.executable}",
            "-DCMAKE_BUILD_TYPE=Release",
            "-DBUILD_TESTING=OFF",
            "-DINTERFACES_ONLY=ON",
        )
        run("cmake", "--build", build, "--target", "install")
        leave_to_pip(stage / SITE_PACKAGES.relative_to(PREFIX))
        shutil.rmtree(SITE_PACKAGES / "robself_ros" / "msg", ignore_errors=True)
        shutil.copytree(stage, PREFIX, dirs_exist_ok=True)
    subprocess.run(
        [sys.executable, "-c", "from robself_ros.msg import Status; Status()"], check=True, cwd=PREFIX
    )
    print(f"build_interfaces: robself_ros.msg installed into {PREFIX}")


def point_exports_at_this_python() -> None:
    """Rewrite the include folders in the wheels' CMake exports: they name the machine that built them."""
    here = {
        r"/opt/python/cp\d+-cp\d+/include/python[\d.]+": sysconfig.get_path("include"),
        r"/opt/python/cp\d+-cp\d+/lib/python[\d.]+/site-packages/numpy/_core/include": numpy.get_include(),
    }
    for export in (PREFIX / "share").glob("*/cmake/*Export.cmake"):
        text = fixed = export.read_text(encoding="utf-8")
        for pattern, folder in here.items():
            fixed = re.sub(pattern, lambda _, folder=folder: folder, fixed)
        if fixed != text:
            export.write_text(fixed, encoding="utf-8")


def leave_to_pip(site_packages: Path) -> None:
    """Drop what pip owns: the package's `__init__.py` (the generated one is empty and would shadow the source
    tree's) and the metadata of a second distribution."""
    (site_packages / "robself_ros" / "__init__.py").unlink()
    for metadata in site_packages.glob("robself_ros-*.egg-info"):
        shutil.rmtree(metadata)


def run(program: str, *arguments: str | Path) -> None:
    """Run a program of this environment; its output is shown only when it fails."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")]),
        "AMENT_PREFIX_PATH": str(PREFIX),
    }
    command = [program, *map(str, arguments)]
    result = subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if result.returncode:
        sys.exit(f"{result.stdout}\nbuild_interfaces: failed ({result.returncode}): {' '.join(command)}")


if __name__ == "__main__":
    main()
