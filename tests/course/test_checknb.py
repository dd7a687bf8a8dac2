"""`genssl check` says where a student's notebook stands, whatever state it is in."""

from __future__ import annotations

import nbformat
import pytest
from rich.console import Console

from genssl_utils.course.checknb import check_notebook, show
from genssl_utils.course.source import CourseError

RIGHT = "def double(x):\n    return 2 * x"


def answer(unit, source, **cells):
    """Write an answer into the student's notebook, and other cells by their grade_id."""
    nb = nbformat.read(unit.notebook, as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double":
            cell.source = source
    nbformat.write(nb, unit.notebook)


@pytest.fixture
def student(built):
    """A student's copy of the unit, untouched."""
    return built


@pytest.mark.parametrize(
    ("source", "state", "advice"),
    [
        (RIGHT, "passed", "Go on."),
        ("def double(x):\n    return abs(x) ** 3", "not yet", "Look at: twice two."),
        ("def double(x)\n    return 2 * x", "not yet", "SyntaxError"),
        ("raise SystemExit('no')", "not yet", "double is not defined"),
        ("def double(x):\n    while True: pass", "not yet", "longer than 8 s"),
        ("import os\nos._exit(3)", "not yet", "Python itself stopped"),
    ],
)
def test_every_state_is_told_in_one_line(student, source, state, advice):
    answer(student, source)
    (standing,) = check_notebook(student, timeout=8)
    assert (standing.exercise, standing.state) == ("double", state)
    assert advice in standing.advice
    assert "\n" not in standing.advice
    assert standing.max_points == 2


def test_an_answer_that_cannot_be_read_is_told_although_an_older_one_is_there(student):
    answer(student, "def double(x)\n    return 2 * x")
    nb = nbformat.read(student.notebook, as_version=4)
    nb.cells.insert(1, nbformat.v4.new_code_cell(RIGHT))
    nbformat.write(nb, student.notebook)
    (standing,) = check_notebook(student)
    assert (standing.state, standing.points) == ("not yet", 0)
    assert "SyntaxError" in standing.advice


def test_the_table_holds_no_traceback(student):
    answer(student, "def double(x):\n    return x / 0")
    console = Console(record=True, width=120)
    console.print(show(check_notebook(student)))
    text = console.export_text()
    assert "0 of 1 exercises pass" in text
    assert "not yet" in text
    assert "Traceback" not in text


def test_experiments_are_left_out_and_the_notebook_is_not_touched(student):
    nb = nbformat.read(student.notebook, as_version=4)
    for cell in nb.cells:
        if "experiment" in cell.metadata.get("tags", ()):
            cell.source = "import time; time.sleep(1000)"
    nbformat.write(nb, student.notebook)
    answer(student, RIGHT)
    before = student.notebook.read_bytes()
    (standing,) = check_notebook(student, timeout=20)
    assert standing.passed
    assert student.notebook.read_bytes() == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"nbformat": 4}'])
def test_a_broken_notebook_is_one_line(student, text):
    student.notebook.write_text(text)
    with pytest.raises(CourseError) as caught:
        check_notebook(student)
    assert "07_toy.ipynb" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_notebook_says_what_to_do(toy):
    with pytest.raises(CourseError, match="genssl build"):
        check_notebook(toy)


def test_a_notebook_without_checks_is_refused(student):
    nb = nbformat.read(student.notebook, as_version=4)
    nb.cells = [cell for cell in nb.cells if "check" not in cell.metadata.get("tags", ())]
    nbformat.write(nb, student.notebook)
    with pytest.raises(CourseError, match="no check"):
        check_notebook(student)
