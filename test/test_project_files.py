"""Workflows, Dockerfiles, changelog and citation: they hold together with the rest of the project."""

import re
from fnmatch import fnmatch
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
MANIFEST = ElementTree.parse(PROJECT / "package.xml").getroot()
WORKFLOW = yaml.safe_load((PROJECT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
DISTRIBUTIONS = ["humble", "jazzy", "kilted"]
DOCKERFILES = ["Dockerfile.cpu", "Dockerfile.cuda"]
CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))


def commands(job: str) -> str:
    return "\n".join(step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step)


def test_the_workflow_builds_and_tests_on_every_distribution():
    job = WORKFLOW["jobs"]["ros"]
    assert job["strategy"]["matrix"]["distribution"] == DISTRIBUTIONS
    assert job["container"] == "ros:${{ matrix.distribution }}-ros-base"
    for step in ("rosdep install", "colcon build", "colcon test ", "colcon test-result"):
        assert step in commands("ros"), step


def test_the_workflow_runs_what_ci_runs_elsewhere():
    assert commands("pip") == "bash .ci/run"
    assert (PROJECT / ".ci" / "run").is_file()
    assert commands("docs") == "make docs"


@pytest.mark.parametrize("job", WORKFLOW["jobs"])
def test_a_job_has_a_machine_a_limit_and_only_files_that_are_there(job):
    described = WORKFLOW["jobs"][job]
    assert described["runs-on"] and described["timeout-minutes"]
    for file in re.findall(r"requirements/\S+", commands(job)):
        assert (PROJECT / file).is_file(), file


def test_what_colcon_tests_is_the_suite():
    built = (PROJECT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.search(r"ament_add_pytest_test\(\w+ test ", built)
    assert "ament_cmake_pytest" in {one.text for one in MANIFEST.iter("test_depend")}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_a_dockerfile_copies_what_is_there_and_what_the_context_holds(name):
    copied = [source for line in instructions(name, "COPY") for source in line[:-1] if "/opt/" not in source]
    kept = [line[1:] for line in context_rules() if line.startswith("!")]
    assert copied
    for source in copied:
        assert (PROJECT / source).exists(), source
        assert any(source == one or fnmatch(source, f"{one}/*") for one in kept), source


@pytest.mark.parametrize("name", DOCKERFILES)
def test_a_dockerfile_copies_all_that_colcon_installs(name):
    copied = {source for line in instructions(name, "COPY") for source in line[:-1]}
    built = (PROJECT / "CMakeLists.txt").read_text(encoding="utf-8")
    installed = re.findall(r"DIRECTORY ([\w ]+?)\s+DESTINATION", built)
    scripts = {path.partition("/")[0] for path in re.findall(r"scripts/\w+", built)}
    assert copied >= {"package.xml", "CMakeLists.txt", "msg", *scripts, *" ".join(installed).split()}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_a_container_does_not_run_as_root(name):
    last = [line for line in lines_of(name) if line.startswith(("USER", "RUN", "ENTRYPOINT"))][-2:]
    assert last == ["USER robself", 'ENTRYPOINT ["/entrypoint.sh"]']


def test_the_dockerfiles_differ_by_the_gpu_alone():
    cpu, cuda = (lines_of(name) for name in DOCKERFILES)
    extra = "ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility"
    assert [line for line in cuda if line != extra] == cpu
    assert extra in cuda


def test_the_entrypoint_can_be_run():
    entrypoint = PROJECT / "docker" / "entrypoint.sh"
    assert entrypoint.stat().st_mode & 0o111
    assert entrypoint.read_text(encoding="utf-8").startswith("#!/bin/bash\n")


def test_a_release_finds_its_entries_in_the_changelog():
    """Tagged as `catkin_tag_changelog` does, and read as bloom does."""
    catkin = pytest.importorskip("catkin_pkg.changelog")
    tag = pytest.importorskip("catkin_pkg.cli.tag_changelog").rename_section
    text = (PROJECT / "CHANGELOG.rst").read_text(encoding="utf-8")
    assert f"\nChangelog for package {MANIFEST.findtext('name')}\n" in text
    changelog = catkin.Changelog()
    catkin.populate_changelog_from_rst(changelog, tag(text, "Forthcoming", "9.9.9 (2030-01-01)"))
    newest, _, (entries,) = next(iter(changelog.foreach_version()))
    assert newest == "9.9.9"
    assert len(entries.bullets) > 3


def test_the_citation_is_of_the_paper():
    paper = CITATION["preferred-citation"]
    assert paper["title"] == (
        "Robust Self-Supervised Cross-Modal Super-Resolution against Real-World Misaligned Observations"
    )
    names = [f"{author['given-names']} {author['family-names']}" for author in paper["authors"]]
    assert names == ["Xiaoyu Dong", "Jiahuan Li", "Ziteng Cui", "Naoto Yokoya"]


def test_the_citation_has_what_its_format_demands():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert str(CITATION["version"]) == MANIFEST.findtext("version")
    assert CITATION["license"] == MANIFEST.findtext("license")


def lines_of(name: str) -> list[str]:
    """A Dockerfile's instructions, each in one line."""
    text = (PROJECT / "docker" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def instructions(name: str, which: str) -> list[list[str]]:
    lines = (line.split()[1:] for line in lines_of(name) if line.startswith(which))
    return [[word for word in line if not word.startswith("--")] for line in lines]


def context_rules() -> list[str]:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
