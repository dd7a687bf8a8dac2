"""nbgrader's feedback, made with no flag, tells the score and the hints and no hidden test."""

from __future__ import annotations

import html
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from genssl_utils.course import feedback as cleaning
from genssl_utils.course.feedback import NOT_RUN, STOPPED, WITHHELD
from genssl_utils.course.feedback import write_feedback as feedback
from genssl_utils.course.grade.demo import demo_submissions
from genssl_utils.course.grade.screen import grade
from genssl_utils.course.released import Released
from genssl_utils.course.source import REPORT, CourseError, without_hidden

GRADE = {"nbgrader": {"grade": True, "solution": False, "grade_id": "check_f", "points": 2}}
ANSWER = {"nbgrader": {"grade": False, "solution": True, "grade_id": "f"}}
HIDDEN = "judge(f(-31337) == -62674, 'secret name')"
CHECK = f"judge(f(2) == 4, 'seen')\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
RELEASED = Released(
    new_notebook(
        cells=[
            new_code_cell("def f(x): return x", metadata=ANSWER),
            new_code_cell(CHECK, metadata=GRADE),
            *[new_code_cell(tag, metadata={"tags": [tag]}) for tag in sorted(cleaning.LEFT_OUT)],
        ]
    )
)


def clean(*outputs, source=CHECK, metadata=GRADE):
    cell = new_code_cell(source, outputs=list(outputs), metadata=metadata)
    cleaning.clean(cell, RELEASED)
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
    (output,) = clean(error, source=tag, metadata={"tags": [tag]}).outputs
    assert output.text == NOT_RUN + "\n"


def test_a_students_own_error_is_shown_as_it_was():
    error = new_output("error", ename="NameError", evalue="x", traceback=["x"])
    assert clean(error, source="x", metadata=ANSWER).outputs == [error]


@pytest.mark.parametrize("how", [str, repr, lambda s: s.replace(" ", "  "), "<b>{}</b>".format])
def test_a_hidden_line_does_not_come_back_through_the_students_own_output(how):
    printed = new_output("stream", name="stdout", text=how(f"In = [{CHECK!r}]\n{HIDDEN}"))
    assert clean(printed, source="mine", metadata={}).outputs == []
    (output,) = clean(printed, source="print(In)", metadata=ANSWER).outputs
    assert output.text == WITHHELD + "\n"
    shown = new_output("display_data", data={"text/html": how(HIDDEN)})
    (output,) = clean(shown, source="experiment", metadata={}).outputs
    assert output.text == WITHHELD + "\n"
    harmless = new_output("stream", name="stdout", text="f(2) is 4")
    assert clean(harmless, source="f(2)", metadata=ANSWER).outputs == [harmless]


def test_of_an_output_text_and_pictures_are_shown_and_nothing_that_runs():
    kinds = {"text/plain": "4", "image/png": "iVBO", "text/html": "<b>4</b>",
             "image/svg+xml": "<svg/>", "application/javascript": "alert(1)"}  # fmt: skip
    shown = new_output("display_data", data=kinds, metadata={"image/png": {"width": "1 onload=x"}})
    (output,) = clean(shown, source="f(2)", metadata=ANSWER).outputs
    assert output.data == {"text/plain": "4", "image/png": "iVBO"}
    assert output.metadata == {}


@pytest.mark.parametrize(
    "forged",
    [
        None, [], 3, {}, "a report", {"exercise": "g"}, {"exercise": ["f"]}, {"points": "2"},
        {"points": float("nan")}, {"points": 10**400}, {"points": True}, {"max_points": None},
        {"checks": None},
        {"checks": [3]}, {"checks": [{}]}, {"status": "x" * 3000},
        {"checks": [{"name": "seen", "passed": False, "hidden": False, "message": HIDDEN}]},
        {"checks": [{"name": "seen", "passed": False, "hidden": False, "message": {"a": 1}}]},
        {"checks": [{"name": "seen", "passed": "no", "hidden": False}]},
    ],
)  # fmt: skip
def test_a_forged_report_is_not_believed_and_stops_nothing(forged):
    output = report(**forged) if isinstance(forged, dict) and forged else report()
    if not isinstance(forged, dict) or not forged:
        output.data[REPORT] = forged
    (output,) = clean(output).outputs
    assert output.text == STOPPED + "\n"


def test_only_the_value_of_the_cell_is_its_report():
    shown = new_output("display_data", data=report(points=2.0).data)
    assert clean(shown).outputs[0].text == STOPPED + "\n"
    assert "1 of 2 points" in clean(shown, report()).outputs[0].text


def test_a_hint_of_ours_is_told_on_however_many_lines_it_stands():
    told = "Think of negative numbers, and of zero."
    source = CHECK.replace("'secret name')", "'secret name', hint='Think of negative '\n"
                           "'numbers, and of zero.')")  # fmt: skip
    nb = new_notebook(cells=[new_code_cell(source, metadata=GRADE), *RELEASED.nb.cells[:1]])
    checks = [{"name": "secret name", "passed": False, "hidden": True, "hint": told}]
    cell = new_code_cell(source, outputs=[report(checks=checks)], metadata=GRADE)
    cleaning.clean(cell, Released(nb))
    assert f"hint: {told}" in cell.outputs[0].text


