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

# A signal comes in the midst of an import, in a callback whose exceptions are lost or made others.
IMPORTING = """
import os, signal, sys
from pathlib import Path
from robself import cli

def command(arguments):
    try:
        import module
        print("imported")
        while True:
            pass
    except KeyboardInterrupt:
        print("left by it", module.whole)
        raise

Path("module.py").write_text('''
import os, signal
class Named:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)
class Owner:
    name = Named()
whole = True
''')
sys.path.insert(0, "")
cli.run = command
cli.main()
"""
IMPORTING_TORCH = """
import os, signal, sys
from robself import cli

class Finder:
    def find_spec(name, path, target=None):
        if name == "torch._guards":
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except KeyboardInterrupt:
                pass

sys.meta_path.insert(0, Finder)
cli.run = lambda arguments: __import__("torch") and print("imported")
cli.main()
"""


def run(code, folder=None):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=folder,
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


def test_an_import_comes_to_its_end_before_a_signal_ends_the_command(tmp_path):
    done = run(IMPORTING, tmp_path)
    assert done.stdout in ("left by it True\n", "imported\nleft by it True\n")
    assert (done.returncode, done.stderr) == (130, "robself: interrupted\n")


def test_a_signal_while_torch_is_imported_ends_the_process_at_once():
    done = run(IMPORTING_TORCH)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "robself: interrupted\n")


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
