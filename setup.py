"""pip's side of the package. On a ROS 2 machine colcon builds it from CMakeLists.txt instead."""

from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def requirements(file: str) -> list[str]:
    """The requirement lines of `requirements/<file>`, comments left out."""
    lines = (HERE / "requirements" / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


setup(
    name="robself",  # the ROS package is robself_ros: it holds the node and the message of that name
    version="0.1.0",
    description="Online self-supervised guided super-resolution of depth and NIR images, as a ROS 2 node",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["robself", "robself.*", "robself_ros", "robself_ros.*"]),
    # Said outright so that an editable install puts this folder on sys.path: with setuptools' import hook
    # instead, the generated robself_ros.msg in site-packages would hide the rest of the package.
    package_dir={"": "."},
    package_data={"robself": ["templates/*", "templates/**/*"]},
    data_files=[
        ("share/robself_ros", ["package.xml"]),
        ("share/robself_ros/config", glob("config/*.yaml") + glob("config/*.xml")),
        ("share/robself_ros/launch", glob("launch/*.launch.py")),
        ("share/robself_ros/msg", glob("msg/*.msg")),
        ("share/robself_ros/rviz", glob("rviz/*.rviz")),
        ("share/robself_ros/foxglove", glob("foxglove/*.json")),
    ],
    install_requires=[
        "torch>=2.1",
        "numpy>=1.24",
        # Headless: nothing here opens a window, and containers often lack the libraries that one needs.
        "opencv-python-headless>=4.6",
        "pydantic>=2",
        "typer>=0.12",
        "rich>=13",
        "rosbags>=0.10",
        "matplotlib>=3.5",
        "pillow>=9",  # which matplotlib brings
        "jinja2>=3",
        "pyyaml>=6",
        "tifffile>=2023.1",
    ],
    extras_require={
        "ros": requirements("ros.txt"),
        "test": requirements("test.txt"),
        # Ships the published model of NIQE, which is read from it; what it depends on is never imported.
        "eval": ["iqa-torch>=1.2"],
        "ray": ["ray>=2.9"],
        "view": ["rerun-sdk>=0.41"],
        "docs": ["mkdocs>=1.6"],
    },
    entry_points={"console_scripts": ["robself = robself.cli:main"]},
    zip_safe=False,
)
