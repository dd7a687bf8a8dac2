"""The zip for students holds what they need and nothing that they may not see."""

from __future__ import annotations

import re
import zipfile

import pytest

from genssl_utils.course.bundle import STUDENTS_TOOLS, bundle, secret_lines
from genssl_utils.course.source import CourseError, all_units
from toy_course import PROJECT, TOY, write_unit


def members(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def test_two_bundles_are_one_file(toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    first, _ = bundle([toy], folder / "a.zip")
    (toy.root / "genssl_utils" / "__pycache__").mkdir()
    (toy.root / "genssl_utils" / "__pycache__" / "x.pyc").write_text("cache")
    second, _ = bundle([toy], folder / "b.zip")
    assert first.read_bytes() == second.read_bytes()


def test_work_begun_in_the_notebooks_stays_out(toy, tmp_path_factory):
    toy.notebook.parent.mkdir(parents=True)
    toy.notebook.write_text("my own answers")
    path, _ = bundle([toy], tmp_path_factory.mktemp("out") / "a.zip")
    assert "my own answers" not in members(path)["genssl/notebooks/07_toy/07_toy.ipynb"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("genssl_utils/toy/a.py", "    the_reference_answer_of_double = x + x", "a.py"),
        ("genssl_utils/toy/b.js", "// ### BEGIN SOLUTION", "BEGIN SOLUTION"),
        ("Makefile", 'ex.true(double(-31337) == -62674, "wrong at -31337")', "Makefile"),
    ],
)  # fmt: skip
def test_a_leak_stops_the_bundle_and_nothing_is_written(toy, name, text, told):
    path = toy.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    with pytest.raises(CourseError, match=told):
        bundle([toy], toy.root / "out.zip")
    assert not (toy.root / "out.zip").exists()


def test_an_answer_that_the_student_sees_anyway_is_no_secret(course):
    shown = TOY.replace("# %% [markdown]\n# # Doubling", "# %% [markdown]\n# # Doubling\n#\n#     "
                        "the_reference_answer_of_double = x + x")  # fmt: skip
    unit = write_unit(course, "08_shown", shown)
    assert not [line for line in secret_lines(unit) if line.startswith("the_reference")]


def test_the_bodies_of_a_catalogue_are_secret_and_its_hints_are_not(toy):
    toy.mistakes.write_text(
        "@mistake(\n    'double',\n    'A hint that stands on a line of its own.',\n)\n"
        "def wrong(x):\n    return a_wrong_answer_that_tells(x)\n"
    )
    lines = list(secret_lines(toy))
    assert "returna_wrong_answer_that_tells(x)" in lines
    assert not [line for line in lines if "Ahint" in line]


def test_the_real_bundle_is_whole_and_holds_no_answer(tmp_path):
    units = all_units(PROJECT)
    path, number = bundle(units, tmp_path / "course.zip")
    files = members(path)
    assert len(files) == number
    assert all(name.startswith("genssl/") for name in files)
    for part in ("README.md", "LICENSE", "LICENSE-text", "Makefile", "pyproject.toml",
                 "constraints.txt", "environment.yml", "genssl_utils/kit/check/__init__.py",
                 "genssl_utils/course/cli.py", "genssl_utils/course/checknb.py",
                 "genssl_utils/course/lab.py", "genssl_utils/course/doctor.py",
                 "genssl_utils/gumbel_softmax/key.json",
                 "binder/requirements.txt", "binder/postBuild", ".devcontainer/devcontainer.json",
                 "notebooks/00_start_here/00_start_here.ipynb",
                 "notebooks/05_gumbel_softmax/05_gumbel_softmax.ipynb"):  # fmt: skip
        assert f"genssl/{part}" in files
    readme = files["genssl/README.md"]
    for path in re.findall(r"`([\w./-]+\.\w+|LICENSE[\w-]*)`", readme):
        assert f"genssl/{path}" in files, f"the students' README speaks of {path}"
    for word in ("grade", "solutions", "make test"):
        assert word not in readme
    assert not [name for name in files if "solutions" in name or "mistakes" in name]
    tools = {name.split("/")[-1] for name in files if "/course/" in name}
    assert tools == set(STUDENTS_TOOLS)
    squeezed = {name: "".join(text.split()) for name, text in files.items()}
    for unit in units:
        for line in secret_lines(unit):
            for name, text in squeezed.items():
                assert line not in text, f"{name} holds {line}"


def test_the_commands_of_a_student_work_from_the_bundle(tmp_path):
    import os
    import subprocess
    import sys

    path, _ = bundle(all_units(PROJECT), tmp_path / "course.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    home = tmp_path / "genssl"

    def genssl(*words):
        return subprocess.run(
            [sys.executable, "-c", "from genssl_utils.course.cli import main; main()", *words],
            cwd=home, env=os.environ | {"PYTHONPATH": str(home), "COLUMNS": "120"},
            capture_output=True, text=True,
        )  # fmt: skip

    where = "import genssl_utils.course.cli as c; print(c.__file__)"
    done = subprocess.run([sys.executable, "-c", where], cwd=home, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(home)})  # fmt: skip
    assert str(home) in done.stdout
    done = genssl("check", "00")
    assert done.returncode == 1, done.stderr
    assert "not written" in done.stdout
    assert genssl("doctor").returncode == 0
    assert genssl("--help").returncode == 0
    for words in (["build"], ["grade", "05"], ["run"], ["book"], ["bundle"]):
        done = genssl(*words)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
