"""What the code needs is asked for: of pip in setup.py, of rosdep in package.xml, and of either by one list."""

import ast
import re
import runpy
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

import pytest
import setuptools
from packaging.requirements import Requirement

from robself_ros.companions import point_cloud

PROJECT = Path(__file__).parents[1]
MANIFEST = ElementTree.parse(PROJECT / "package.xml").getroot()
DEPENDENCIES = {one.text for one in MANIFEST if one.tag.endswith("depend")}
AT_RUN_TIME = {one.text for one in MANIFEST if one.tag in {"depend", "exec_depend"}}
# pip's name to the key of rosdep/python.yaml that gives it on Ubuntu 22.04 and 24.04, new enough.
ROSDEP_KEYS = {
    "numpy": "python3-numpy",
    "opencv-python-headless": "python3-opencv",
    "matplotlib": "python3-matplotlib",
    "pillow": "python3-pil",
    "jinja2": "python3-jinja2",
    "pyyaml": "python3-yaml",
    "pytest": "python3-pytest",
    "pytest-timeout": "python3-pytest-timeout",
    "hypothesis": "python3-hypothesis",
}
# What has no key, or is too old there: from requirements/ros2_machine.txt.
BY_PIP = {"torch", "pydantic", "typer", "rich", "rosbags", "tifffile"}
ONLY_FOR_MAKE = {"pytest-xdist", "ruff", "ray", "rerun-sdk"}
# What is imported, and what brings it.
IMPORTED_AS = {"yaml": "pyyaml", "cv2": "opencv-python-headless", "annotated_types": "pydantic"}


@pytest.fixture(scope="module")
def setup():
    """What setup.py tells setuptools."""
    told = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, "setup", told.update)
        runpy.run_path(str(PROJECT / "setup.py"))
    return told


def test_rosdep_and_pip_together_install_what_setup_py_asks_for(setup):
    wanted = names(setup["install_requires"]) | names(setup["extras_require"]["test"])
    assert wanted == ROSDEP_KEYS.keys() | BY_PIP | ONLY_FOR_MAKE
    assert {key for key in DEPENDENCIES if key.startswith("python3-")} == set(ROSDEP_KEYS.values())
    assert names_in("ros2_machine.txt") >= BY_PIP


def test_versions_for_a_ros_machine_are_those_of_setup_py(setup):
    asked = {one.name: one.specifier for one in map(Requirement, setup["install_requires"])}
    given = {one.name: one.specifier for one in requirements_in("ros2_machine.txt")}
    assert {name: given[name] for name in BY_PIP} == {name: asked[name] for name in BY_PIP}


def test_make_installs_what_is_asked_for_by_version_and_hash(setup):
    locked = versions_in("lock.txt") | versions_in("torch_cpu.txt")
    asked = [*map(Requirement, setup["install_requires"] + setup["extras_require"]["ros"])]
    asked += [*map(Requirement, setup["extras_require"]["test"])]
    asked += requirements_in("build.txt") + requirements_in("model_files.txt")
    assert [str(one) for one in asked if not one.specifier.contains(locked.get(one.name, "0"))] == []


def test_make_installs_nothing_without_hashes_but_the_project():
    text = (PROJECT / "Makefile").read_text(encoding="utf-8").replace("$(HASHED)", "--require-hashes")
    installed = [line for line in text.splitlines() if " install --quiet " in line or "pip install" in line]
    assert len(installed) == text.count(" install -") > 5
    unhashed = [line for line in installed if "--require-hashes" not in line]
    assert [line.split()[-2:] for line in unhashed] == [["-e", "."]]
    assert {file.stem for file in (PROJECT / "requirements").glob("*.txt")} >= set(
        re.findall(r"requirements/(\w+)\.txt", text)
    )


def test_torch_and_all_that_it_asks_for_are_locked_whichever_build_it_is():
    cpu, pypi, rest = map(versions_in, ("torch_cpu.txt", "torch_pypi.txt", "lock.txt"))
    assert cpu == {"torch": f"{pypi['torch']}+cpu"}
    installed = metadata.version("torch")
    if installed not in (cpu["torch"], pypi["torch"]):
        pytest.skip(f"torch {installed} is installed, not the locked one, and asks for its own")
    asked = map(Requirement, metadata.requires("torch"))
    asked = [one for one in asked if not one.marker or one.marker.evaluate({"extra": ""})]
    assert [str(one) for one in asked if not one.specifier.contains((pypi | rest).get(one.name, "0"))] == []


def test_the_core_asks_for_no_ros_and_the_extra_brings_it(setup):
    assert setup["name"] == "robself"
    assert not any(name.startswith("ros-") for name in names(setup["install_requires"]))
    assert {"ros-rclpy", "ros-sensor-msgs"} <= names(setup["extras_require"]["ros"])


@pytest.mark.parametrize("folder", ["robself_ros", "launch"])
def test_every_package_that_the_ros_side_imports_is_a_dependency(folder):
    ours = {*sys.stdlib_module_names, "robself", "robself_ros"}
    imported = {IMPORTED_AS.get(name, name) for name in set(imports_of(PROJECT / folder)) - ours}
    given = AT_RUN_TIME | BY_PIP | {name for name, key in ROSDEP_KEYS.items() if key in AT_RUN_TIME}
    assert imported <= given


def test_what_a_launch_file_starts_is_a_dependency():
    assert {point_cloud("/node").package, "ros2bag"} <= AT_RUN_TIME


def test_the_core_imports_no_ros():
    others = {"rclpy", "launch", "launch_ros", "ament_index_python"}
    interfaces = {name for name in AT_RUN_TIME if name.endswith(("_msgs", "_srvs"))}
    assert not (others | interfaces) & set(imports_of(PROJECT / "robself"))


def requirements_in(file: str) -> list[Requirement]:
    lines = (PROJECT / "requirements" / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def versions_in(lock: str) -> dict[str, str]:
    """Of the packages in a lock, each of which must have a hash."""
    text = (PROJECT / "requirements" / lock).read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all("--hash=sha256:" in line for line in lines)
    return dict(line.split()[0].split("==") for line in lines)


def names_in(file: str) -> set[str]:
    return {one.name for one in requirements_in(file)}


def names(requirements: list[str]) -> set[str]:
    return {Requirement(one).name for one in requirements}


def imports_of(folder: Path) -> Iterator[str]:
    """The top-level packages that a folder's code imports."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.partition(".")[0]
