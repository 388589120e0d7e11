"""Advisories for the locked packages: told from what pip-audit answers, and from what it cannot know."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SKIPPED = {
    "name": "jinja2",
    "skip_reason": "Dependency not found on PyPI and could not be audited: jinja2 (2.10)",
}
SOUND = {"name": "attrs", "version": "26.1.0", "vulns": []}
FLAWED = {
    "name": "jinja2",
    "version": "2.10",
    "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}],
}
UNREACHABLE = "audit: nothing was checked, no index of advisories is reachable"


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit", PROJECT / "tools" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.audit


def answers(text: str, error: str = "") -> list[str]:
    """A command that says what pip-audit said."""
    return [sys.executable, "-c", f"import sys; sys.stderr.write({error!r}); print({text!r})"]


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([SOUND, SKIPPED], 0, ["audit: 0 advisories for 1 of 2 packages"]),
        (
            [SOUND, FLAWED],
            1,
            [
                "audit: jinja2 2.10: PYSEC-2019-217, mended in 2.10.1",
                "audit: 1 advisories for 2 of 2 packages",
            ],
        ),
        ([SKIPPED, SKIPPED], 3, [f"{UNREACHABLE} (it knows none of 2 packages)"]),
    ],
)
def test_advisories_are_told_and_an_index_that_knows_no_package_is_none(audit, packages, code, said):
    assert audit(answers(json.dumps({"dependencies": packages, "fixes": []}))) == (code, said)


def test_an_index_that_cannot_be_reached_is_said_in_one_line(audit):
    traceback = "Traceback ...\n  raise ConnectionError\nConnectionError: Failed to resolve 'api.osv.dev'\n"
    said = f"{UNREACHABLE} (ConnectionError: Failed to resolve 'api.osv.dev')"
    assert audit(answers("", traceback)) == (3, [said])
