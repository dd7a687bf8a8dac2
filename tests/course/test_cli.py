"""Whatever a person can get wrong is one clear line, exit code 2, and nothing half-written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from genssl_utils.course.grade import run
from genssl_utils.course.source import find_unit
from toy_course import CHECK, TOY


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["build", "99"], "The units are: 07_toy"),
        (["run", "nothing"], "The units are: 07_toy"),
        (["run", "--scale", "huge"], "laptop or full"),
        (["run", "--jobs", "0"], "at least 1"),
        (["run", "--seeds", "many"], "--seeds"),
        (["check", "99"], "The units are: 07_toy"),
        (["check", "07"], "genssl build"),
        (["grade", "07"], "submitted/STUDENT/07_toy"),
        (["grade", "07", "--student", "ada"], "submitted/ada/07_toy"),
        (["feedback", "07"], "genssl grade 07_toy"),
        (["grade"], "UNIT'. Try: genssl --help"),
        (["grade", "07", "--jobs", "x"], "as an integer. Try: genssl --help"),
        (["bild"], "build"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(genssl, toy, words, told):
    before = sorted(toy.root.rglob("*"))
    code, _, err = genssl(toy.root, *words)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("genssl: ")
    assert told in err
    assert sorted(toy.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.EROFS, "where you may write"), (errno.EACCES, "yours to"), (errno.ENOSPC, "Free some")],
)
def test_a_file_that_cannot_be_written_is_named_with_what_to_do(
    genssl, small, monkeypatch, number, told
):
    """Root may write anywhere, so the system's answer is made up."""

    def no(*_):
        raise OSError(number, os.strerror(number), "grading/lock")

    monkeypatch.setattr(run, "only_grader", no)
    code, out, err = genssl(small.root, "grade", "07")
    assert (code, out.strip()) == (2, "")
    assert err.startswith(f"genssl: {os.strerror(number)}: grading/lock. ")
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_outside_the_course_it_says_where_to_go(genssl, tmp_path):
    code, _, err = genssl(tmp_path, "build")
    assert code == 2
    assert "not inside the course" in err


@pytest.mark.parametrize("text", ["# %% [markdown]\n# # Nothing graded", "# %%\n'unfinished"])
def test_a_source_that_cannot_be_built_is_one_line(genssl, toy, text):
    toy.source.write_text(text)
    code, _, err = genssl(toy.root, "build")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert not toy.notebook.exists()


def test_a_source_that_is_not_utf_8_is_one_line(genssl, toy):
    toy.source.write_bytes(TOY.encode().replace(b"Doubling", b"D\xfcbling"))
    (toy.root / "book").mkdir()
    for words in (["build"], ["run"]):
        code, _, err = genssl(toy.root, *words)
        assert code in (1, 2)
        assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("def double(x):", "def double(x)", "the answer `double` stops with SyntaxError"),
        ("results.begin(", "results.began(", "setup cell that begins `from genssl_utils.kit"),
        (f" nbgrader={CHECK}", "", "give it nbgrader's metadata"),
    ],
)
def test_a_cell_of_the_source_that_is_wrong_is_named(genssl, toy, old, new, told):
    assert old in TOY
    toy.mistakes.write_text("")
    toy.source.write_text(TOY.replace(old, new))
    code, _, err = genssl(toy.root, "build")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert told in err
    assert "07_toy" in err
    assert not toy.notebook.exists()


def test_a_broken_notebook_is_one_line(genssl, built):
    built.notebook.write_text('{"cells": [')
    code, _, err = genssl(built.root, "check", "07")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert "broken" in err


def test_a_folder_that_cannot_be_written_is_one_line_and_leaves_the_old_file(genssl, built):
    before = built.notebook.read_bytes()
    built.source.write_text(TOY.replace("twice a number do", "twice a number give"))
    # Root may write anywhere, so a file stands where a folder would have to be made.
    key = built.notebook.parent
    kept = key.rename(key.with_name("kept"))
    key.write_text("")
    code, _, err = genssl(built.root, "build")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert (kept / "07_toy.ipynb").read_bytes() == before


def test_a_stale_build_is_named_and_exits_1(genssl, toy):
    code, out, _ = genssl(toy.root, "build")
    assert (code, "written: notebooks/07_toy/07_toy.ipynb" in out) == (0, True)
    assert genssl(toy.root, "build", "--check")[0] == 0
    toy.source.write_text(TOY.replace("twice a number do", "twice a number give"))
    code, out, _ = genssl(toy.root, "build", "--check")
    assert code == 1
    assert "stale: notebooks/07_toy/07_toy.ipynb" in out


def test_check_exits_1_until_everything_passes(genssl, built):
    code, out, _ = genssl(built.root, "check", "07")
    assert code == 1
    assert "double" in out
    text = built.notebook.read_text()
    stub = 'raise NotImplementedError(\\"Replace this line with your answer.\\")'
    assert stub in text
    built.notebook.write_text(text.replace(stub, "return 2 * x"))
    assert genssl(built.root, "check", "toy")[0] == 0


def test_units_are_found_by_number_topic_or_name(course):
    assert find_unit(course, "07") == find_unit(course, "toy") == find_unit(course, "07_toy/")


def test_help_names_every_command_and_is_fast():
    code = "import sys; from genssl_utils.course.cli import main; sys.argv[1:] = ['--help']\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += (
        "assert not {'torch', 'nbgrader', 'papermill', 'jupytext', 'nbformat'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=os.environ | {"COLUMNS": "100"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in ["lab", "build", "run", "check", "book", "bundle", "grade", "feedback", "doctor"]:
        assert f" {name} " in done.stdout
