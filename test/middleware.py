"""Which DDS the tests run over: Fast DDS is ROS's default, and alone has shared memory and a profile here."""

import os

import pytest

IS_FAST_DDS = "fastrtps" in os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
of_fast_dds = pytest.mark.skipif(not IS_FAST_DDS, reason="another DDS than Fast DDS is in use")
