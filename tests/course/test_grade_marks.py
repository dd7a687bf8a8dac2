"""What the grader says at its end: a table for a narrow terminal, and what scores moved."""

from __future__ import annotations

import io

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from genssl_utils.course.grade import sandbox
from genssl_utils.course.grade.recorder import database
from genssl_utils.course.grade.run import Grading, Mark
from genssl_utils.course.grade.screen import grade, moved, show
from genssl_utils.course.report.page import page
from genssl_utils.course.report.standing import standing
from genssl_utils.course.source import all_units, find_unit
from small_class import ANSWERS, hand_in
from toy_course import PROJECT, TOY

pytestmark = pytest.mark.usefixtures("warm_lanes")

WALLS = not sandbox.why_not_here()


@pytest.mark.parametrize("unit", all_units(PROJECT), ids=lambda unit: unit.name)
def test_the_table_fits_a_narrow_terminal_with_all_names_in_full(unit):
    console = Console(width=80, file=io.StringIO())
    console.print(show(unit, [Mark("a-long-student-id", dict.fromkeys(unit.exercises, 1.25))]))
    text = console.file.getvalue()
    assert "…" not in text
    assert "a-long-student-id" in text
    for number, name in enumerate(unit.exercises, 1):
        assert f"{number} {name}" in text


def test_scores_that_moved_are_told_with_what_they_were():
    marks = [
        Mark("new", {"f": 1.0}),
        Mark("same", {"f": 1.0}, before=1.0),
        Mark("kept", {"f": 1.0}, fresh=False, before=2.0),
        Mark("moved", {"f": 1.0, "g": None}, before=2.5),
    ]
    assert moved(marks) == ["moved 2.5 → 1"]


def test_a_mended_check_moves_scores_and_nothing_else_does(built):
    hand_in(built, "half", ANSWERS[1])
    hand_in(built, "right", ANSWERS[0])
    assert moved(grade(built, walls=WALLS)) == []
    assert moved(grade(built, walls=WALLS, force=True)) == []
    hidden = 'ex.hidden("a hidden negative number"'
    assert hidden in TOY
    built.source.write_text(built.source.read_text().replace(hidden, f"{hidden}, weight=3"))
    (told,) = moved(grade(find_unit(built.root, built.name), walls=WALLS))
    assert told.startswith("half 1 → 0.")


def test_a_notebook_that_a_person_renamed_is_not_talked_of_again(built):
    right = hand_in(built, "right", ANSWERS[0])
    odd = right.rename(right.with_name("final.ipynb"))
    (mark,) = grade(built, walls=WALLS)
    assert mark.reasons == ["the notebook was called final.ipynb"]
    odd.rename(right)
    (mark,) = grade(built, walls=WALLS)
    assert (mark.reasons, mark.total) == ([], 2.0)


def test_what_a_person_has_graded_is_not_asked_for_again(built):
    hand_in(built, "stops", ANSWERS[4])
    (mark,) = grade(built, walls=WALLS)
    assert mark.reasons
    with Gradebook(database(built)) as book:
        row = book.find_grade("check_double", built.name, built.name, "stops")
        row.manual_score, row.needs_manual_grade = 1.5, False
        book.db.commit()
    for force in (False, True):
        (mark,) = grade(built, walls=WALLS, force=force)
        assert (mark.reasons, mark.total) == ([], 1.5)


def test_what_a_person_has_graded_is_so_in_the_report_and_in_the_counts(built):
    hand_in(built, "right", ANSWERS[0])
    hand_in(built, "cut", ANSWERS[0]).write_text("{")
    run = Grading(built, walls=WALLS)
    run.run()
    stands = standing(built)
    assert (len(stands.graded), len(stands.flagged), run.counts["failed"]) == (1, 1, 1)
    with Gradebook(database(built)) as book:
        row = book.find_grade("check_double", built.name, built.name, "cut")
        row.manual_score, row.needs_manual_grade = 1.0, False
        book.db.commit()
    run = Grading(built, walls=WALLS)
    assert not any(mark.fresh for mark in run.run())
    stands = standing(built)
    assert (len(stands.graded), len(stands.flagged), run.counts["failed"]) == (2, 0, 0)
    assert stands.median == 1.5
    assert "cannot be read" not in page(stands)
