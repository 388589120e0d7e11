"""What is said of mutants is said of the code as it is: `make mutate` takes an hour and runs seldom."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
LISTED = yaml.safe_load((PROJECT / "tools" / "equivalent_mutants.yaml").read_text(encoding="utf-8"))
RECORD = json.loads((PROJECT / "benchmarks" / "mutation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mutants():
    """Of a module's source, as `tools/mutants.py` finds them."""
    spec = importlib.util.spec_from_file_location("mutants", PROJECT / "tools" / "mutants.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module.mutants
    del sys.modules[spec.name]


@pytest.mark.parametrize("module", RECORD)
def test_mutants_that_change_nothing_or_were_missed_are_those_of_the_code(mutants, module):
    names = {
        one.name for one in mutants((PROJECT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    }
    assert {*LISTED.get(module, ()), *RECORD[module]["missed"]} <= names
    assert RECORD[module]["equivalent"] == len(LISTED.get(module, ()))


def test_no_module_is_listed_that_is_not_recorded():
    assert LISTED.keys() <= RECORD.keys()
