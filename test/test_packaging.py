import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest

PROJECT = Path(__file__).parents[1]
MANIFEST = ElementTree.parse(PROJECT / "package.xml").getroot()
FOLDERS = (
    *("config", "foxglove", "launch", "msg", "requirements"),
    *("robself", "robself_ros", "rviz", "scripts", "tools"),
)
FILES = ("CMakeLists.txt", "LICENSE", "MANIFEST.in", "package.xml", "pyproject.toml", "setup.py")
SHARED = (
    *("config/*.yaml", "config/*.xml", "launch/*.launch.py", "msg/*.msg"),
    *("rviz/*.rviz", "foxglove/*.json"),
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the sources, so that the source tree stays clean."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS:
        shutil.copytree(PROJECT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(PROJECT / file, source)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, source)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_everything_that_is_not_code(wheel):
    held = zipfile.ZipFile(wheel).namelist()
    shared = {name.partition("/share/robself_ros/")[2] for name in held if "/share/robself_ros/" in name}
    expected = {"package.xml"}
    for pattern in SHARED:
        files = list(PROJECT.glob(pattern))
        assert files, pattern
        expected |= {str(file.relative_to(PROJECT)) for file in files}
    assert shared == expected


def test_the_wheel_holds_all_code_and_templates_and_nothing_else(wheel):
    held = {
        name
        for name in zipfile.ZipFile(wheel).namelist()
        if ".dist-info/" not in name and ".data/" not in name
    }
    expected = {
        str(file.relative_to(PROJECT))
        for package in ("robself", "robself_ros")
        for file in (PROJECT / package).rglob("*")
        if file.suffix in {".py", ".html", ".css", ".js", ".j2"}
    }
    assert held == expected


def test_colcon_installs_the_same_files():
    """What the wheel holds under share/ is a folder that CMakeLists.txt installs there, or a generated message's.

    Of the code nothing is left out: `colcon test` imports the installed one.
    """
    built = (PROJECT / "CMakeLists.txt").read_text()
    (folders,) = re.findall(r'DIRECTORY (.+) DESTINATION "share/\$', built)
    assert set(re.findall(r'"(.+)" EXCLUDE', built)) == {"__pycache__"}
    assert {*folders.split(), "msg"} == {pattern.partition("/")[0] for pattern in SHARED}


def test_an_installed_wheel_finds_its_files(wheel, tmp_path):
    pip(
        "install", "--no-deps", "--prefix", tmp_path, "--ignore-installed", "--no-warn-script-location", wheel
    )
    (packages,) = tmp_path.rglob("*-packages")
    prefix = packages.parents[2]  # Ubuntu 22.04 puts a local/ in between
    code = """
from robself.recording.status_definition import status_definition
from robself_ros.lifecycle_node import RobSelfNode
from robself_ros.dds import profile
from robself_ros.msg import Status
from robself_ros.share import share_directory

assert profile().is_file()
assert "consistency_unit" in status_definition()
print(share_directory())
"""
    told = python(code, cwd=tmp_path, PYTHONPATH=os.pathsep.join([str(packages), *sys.path]))
    assert told.strip() == str(prefix / "share" / "robself_ros")
    assert (prefix / "bin" / "robself").is_file()


@pytest.mark.parametrize("folder", [PROJECT, Path("/")], ids=["from the source tree", "from elsewhere"])
def test_the_message_is_found_beside_the_code(folder):
    code = (
        "from robself_ros.msg import Status; from robself_ros import dds; print(Status.TRACK, Status().mode)"
    )
    assert python(code, cwd=folder) == "1 0\n"


@pytest.mark.skipif("not has_pip_distribution()", reason="colcon installed the package, not pip")
def test_the_command_line_is_installed():
    (command,) = entry_points(group="console_scripts", name="robself")
    assert command.value == "robself.cli:main"


def test_pip_and_ros_are_told_the_same_version_and_licence(wheel):
    assert wheel.name.startswith(f"robself-{MANIFEST.findtext('version')}-")
    assert MANIFEST.findtext("license") == "Apache-2.0"
    assert "Apache License" in (PROJECT / "LICENSE").read_text()


def test_the_manifest_is_one_that_ros_accepts():
    manifest = pytest.importorskip("catkin_pkg.package").parse_package(str(PROJECT))
    manifest.validate()
    assert manifest.name == "robself_ros"
    assert "rosidl_interface_packages" in {group.name for group in manifest.member_of_groups}


def test_ros_packages_are_pinned():
    for file in ("ros.txt", "build.txt"):
        lines = (PROJECT / "requirements" / file).read_text().splitlines()
        loose = [line for line in lines if line.startswith("ros-") and "==" not in line]
        assert not loose


@pytest.mark.skipif(
    sys.prefix == sys.base_prefix, reason="for virtual environments: colcon builds the message"
)
def test_without_a_compiler_one_line_says_what_to_install():
    built = subprocess.run(
        [sys.executable, PROJECT / "tools" / "build_interfaces.py"],
        env={**os.environ, "CC": "no-such-compiler"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 1
    assert "no compiler 'no-such-compiler' on PATH" in built.stderr
    assert "apt install build-essential" in built.stderr
    assert built.stderr.count("\n") == 1


def test_make_help_lists_the_targets():
    listed = subprocess.run(
        ["make", "-C", PROJECT, "help"], capture_output=True, text=True, check=True
    ).stdout
    assert {"install", "test", "demo", "lint", "clean"} <= {
        line.split()[0] for line in listed.splitlines() if line
    }


def has_pip_distribution() -> bool:
    try:
        return bool(distribution("robself"))
    except PackageNotFoundError:
        return False


def pip(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def python(code: str, cwd: Path, **environment: str) -> str:
    """What the code prints, run in another folder."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
