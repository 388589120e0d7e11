"""How many small faults in the code the fast tests catch: `tools/mutate.py [--only MODULE ...] [--output FILE]`.

Each mutant is the module with one comparison, operator, constant, condition or returned value changed. It lives in a
process of its own, where the module's fast tests run until the first fails; nothing is written into the tree. What
`tools/equivalent_mutants.yaml` lists, with a reason, changes nothing that could be told from outside. Ends with 1 where
less than 85 % of the others are caught.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.util
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path

import hypothesis
import pytest
import yaml
from mutants import Mutant, mutants

PROJECT = Path(__file__).resolve().parents[1]
IMAGES = ("test_image_encoding", "test_depth_encoding", "test_conversions", "test_packed_image")
CAMERAS = ("test_geometry", "test_camera_model", "test_conversions", "test_cameras", "test_extrinsics")
TESTS = {
    "robself.pairing": ("test_pairing", "test_pairers"),
    "robself.geometry": CAMERAS,
    "robself.camera_model": CAMERAS,
    "robself_ros.conversions": IMAGES,
    "robself.image_encoding": IMAGES,
    "robself.depth_encoding": IMAGES,
}
ENOUGH = 0.85
PATIENCE_SECONDS = 120.0
OURS = ("robself", "robself_ros")


class Changed(SourceFileLoader):
    """Gives a module's changed code in place of its file's, and finds itself for that module alone."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        super().__init__(module, str(source_of(module)))
        self._tree = tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> object:
        return compile(self._tree, self.path, "exec")


class FastestFirst:
    """Runs the tests that took least time when nothing was changed first; keeps how long each took."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.seconds.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration


def main() -> int:
    """Runs all mutants, prints what was missed, and writes the scores."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--only", nargs="+", choices=TESTS, default=list(TESTS), metavar="MODULE")
    options.add_argument("--output", type=Path, help="JSON of the scores")
    options.add_argument("--jobs", type=int, default=1)
    given = options.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # One example that fails is enough: no smaller one is looked for.
    hypothesis.settings.register_profile(
        "mutate",
        hypothesis.settings(
            max_examples=50,
            derandomize=True,
            deadline=None,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
    os.environ["HYPOTHESIS_PROFILE"] = "mutate"
    listed = yaml.safe_load((PROJECT / "tools" / "equivalent_mutants.yaml").read_text(encoding="utf-8"))
    scores = {module: score(module, listed.get(module) or {}, given.jobs) for module in given.only}
    for module, one in scores.items():
        print(f"{module}: {one['caught']} of {one['mutants']} caught, {one['score']:.1%}")
    if given.output:
        given.output.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    return int(any(one["score"] < ENOUGH for one in scores.values()))


def score(module: str, equivalent: dict[str, str], jobs: int) -> dict[str, object]:
    """How many of a module's mutants its tests caught, and the names of those that they missed."""
    source = source_of(module).read_text(encoding="utf-8")
    seconds = unchanged_seconds(module, ast.parse(source))
    everyone = list(mutants(source))
    if gone := set(equivalent) - {one.name for one in everyone}:
        sys.exit(f"mutate: equivalent_mutants.yaml: {module} has no mutant {sorted(gone)[0]!r}")
    tried = [one for one in everyone if one.name not in equivalent]
    missed = sorted(survivors(module, tried, seconds, jobs))
    caught = len(tried) - len(missed)
    return {
        "mutants": len(tried),
        "caught": caught,
        "score": round(caught / len(tried), 4),
        "equivalent": len(equivalent),
        "missed": missed,
    }


def unchanged_seconds(module: str, tree: ast.Module) -> dict[str, float]:
    """How long each test takes by its name; ends the program where one fails although nothing was changed."""
    reader, writer = os.pipe()
    child = start(module, tree, {}, writer)
    os.close(writer)
    with os.fdopen(reader) as told:
        seconds, libraries = json.loads(told.read() or "[{}, []]")
    if os.waitpid(child, 0)[1] or not seconds:
        sys.exit(f"mutate: the tests of {module} fail without a change: pytest {' '.join(TESTS[module])}")
    for library in libraries:  # once for all mutants
        with contextlib.suppress(Exception):
            importlib.import_module(library)
    return seconds


def survivors(module: str, tried: list[Mutant], seconds: dict[str, float], jobs: int) -> Iterator[str]:
    """The names of the mutants that no test caught; one that runs too long is caught."""
    waiting, running = list(tried), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            one = waiting.pop()
            running[start(module, one.tree(), seconds)] = one, time.monotonic() + PATIENCE_SECONDS
        time.sleep(0.02)
        for child, (one, deadline) in list(running.items()):
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del running[child]
                if status == 0:
                    print(f"missed in {module}: {one.name}", flush=True)
                    yield one.name


def start(module: str, tree: ast.Module, seconds: dict[str, float], told: int | None = None) -> int:
    """Forks a process that runs the tests on the changed module; its id. It exits with 0 if all pass."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        sys.meta_path.insert(0, Changed(module, tree))
        sys.path.insert(0, str(PROJECT))
        random.seed(0)
        plugin = FastestFirst(seconds)
        files = [file for name in TESTS[module] if (file := PROJECT / "test" / f"{name}.py").is_file()]
        options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", f"--rootdir={PROJECT}"]
        code = int(pytest.main([*options, *map(str, files)], plugins=[plugin]))
        if told is not None:
            with os.fdopen(told, "w") as pipe:
                json.dump([plugin.seconds, _libraries()], pipe)
    finally:
        os._exit(code)


def _libraries() -> list[str]:
    """What this process has imported from where packages are installed, but what is ours."""
    return [
        name
        for name, module in sorted(sys.modules.items())
        if "site-packages" in (getattr(module, "__file__", None) or "") and name.partition(".")[0] not in OURS
    ]


def source_of(module: str) -> Path:
    """A module's file."""
    return PROJECT.joinpath(*module.split(".")).with_suffix(".py")


if __name__ == "__main__":
    sys.exit(main())
