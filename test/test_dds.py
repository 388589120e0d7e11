import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from ros_domain import fresh_domain

from robself_ros import dds

STREAM = Path(__file__).with_name("image_stream.py")
DDS = {"d": "http://www.eprosima.com"}


@pytest.mark.ros
def test_the_profile_lets_images_arrive_in_another_process(tmp_path):
    environment = {**os.environ, **dds.environment({}), **private_graph(tmp_path)}
    arrived = stream(60, environment)
    if arrived < 57:  # a busy machine loses some, too, but hardly twice
        arrived = stream(60, environment)
    assert arrived >= 57, f"{arrived} of 60 images of 640x576 arrived"


def test_the_profile_holds_several_images_in_shared_memory():
    transports = {
        transport.findtext("d:type", namespaces=DDS): transport
        for transport in ElementTree.parse(dds.profile()).iterfind(".//d:transport_descriptor", DDS)
    }
    shared_memory = transports["SHM"]
    segment, message = (
        int(shared_memory.findtext(f"d:{name}", namespaces=DDS))
        for name in ("segment_size", "maxMessageSize")
    )
    assert segment == 32 * 2**20
    assert 2560 * 1440 * 4 <= message <= segment / 2
    for side in ("sendBufferSize", "receiveBufferSize"):
        assert int(transports["UDPv4"].findtext(f"d:{side}", namespaces=DDS)) == 4 * 2**20


def test_both_generations_of_fast_dds_are_told():
    assert dds.environment({}) == {
        "FASTRTPS_DEFAULT_PROFILES_FILE": str(dds.profile()),
        "FASTDDS_DEFAULT_PROFILES_FILE": str(dds.profile()),
    }


@pytest.mark.parametrize("variable", dds.PROFILE_VARIABLES)
def test_a_profile_that_the_user_has_set_is_kept(variable):
    assert dds.environment({variable: "/mine.xml"}) == {}


@pytest.mark.parametrize("distribution", ["humble", "jazzy", "kilted"])
def test_the_variable_of_the_distribution_is_set_and_advised(distribution):
    old, new = dds.PROFILE_VARIABLES
    own, other = (new, old) if distribution == "kilted" else (old, new)
    assert dds.environment({"ROS_DISTRO": distribution}) == {own: str(dds.profile())}
    assert f"set {own}={dds.profile()} " in dds.warning({"ROS_DISTRO": distribution})
    # Kilted heeds the old name, too.
    kept = dds.environment({"ROS_DISTRO": distribution, other: "/mine.xml"}) == {}
    assert kept == (distribution == "kilted")


def test_defaults_are_warned_of_with_the_line_that_mends_them():
    assert f"FASTRTPS_DEFAULT_PROFILES_FILE={dds.profile()}" in dds.warning({})


def test_a_set_profile_is_not_warned_of():
    assert dds.warning(dds.environment({})) is None


def test_a_profile_that_is_not_there_is_warned_of():
    assert "'/nowhere.xml'" in dds.warning({"FASTRTPS_DEFAULT_PROFILES_FILE": "/nowhere.xml"})


def test_other_middleware_needs_no_profile():
    assert dds.warning({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}) is None


def stream(frames: int, environment: dict[str, str]) -> int:
    """How many of `frames` images reach another process."""
    with subprocess.Popen(
        [sys.executable, STREAM, "count", str(frames)], env=environment, stdout=subprocess.PIPE, text=True
    ) as reader:
        subprocess.run(
            [sys.executable, STREAM, "publish", str(frames)], env=environment, check=True, timeout=60
        )
        return int(reader.communicate(timeout=60)[0])


def private_graph(log_directory: Path) -> dict[str, str]:
    return {
        "ROS_DOMAIN_ID": str(fresh_domain()),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_LOG_DIR": str(log_directory),
    }
