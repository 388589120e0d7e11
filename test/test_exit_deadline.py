"""The end of a process whose interpreter hangs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HANGING_INTERPRETER = """
import ctypes, sys
from robself_ros.exit_deadline import exit_after
exit_after(float(sys.argv[1]), int(sys.argv[2]))
ctypes.PyDLL(None).pause()  # holds the interpreter's lock
"""


@pytest.mark.parametrize("code", [0, 2])
def test_a_process_that_hangs_in_c_ends_with_its_code(code):
    ended = subprocess.run(
        [sys.executable, "-c", HANGING_INTERPRETER, "0.3", str(code)], timeout=30, check=False
    )
    assert ended.returncode == code


def test_a_process_that_ends_in_time_has_its_own_code():
    program = "from robself_ros.exit_deadline import exit_after; exit_after(30, 2)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 0