def test_a_check_that_only_calls_itself_visible_is_counted_and_not_told():
    checks = [{"name": "my own", "passed": False, "hidden": False, "message": "at -31337"}]
    (output,) = clean(report(checks=checks)).outputs
    assert "31337" not in output.text
    assert "1 of the checks on other inputs" in output.text


def test_a_check_that_is_kept_from_running_has_no_points(built):
    """Whatever tags a submission puts on its cells, and whatever its check cells then give."""
    demo_submissions(built)
    path = built.root / "submitted" / "demo_wrong" / "07_toy" / "07_toy.ipynb"
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        cell.metadata["tags"] = ["experiment", "skip-execution", "remove_cell"]
    nbformat.write(nb, path)
    silent = built.root / "submitted" / "demo_half" / "07_toy" / "07_toy.ipynb"
    nb = nbformat.read(silent, as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double":
            cell.source = "get_ipython().ast_node_interactivity = 'none'\n"
            cell.source += "def double(x): return x"
    nbformat.write(nb, silent)
    marks = {mark.student: mark for mark in grade(built)}
    assert {name: mark.total for name, mark in marks.items()} == {
        "demo_blank": 0, "demo_right": 2, "demo_half": 0, "demo_wrong": 0,
    }  # fmt: skip
    graded = built.root / "build" / "autograded" / "demo_wrong" / "07_toy" / "07_toy.ipynb"
    roles = [c.metadata.get("tags") for c in nbformat.read(graded, 4).cells if "source" in c]
    assert ["check"] in roles
    assert not [tags for tags in roles if tags and "skip-execution" in tags]


def test_printing_the_input_history_shows_no_hidden_test(built):
    demo_submissions(built)
    path = built.root / "submitted" / "demo_right" / "07_toy" / "07_toy.ipynb"
    nb = nbformat.read(path, as_version=4)
    nb.cells.append(new_code_cell('print("\\n".join(In))'))
    nb.cells.append(new_code_cell("double(3)"))
    for cell in nb.cells:
        if "setup" in cell.metadata.get("tags", ()):
            nb.cells.append(new_code_cell(cell.source, metadata={"tags": ["setup"]}))
            nb.cells[-1].source += "\nprint(In)"
            break
    nbformat.write(nb, path)
    grade(built, ["demo_right"])
    for page in feedback(built):
        assert "31337" not in page.read_text("utf-8")


def test_grading_and_feedback_of_four_made_up_students(built):
    assert demo_submissions(built) == ["demo_blank", "demo_right", "demo_half", "demo_wrong"]
    noisy = built.root / "submitted" / "demo_half" / "07_toy" / "07_toy.ipynb"
    nb = nbformat.read(noisy, as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double":
            cell.source = "import sys\ndef double(x):\n    print('!', file=sys.stderr)\n"
            cell.source += "    return abs(2 * x)"
    nbformat.write(nb, noisy)
    marks = {mark.student: mark for mark in grade(built)}
    scores = {name: mark.total for name, mark in marks.items()}
    assert scores == {"demo_blank": 0, "demo_right": 2, "demo_half": 1, "demo_wrong": 0}
    assert not any(mark.reasons for mark in marks.values())
    pages = feedback(built)
    assert len(pages) == 4
    for page in pages:
        shown = re.sub(r"<style.*?</style>|<[^>]+>", "", page.read_text("utf-8"), flags=re.S)
        for secret in ("31337", "62674", "a hidden negative number", "HIDDEN TESTS", "Traceback"):
            assert secret not in html.unescape(shown)
    half = next(page for page in pages if "demo_half" in page.parts).read_text("utf-8")
    assert "double: 1 of 2 points" in half
    assert "pre-wrap; overflow-wrap" in half  # long lines are not cut off


def test_one_broken_submission_does_not_stop_the_others(built):
    demo_submissions(built)
    (built.root / "submitted" / "demo_half" / "07_toy" / "07_toy.ipynb").write_text("{")
    (built.root / "submitted" / "nothing" / "07_toy").mkdir(parents=True)
    marks = {mark.student: mark for mark in grade(built)}
    assert marks["demo_right"].total == 2
    assert marks["demo_half"].reasons == ["the notebook is not readable as JSON"]
    assert "there is no 07_toy.ipynb" in marks["nothing"].reasons[0]
    assert marks["nothing"].points == {"double": None}


def test_feedback_before_grading_says_what_to_do(built):
    with pytest.raises(CourseError, match="genssl grade"):
        feedback(built)


def test_a_gradebook_that_was_moved_away_is_one_line_that_says_what_to_do(small):
    grade(small)
    (small.root / "gradebook.db").unlink()
    with pytest.raises(CourseError, match=r"gradebook lacks .* Run: genssl grade 07_toy"):
        feedback(small)
    grade(small)
    assert len(feedback(small)) == 3
