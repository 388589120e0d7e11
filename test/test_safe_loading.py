"""Nothing that is loaded can run code: no unsafe loader in the sources, and each entry refuses malice in a line."""

import ast
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from robself.datasets.opening import open_dataset
from robself.errors import RobSelfError
from robself.evaluation.result_folder import CONFIG, JOURNAL, ResultFolder
from robself.image_files import read_source
from robself_ros.sensors import load_sensor

PROJECT = Path(__file__).parents[1]
SOURCES = [
    file
    for folder in ("robself", "robself_ros", "launch", "tools", "scripts")
    for file in (PROJECT / folder).rglob("*.py")
]
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
UNSAFE_CALLS = {
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.unsafe_load_all"),
    *("eval", "exec", "os.system", "torch.jit.load", "torch.hub.load", "pandas.read_pickle"),
}


def unsafe_uses(code):
    """What a module could run foreign code by: (line, name)."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names if name.name in UNSAFE_MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in UNSAFE_MODULES:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            allowed = all(given.get(key, "False") == "False" for key in ("allow_pickle", "shell"))
            unchecked = name == "torch.load" and given.get("weights_only") != "True"
            literal = all(isinstance(argument, ast.Constant) for argument in node.args)
            if (name in UNSAFE_CALLS and not literal) or unchecked or not allowed:
                yield node.lineno, name


def test_the_sources_load_nothing_by_what_could_run_code():
    assert len(SOURCES) > 100
    found = [
        f"{file.relative_to(PROJECT)}:{line}: {name}"
        for file in SOURCES
        for line, name in unsafe_uses(file.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from dill import loads",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
        "subprocess.run(line, shell=True)",
        "eval(text)",
    ],
)
def test_what_is_unsafe_is_found(code):
    assert list(unsafe_uses(code))


class Malice:
    """Makes a folder where it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


@pytest.fixture
def trace(tmp_path):
    """Must not be there after a loader has met malice."""
    return tmp_path / "trace"


@pytest.fixture
def pickled(trace):
    """An array of objects, one of them malicious, as the file formats of NumPy hold it."""
    return np.array([Malice(trace)], dtype=object)


@pytest.fixture
def tagged(trace):
    """YAML that an unsafe loader would run."""
    return f"options: !!python/object/apply:os.mkdir [{str(trace)!r}]\n"


def refused(trace, load):
    with pytest.raises(RobSelfError) as raised:
        load()
    assert "\n" not in str(raised.value)
    assert not trace.exists()
    return str(raised.value)


def test_the_malice_of_these_tests_is_real(trace, pickled):
    content = io.BytesIO()
    np.save(content, pickled, allow_pickle=True)
    content.seek(0)
    np.load(content, allow_pickle=True)
    assert trace.exists()
    trace.rmdir()
    pickle.loads(pickle.dumps(Malice(trace)))
    assert trace.exists()


def test_arrays_of_objects_are_no_images(tmp_path, trace, pickled):
    file = tmp_path / "depth.npy"
    np.save(file, pickled, allow_pickle=True)
    assert str(file) in refused(trace, lambda: read_source(file))


def test_a_bare_pickle_in_the_place_of_an_image_is_refused(tmp_path, trace):
    for name in ("depth.npy", "depth.png"):
        file = tmp_path / name
        file.write_bytes(pickle.dumps(Malice(trace)))
        refused(trace, lambda file=file: read_source(file))


def test_arrays_of_objects_are_no_archived_pairs(tmp_path, trace, pickled):
    archive = tmp_path / "case.npz"
    np.savez(archive, lr=pickled, guide=pickled)
    assert "case.npz" in refused(
        trace, lambda: [dataset.load(name) for dataset in [open_dataset(tmp_path)] for name in dataset.names]
    )


def test_an_evaluations_config_runs_nothing(tmp_path, trace, tagged):
    (tmp_path / CONFIG).write_text(tagged)
    (tmp_path / JOURNAL).write_text("{}\n")
    assert CONFIG in refused(trace, lambda: ResultFolder(tmp_path, False).read_config())


def test_a_sensors_preset_runs_nothing(tmp_path, trace, tagged):
    file = tmp_path / "sensor.yaml"
    file.write_text(tagged)
    assert "sensor.yaml" in refused(trace, lambda: load_sensor(str(file)))
