import os
import signal
import subprocess
import sys

import pytest

from robself.demo import child_processes
from robself.demo.child_processes import ChildProcesses
from robself.errors import RobSelfError

TALKER = 'import json, time\nprint(json.dumps({"count": 1}), flush=True)\ntime.sleep(60)\n'
STUBBORN = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + TALKER
BROKEN = 'import sys\nprint("first", file=sys.stderr)\nsys.exit("no such camera")\n'
DEMO = """
import sys
from pathlib import Path
from robself.demo.child_processes import ChildProcesses, ended_by_signals
with ended_by_signals(), ChildProcesses({}) as children:
    children.start("talker", Path("talker.log"), "talker")
    children.next_event(30)
    print(children._children["talker"].pid, flush=True)
    children.next_event(30)
"""


@pytest.fixture
def children(tmp_path, monkeypatch):
    """Modules to start, and what starts them."""
    monkeypatch.setattr(child_processes, "PATIENCE_SECONDS", 2.0)
    for name, code in {"talker": TALKER, "stubborn": STUBBORN, "broken": BROKEN}.items():
        (tmp_path / f"{name}.py").write_text(code)
    with ChildProcesses({"PYTHONPATH": str(tmp_path)}) as children:
        yield children


def test_children_tell_and_end_with_the_block(children, tmp_path):
    with children:
        children.start("talker", tmp_path / "talker.log", "talker")
        assert children.next_event(30) == ("talker", {"count": 1})
        child = children._children["talker"]
    assert child.returncode == -signal.SIGINT


def test_a_child_that_ignores_sigint_is_killed(children, tmp_path):
    with children:
        children.start("stubborn", tmp_path / "stubborn.log", "stubborn")
        children.next_event(30)
        child = children._children["stubborn"]
    assert child.returncode == -signal.SIGKILL


def test_a_child_that_ends_is_told_with_its_last_line(children, tmp_path):
    children.start("broken", tmp_path / "broken.log", "broken")
    with pytest.raises(RobSelfError, match="the broken ended with exit code 1: no such camera"):
        children.next_event(30)
    assert children.tails() == "broken:\nfirst\nno such camera"


def test_silence_is_no_error(children, tmp_path):
    children.start("talker", tmp_path / "talker.log", "talker")
    children.next_event(30)
    assert children.next_event(0.2) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_parents_end_is_the_childrens(children, tmp_path, number):
    with subprocess.Popen(
        [sys.executable, "-c", DEMO],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        child = int(parent.stdout.readline())
        parent.send_signal(number)
    assert parent.returncode == 128 + number
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
