"""The ways to install the course cannot drift apart."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from toy_course import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
EXTRAS = PYPROJECT["optional-dependencies"]
ASKED = [
    Requirement(line)
    for line in [*PYPROJECT["dependencies"], *EXTRAS["course"], *EXTRAS["dev"]]
]  # fmt: skip


def pins() -> dict[str, str]:
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_every_requirement_has_a_tested_version_within_its_range(asked):
    assert asked.specifier.contains(pins()[canonicalize_name(asked.name)])


def test_constraints_hold_plain_versions_of_other_packages_only():
    versions = pins()
    assert not {"genssl", "pip", "setuptools"} & set(versions)
    assert not [version for version in versions.values() if "+" in version]


def test_what_is_installed_is_what_is_tested():
    for asked in ASKED:
        installed = metadata.version(asked.name).split("+")[0]
        assert installed == pins()[canonicalize_name(asked.name)]


def test_conda_users_get_the_same():
    entries = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    (python,) = [e for e in entries if isinstance(e, str) and e.startswith("python")]
    wanted = SpecifierSet(python.removeprefix("python"))
    assert wanted == SpecifierSet(PYPROJECT["requires-python"])
    (pip,) = [entry["pip"] for entry in entries if isinstance(entry, dict)]
    assert pip == ["-c constraints.txt", "-e .[course]"]


def test_the_cloud_gets_the_same():
    lines = (PROJECT / "binder" / "requirements.txt").read_text().split("\n")
    assert lines[:2] == ["-c ../constraints.txt", "-e .[course]"]
    runtime = (PROJECT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    assert SpecifierSet(PYPROJECT["requires-python"]).contains(runtime)
    container = (PROJECT / ".devcontainer" / "devcontainer.json").read_text()
    image = re.search(r"python:([\d.]+)", container).group(1)
    assert SpecifierSet(PYPROJECT["requires-python"]).contains(image)


@pytest.mark.parametrize(
    ("name", "told"),
    [("LICENSE", "MIT License"), ("LICENSE-text", "Attribution 4.0 International")],
)
def test_both_licences_are_there(name, told):
    text = (PROJECT / name).read_text()
    assert told in text
    assert "the GenSSL authors" in text
    assert name in PYPROJECT["license-files"]


def test_make_refuses_another_python_with_a_clear_line(tmp_path):
    fake = tmp_path / "python3"
    old = "import sys; sys.version_info = (3, 9, 1, 'final', 0); exec(sys.argv[2])"
    fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{old}" "$@"\n')
    fake.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    done = subprocess.run(["make", f"PYTHON={fake}", "lab"], cwd=tmp_path, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert "make PYTHON=python3.12 lab" in done.stderr
    assert not (tmp_path / ".venv").exists()
