"""How a command's process ends: soon, with its code, and with nothing that it has said lost."""

import os
import subprocess
import sys

import pytest

# Its last line would keep the interpreter from ending for ever.
COMMAND = """
import atexit, threading
from robself import cli
cli.run = lambda arguments: print("said", end="") or 3
atexit.register(print, ", ended", flush=True)
threading.Thread(target=threading.Event().wait).start()
cli.main()
"""
INTERRUPTED = """
import os, signal
from robself import cli
cli.run = lambda arguments: print("said", end="") or os.kill(os.getpid(), signal.SIGINT)
cli.main()
"""


def run(code):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_ends_what_libraries_have_begun_and_waits_for_nothing_else():
    done = run(COMMAND)
    assert (done.returncode, done.stdout, done.stderr) == (3, "said, ended\n", "")


def test_what_was_said_before_ctrl_c_is_not_lost():
    done = run(INTERRUPTED)
    assert (done.returncode, done.stdout, done.stderr) == (130, "said", "robself: interrupted\n")


@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_under_stdout_is_told_in_one_line(buffered):
    command = [sys.executable, *(["-u"] * (not buffered)), "-m", "robself", "--version"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (
        2,
        "robself: stdout: cannot be written: No space left on device\n",
    )
