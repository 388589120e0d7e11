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
import atexit, os, signal, sys, time
from pathlib import Path
from robself import cli

def command(arguments):
    try:
        import module
        print("imported", flush=True)
        while {waiting}:
            pass
    except KeyboardInterrupt:
        print("left by it", flush=True)
        raise
    return 3

Path("module.py").write_text({module!r})
sys.path.insert(0, "")
cli.run = command
atexit.register(lambda: time.sleep(0.05) or print("ended", flush=True))
cli.main()
"""
IN_A_CALLBACK = """
import os, signal
class Named:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)
class Owner:
    name = Named()
print("whole", flush=True)
"""
WITHOUT_AN_END = """
import os, signal
os.kill(os.getpid(), signal.SIGTERM)
print("waited for", flush=True)
os.kill(os.getpid(), signal.SIGTERM)
while True:
    pass
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


def run(code, folder=None, stderr=subprocess.PIPE):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=stderr,
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
    done = run(IMPORTING.format(module=IN_A_CALLBACK, waiting=True), tmp_path)
    assert done.stdout.splitlines() in (
        ["whole", "left by it", "ended"],
        ["whole", "imported", "left by it", "ended"],
    )
    assert (done.returncode, done.stderr) == (130, "robself: interrupted\n")


def test_a_second_signal_does_not_wait_for_an_import(tmp_path):
    done = run(IMPORTING.format(module=WITHOUT_AN_END, waiting=True), tmp_path)
    assert done.stdout.splitlines() == ["waited for", "left by it", "ended"]
    assert (done.returncode, done.stderr) == (130, "robself: interrupted\n")


def test_a_signal_in_the_last_import_does_not_disturb_the_end(tmp_path):
    done = run(IMPORTING.format(module=IN_A_CALLBACK, waiting=False), tmp_path)
    assert done.stdout.splitlines()[-1] == "ended"
    assert (done.returncode, done.stderr) in ((3, ""), (130, "robself: interrupted\n"))


def test_a_signal_while_torch_is_imported_ends_the_process_at_once():
    done = run(IMPORTING_TORCH)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "robself: interrupted\n")


def test_a_signal_while_torch_is_imported_needs_nobody_who_listens():
    with open("/dev/full", "w") as full:
        done = run(IMPORTING_TORCH, stderr=full)
    assert (done.returncode, done.stdout) == (130, "")


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
