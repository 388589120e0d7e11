"""The documentation is what the code says, and its links lead somewhere."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from robself_ros.declaration import descriptor
from robself_ros.outputs import TOPICS
from robself_ros.parameters import NodeParameters
from robself_ros.sensors import load_sensor, sensor_names
from robself_ros.validation import keys

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


@pytest.fixture(scope="module")
def written():
    """What tools/write_docs.py would write, by file."""
    spec = importlib.util.spec_from_file_location("write_docs", PROJECT / "tools" / "write_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


def test_pages_made_from_the_code_are_up_to_date(written):
    stale = [file.name for file, text in written.items() if not file.is_file() or file.read_text() != text]
    assert not stale, "run .venv/bin/python tools/write_docs.py"


def test_every_sensor_has_a_page_with_its_launch_line(written):
    for name in sensor_names():
        sensor, page = load_sensor(name), written[DOCS / "sensors" / f"{name}.md"]
        line = f"ros2 launch robself_ros {sensor.parameters.modality}_sr.launch.py sensor:={name}"
        assert line in page
        assert line in written[DOCS / "sensors" / "index.md"]
        assert all(" ".join(advice.split()) in page for advice in sensor.driver)


def test_every_parameter_and_topic_is_in_the_reference(written):
    page = written[DOCS / "node.md"]
    for name in keys(NodeParameters):
        assert re.search(
            rf"^\| `{re.escape(name)}` .*\| {re.escape(descriptor(name).description)} \|$", page, re.M
        )
    assert all(f"`{topic}`" in page for topic, _ in TOPICS.values())


def test_every_page_is_in_the_navigation_and_there():
    navigation = yaml.safe_load((PROJECT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(DOCS / page for page in leaves(navigation)) == PAGES


@pytest.mark.parametrize("page", [*PAGES, PROJECT / "README.md"], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        file, _, heading = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if heading:
            assert heading in anchors(target), link


def leaves(navigation: object) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    else:
        for branch in navigation.values() if isinstance(navigation, dict) else navigation:
            yield from leaves(branch)


def anchors(page: Path) -> set[str]:
    """The names that headings get."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
