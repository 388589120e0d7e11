"""Names that come from data do not lead out of the folder that was asked for, nor into a report as code."""

from pathlib import Path

import numpy as np
import pytest

from robself.datasets import Case
from robself.errors import OutputError
from robself.evaluation.result_folder import ResultFolder
from robself.file_writing import inside
from robself.report.document import html

NAMES = ("../../escaped", "/tmp/robself_escaped", "a/../../../escaped")
TEMPLATES = Path(__file__).parents[1] / "robself" / "templates"


@pytest.mark.parametrize("name", NAMES)
def test_a_case_cannot_be_written_outside_the_folder(tmp_path, name):
    folder = ResultFolder(tmp_path / "deep" / "out", keep_images=True)
    case = Case(name, np.ones((4, 4), np.float32), np.zeros((8, 8, 3), np.uint8), None, "depth", "m")
    with pytest.raises(OutputError, match="expected a name inside"):
        folder.add_case(case, "")
    assert not list(tmp_path.rglob("*escaped*")) and not list(Path("/tmp").glob("robself_escaped*"))


def test_a_name_inside_is_left_as_it_is(tmp_path):
    assert inside(tmp_path, "a", "b..c.npz") == tmp_path / "a" / "b..c.npz"


def test_a_page_escapes_what_it_is_given():
    page = html("page.html", {})
    assert "<script" not in page
    failures = ["<script>alert(1)</script>"]
    values = {"title": "t", "overview": "o", "settings": [], "meanings": [], "failures": failures}
    values |= dict.fromkeys(("bars", "robustness", "pareto")) | {"pictures": [], "facts": []}
    page = html("evaluation.html", {}, **values)
    assert "<script" not in page and "&lt;script&gt;" in page


def test_the_templates_load_nothing_and_leave_nothing_unescaped():
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert "http:" not in text and "https:" not in text and "//" not in text.replace("{{", "")
        assert "| safe" not in text and "|safe" not in text and "autoescape false" not in text
