"""nbgrader's feedback, made with no flag, tells the score and the hints and no hidden test."""

from __future__ import annotations

import html
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from genssl_utils.course.build import build
from genssl_utils.course.feedback import NOT_RUN, REPORT, STOPPED, HideTests, without_hidden
from genssl_utils.course.grade import demo_submissions, feedback, grade
from genssl_utils.course.source import CourseError

GRADE = {"nbgrader": {"grade": True, "solution": False, "grade_id": "check_f", "points": 2}}


def clean(*outputs, source="f(1)", metadata=GRADE):
    cell = new_code_cell(source, outputs=list(outputs), metadata=metadata)
    cell, _ = HideTests().preprocess_cell(cell, {}, 0)
    return cell


def report(**changes):
    told = {
        "exercise": "f", "points": 1.0, "max_points": 2.0, "status": "partly",
        "checks": [
            {"name": "seen", "passed": False, "hidden": False, "message": "3 is not 4",
             "hint": "add one"},
            {"name": "secret name", "passed": False, "hidden": True, "message": "at -31337",
             "hint": "think of negative numbers"},
        ],
    } | changes  # fmt: skip
    return new_output("execute_result", data={"text/plain": "1.0", REPORT: told})


def test_a_hidden_region_leaves_the_source_even_when_it_is_not_closed():
    whole = "a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc"
    assert without_hidden(whole) == "a\nc"
    assert without_hidden("a\n  ### BEGIN HIDDEN TESTS\nb\nc") == "a"
    assert without_hidden("a\nb") == "a\nb"


def test_an_error_becomes_one_calm_line_without_its_traceback():
    error = new_output("error", ename="E", evalue="secret", traceback=["secret line"])
    (output,) = clean(error, error).outputs
    assert output.text == STOPPED + "\n"


def test_what_a_check_printed_is_not_shown():
    printed = new_output("stream", name="stdout", text="the secret input is -31337")
    assert "31337" not in str(clean(printed, report()).outputs)


def test_a_report_keeps_visible_messages_and_only_hints_of_hidden_checks():
    (output,) = clean(report()).outputs
    for part in ("f: 1 of 2 points", "3 is not 4", "add one", "1 of the checks on other inputs",
                 "think of negative numbers"):  # fmt: skip
        assert part in output.text
    assert "31337" not in output.text
    assert "secret name" not in output.text


@pytest.mark.parametrize("tag", ["experiment", "claim", "figure"])
def test_a_cell_left_out_of_grading_does_not_look_like_a_failure(tag):
    error = new_output("error", ename="NameError", evalue="total", traceback=["total"])
    (output,) = clean(error, metadata={"tags": [tag]}).outputs
    assert output.text == NOT_RUN + "\n"


def test_a_students_own_error_is_shown_as_it_was():
    error = new_output("error", ename="NameError", evalue="x", traceback=["x"])
    answer = {"nbgrader": {"grade": False, "solution": True, "grade_id": "f"}}
    assert clean(error, metadata=answer).outputs == [error]


def test_grading_and_feedback_of_four_made_up_students(toy):
    build([toy])
    assert demo_submissions(toy) == ["demo_blank", "demo_right", "demo_half", "demo_wrong"]
    noisy = toy.root / "submitted" / "demo_half" / "07_toy" / "07_toy.ipynb"
    nb = nbformat.read(noisy, as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double":
            cell.source = "import sys\ndef double(x):\n    print('!', file=sys.stderr)\n"
            cell.source += "    return abs(2 * x)"
    nbformat.write(nb, noisy)
    marks = {mark.student: mark for mark in grade(toy)}
    scores = {name: mark.total for name, mark in marks.items()}
    assert scores == {"demo_blank": 0, "demo_right": 2, "demo_half": 1, "demo_wrong": 0}
    assert not any(mark.trouble for mark in marks.values())
    pages = feedback(toy)
    assert len(pages) == 4
    for page in pages:
        shown = re.sub(r"<style.*?</style>|<[^>]+>", "", page.read_text("utf-8"), flags=re.S)
        for secret in ("31337", "62674", "a hidden negative number", "HIDDEN TESTS", "Traceback"):
            assert secret not in html.unescape(shown)
    half = next(page for page in pages if "demo_half" in page.parts).read_text("utf-8")
    assert "double: 1 of 2 points" in half


def test_one_broken_submission_does_not_stop_the_others(toy):
    build([toy])
    demo_submissions(toy)
    (toy.root / "submitted" / "demo_half" / "07_toy" / "07_toy.ipynb").write_text("{")
    (toy.root / "submitted" / "nothing" / "07_toy").mkdir(parents=True)
    marks = {mark.student: mark for mark in grade(toy)}
    assert marks["demo_right"].total == 2
    assert "not a readable notebook" in marks["demo_half"].trouble
    assert "there is no 07_toy.ipynb" in marks["nothing"].trouble


def test_feedback_before_grading_says_what_to_do(toy):
    build([toy])
    with pytest.raises(CourseError, match="genssl grade"):
        feedback(toy)
