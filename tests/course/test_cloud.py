"""Containers, Binder, codespaces and the workflows run what a contributor runs.

None of them can be built here. So what can drift is read: files that are copied, targets that are
called, versions that are named.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import fields
from fnmatch import fnmatch

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from genssl_utils.course.doctor import FOR_TESTS
from genssl_utils.course.lab import WELCOME
from genssl_utils.course.ways import COLAB_BRANCH, Addresses
from toy_course import PROJECT

PYTHONS = SpecifierSet(
    tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"]
)
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (PROJECT / "Makefile").read_text(), re.M))
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
IMAGES = sorted((PROJECT / "containers").glob("*.Dockerfile"))
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
each_image = pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def steps(path):
    """The instructions of a Dockerfile, each as its word and the rest."""
    text = re.sub(r"\\\n", " ", path.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def said(path, word):
    return [rest for name, rest in steps(path) if name == word]


def made(text):
    """The targets of make that a text calls."""
    return re.findall(r"(?:^|&&|;)\s*make ([\w-]+)", text, re.M)


def workflow(path):
    told = yaml.safe_load(path.read_text())
    told["on"] = told.pop(True)  # YAML reads the word as "yes"
    return told


# --- containers ---------------------------------------------------------------------------------


def test_there_is_an_image_for_each_of_the_two():
    assert [path.name for path in IMAGES] == ["grader.Dockerfile", "student.Dockerfile"]


@each_image
def test_an_image_copies_what_is_there_and_no_answer(path):
    ignored = (PROJECT / ".dockerignore").read_text().split("\n")
    copied = []
    for rest in said(path, "COPY"):
        *sources, _ = [word for word in rest.split() if not word.startswith("--")]
        copied += sources
    assert {"Makefile", "pyproject.toml", "constraints.txt", "genssl_utils"} <= set(copied)
    for name in copied:
        assert (PROJECT / name).exists(), f"{path.name} copies {name}, which is not there"
        assert not [line for line in ignored if line and fnmatch(name, line)], f"{name} is ignored"
        assert name != "."
        assert not name.startswith("solutions")
    assert "solutions" in ignored


@each_image
def test_what_an_image_copies_is_enough_to_install(path, tmp_path):
    """`make install` in a folder with these files alone gets as far as pip."""
    for rest in said(path, "COPY"):
        *sources, _ = [word for word in rest.split() if not word.startswith("--")]
        for name in sources:
            if (PROJECT / name).is_file():
                (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    told = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    for name in (told["readme"], *told["license-files"]):
        assert (tmp_path / name).is_file(), f"the package asks for {name}"
    done = subprocess.run(
        ["make", "-n", f"PYTHON={sys.executable}", "install"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # Nothing that only tests and measures: an image has no solutions/.
    assert '-c constraints.txt -e ".[course]"' in done.stdout


@each_image
def test_an_image_runs_the_steps_of_ci_as_no_root(path):
    (image,) = said(path, "FROM")
    assert PYTHONS.contains(re.fullmatch(r"python:([\d.]+)-slim", image)[1])
    names = [word for word, _ in steps(path)]
    runs = said(path, "RUN")
    targets = [target for run in runs for target in made(run)]
    assert targets == ["install"]
    assert set(targets) <= TARGETS
    assert runs[-1] == ".venv/bin/genssl doctor"
    assert not [run for run in runs if "pip " in run], "make installs, and nothing else"
    assert f"PIP_EXTRA_INDEX_URL={CPU_WHEELS}" in " ".join(said(path, "ENV"))
    (user,) = said(path, "USER")
    assert user not in ("root", "0")
    assert f"useradd --create-home {user}" in runs[0]
    installing = next(i for i, step in enumerate(steps(path)) if step[1] == "make install")
    assert names.index("USER") < installing
    assert all(f"--chown={user} " in rest for rest in said(path, "COPY"))
    (home,) = said(path, "WORKDIR")
    assert f"install -d -o {user} {home}" in runs[0], "WORKDIR alone would belong to root"


def test_students_get_lab_on_the_welcome_notebook():
    (path,) = [path for path in IMAGES if path.name.startswith("student")]
    (command,) = said(path, "CMD")
    words = json.loads(command)
    assert words[:2] == [".venv/bin/jupyter", "lab"]
    assert f"--LabApp.default_url=/lab/tree/{WELCOME}" in words
    assert "--ip=0.0.0.0" in words
    assert "bubblewrap" not in path.read_text()
    copied = " ".join(said(path, "COPY"))
    assert "notebooks notebooks" in copied
    assert "book/results book/results" in copied


def test_the_grader_has_the_sandbox_and_no_notebook():
    (path,) = [path for path in IMAGES if path.name.startswith("grader")]
    (command,) = said(path, "ENTRYPOINT")
    assert json.loads(command) == [".venv/bin/dask", "worker", "--no-nanny"]
    assert "bubblewrap" in FOR_TESTS
    assert "bubblewrap" in said(path, "RUN")[0].split()
    copied = " ".join(said(path, "COPY"))
    assert "notebooks" not in copied
    assert "book" not in copied


# --- Binder and codespaces ----------------------------------------------------------------------


def test_binder_installs_the_course_and_looks_at_it():
    folder = PROJECT / "binder"
    assert {path.name for path in folder.iterdir()} == {
        "postBuild", "requirements.txt", "runtime.txt",
    }  # fmt: skip
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert f"--extra-index-url {CPU_WHEELS}" in lines
    assert os.access(folder / "postBuild", os.X_OK)
    code = (folder / "postBuild").read_text().splitlines()
    assert code[0].startswith("#!")
    assert [line for line in code if line and not line.startswith("#")] == [
        "set -e",
        "genssl doctor",
    ]


def test_a_codespace_installs_by_make_and_opens_the_welcome_notebook():
    told = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
    assert made(told["postCreateCommand"]) == ["install"]
    assert "genssl doctor" in told["postCreateCommand"]
    assert told["containerEnv"]["PIP_EXTRA_INDEX_URL"] == CPU_WHEELS
    assert told["customizations"]["codespaces"]["openFiles"] == [WELCOME]


# --- workflows ----------------------------------------------------------------------------------


def test_there_are_the_tests_and_the_book():
    assert [path.name for path in WORKFLOWS] == ["book.yml", "test.yml"]


@each_workflow
def test_a_workflow_calls_targets_that_there_are_and_can_do_no_more_than_it_must(path):
    told, text = workflow(path), path.read_text()
    assert told["permissions"] in ({}, {"contents": "read"})
    assert told["concurrency"]["group"]
    assert "main" in told["on"]["push"]["branches"]
    called = []
    for name, job in told["jobs"].items():
        assert set(job.get("needs", "").split()) <= set(told["jobs"])
        writes = {k for k, v in job.get("permissions", {}).items() if v == "write"}
        allowed = {"deploy": {"pages", "id-token"}, "colab": {"contents"}}
        assert writes == allowed.get(name, set())
        if writes:  # whoever may start it by hand may do so on any branch
            assert job["if"].startswith("github.ref == 'refs/heads/main'")
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            if "uses" in step:
                # By digest: a tag can be moved to other code, which would run with our rights.
                assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"])
                named = re.search(rf"uses: {step['uses']} # v\d+\.\d+\.\d+$", text, re.M)
                assert named, "a person reads the version beside it"
                if step["uses"].startswith("actions/checkout@") and name != "colab":
                    assert step["with"]["persist-credentials"] is False
            elif name != "colab":
                called += made(step["run"])
                assert made(step["run"]), "what CI runs, a contributor can run"
    assert called == [{"book.yml": "site", "test.yml": "test"}[path.name]]
    assert set(called) <= TARGETS


def test_all_workflows_use_an_action_in_one_version():
    used = {one for path in WORKFLOWS for one in re.findall(r"uses: (\S+ # \S+)", path.read_text())}
    names = [one.split("@")[0] for one in used]
    assert len(names) == len(set(names)) >= 7


def test_the_tests_run_on_every_python_that_the_course_takes():
    job = workflow(PROJECT / ".github" / "workflows" / "test.yml")["jobs"]["test"]
    versions = job["strategy"]["matrix"]["python"]
    assert versions == [f"3.{minor}" for minor in range(30) if PYTHONS.contains(f"3.{minor}")]
    assert job["container"]["image"] == "python:${{ matrix.python }}-bookworm"
    assert job["env"]["PIP_EXTRA_INDEX_URL"] == CPU_WHEELS


def test_the_book_is_published_with_the_addresses_of_its_repository():
    jobs = workflow(PROJECT / ".github" / "workflows" / "book.yml")["jobs"]
    steps = jobs["build"]["steps"]
    (site,) = [step for step in steps if step.get("run") == "make site"]
    assert set(site["env"]) == {f"GENSSL_{field.name.upper()}" for field in fields(Addresses)}
    for told in ("github.server_url", "github.repository"):
        assert told in site["env"]["GENSSL_REPOSITORY"]
    text = (PROJECT / ".github" / "workflows" / "book.yml").read_text()
    explained = set(re.findall(r"STUDENTS_\w+|JUPYTERHUB", text.split("name: book")[0]))
    assert explained == set(re.findall(r"vars\.(\w+)", text))
    ids = {step["id"] for step in steps if "id" in step}
    assert set(re.findall(r"steps\.(\w+)\.", site["env"]["GENSSL_BOOK"])) <= ids
    paths = [step["with"]["path"] for step in steps if "path" in step.get("with", {})]
    assert paths == ["build/book", "build/colab"]
    commit = site["env"]["GENSSL_COMMIT"]
    assert "github.sha" in commit
    assert "vars.STUDENTS_REPOSITORY == ''" in commit, "another repository has other commits"
    (python,) = [s["with"]["python-version"] for s in steps if "setup-python" in s.get("uses", "")]
    assert PYTHONS.contains(python)
    assert jobs["deploy"]["environment"]["name"] == "github-pages"
    assert jobs["deploy"]["steps"][-1]["uses"].startswith("actions/deploy-pages@")


def test_the_branch_for_colab_is_the_one_that_chapters_open(tmp_path):
    """The commands of the workflow, run on a repository here."""
    job = workflow(PROJECT / ".github" / "workflows" / "book.yml")["jobs"]["colab"]
    up, downloaded = job["steps"][1]["with"], tmp_path / "runner" / "colab"
    assert up["path"] == "${{ runner.temp }}/colab"
    downloaded.mkdir(parents=True)
    (downloaded / "07_toy.ipynb").write_text("{}")
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    env = os.environ | {"RUNNER_TEMP": str(tmp_path / "runner"), "GITHUB_ACTOR": "someone"}

    def run(line, folder=tmp_path):
        done = subprocess.run(["bash", "-ec", line], cwd=folder, env=env, capture_output=True,
                              text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(f"git init -q --bare {shlex.quote(str(origin))}")
    run(f"git clone -q {shlex.quote(str(origin))} {shlex.quote(str(clone))}")
    run("mkdir solutions && touch solutions/unit.py README.md && git add .", clone)
    run("git -c user.name=a -c user.email=a@example.org commit -qm first", clone)
    run("git push -q origin HEAD:main", clone)
    for _ in range(2):  # the second time there is such a branch
        run(job["steps"][2]["run"], clone)
        assert run(f"git ls-tree -r --name-only {COLAB_BRANCH}", origin).split() == ["07_toy.ipynb"]
        run("git switch -q --detach && git branch -qD colab && git switch -qC x origin/main", clone)
