"""Graded again: the unit, the deadline, the machine or the way of grading changed meanwhile."""

from __future__ import annotations

import sqlite3

import pytest

from genssl_utils.course.build import build
from genssl_utils.course.grade.screen import grade
from genssl_utils.course.source import CourseError, find_unit
from small_class import ANSWERS, hand_in, rows
from toy_course import ANSWER, CHECK, TOY, write_unit

TRIPLE = (
    '''
# %% tags=["exercise"] nbgrader=ANSWER
def triple(x):
    """Thrice the number."""
    ### BEGIN SOLUTION
    return 3 * x
    ### END SOLUTION

pytestmark = pytest.mark.usefixtures("warm_lanes")


# %% tags=["check"] nbgrader=CHECK
ex = check.exercise("start_here", "triple", points=2)
with ex.check("three twos"):
    ex.true(triple(2) == 6, "it is not 6")
ex.report()

# %% tags=["experiment"]
total'''.replace("ANSWER", ANSWER)
    .replace("CHECK", CHECK)
    .replace('"double"', '"triple"')
)
TRIPLE = TRIPLE.replace('"check_double"', '"check_triple"')
WITH_TRIPLE = TOY.replace('\n# %% tags=["experiment"]\ntotal', TRIPLE, 1)


def changed(unit, text):
    """The unit with another source, built."""
    write_unit(unit.root, unit.name, text)
    unit = find_unit(unit.root, "07")
    build([unit])
    return unit


def points(marks):
    return {mark.student: mark.points for mark in marks}


def test_a_unit_that_gained_an_exercise_is_graded_again(small):
    grade(small)
    larger = changed(small, WITH_TRIPLE)
    hand_in(larger, "s3", ANSWERS[0])
    marks = points(grade(larger))
    assert marks["s0"] == {"double": 2.0, "triple": 0.0}
    assert marks["s3"]["double"] == 2.0
    scored = {row[1] for row in rows(small.root) if row[0] == "s0" and len(row) > 4}
    assert scored == {"check_double", "check_triple"}


def test_a_unit_that_lost_an_exercise_is_said_and_nothing_is_lost(small):
    larger = changed(small, WITH_TRIPLE)
    grade(larger)
    before = rows(small.root)
    write_unit(small.root, "07_toy", TOY)
    smaller = find_unit(small.root, "07")
    for _ in range(2):
        with pytest.raises(CourseError, match="has marks for check_triple, triple"):
            grade(smaller)
    assert rows(small.root) == before


def test_a_gradebook_that_was_not_told_of_the_new_points_is_told(small):
    """As after a crash between the source folder and the gradebook."""
    grade(small)
    with sqlite3.connect(small.root / "gradebook.db") as book:
        book.execute("update grade_cells set max_score = 7")
    grade(small)
    with sqlite3.connect(small.root / "gradebook.db") as book:
        assert book.execute("select max_score from grade_cells").fetchall() == [(2.0,)]


def test_what_ran_out_of_time_is_judged_again_by_the_next_run(small):
    """A machine with too much to do is no fault of the student's."""
    (small.root / "grading.toml").write_text("[default]\ncall_seconds = 2\n")
    hand_in(small, "s0", "import time\ntime.sleep(30)\ndef double(x):\n    return 2 * x")
    (slow, *_) = grade(small)
    assert slow.total == 0
    assert "ran longer than 2 s" in slow.reasons[0]
    again = {mark.student: mark.fresh for mark in grade(small)}
    assert again == {"s0": True, "s1": False, "s2": False}


def test_what_was_graded_without_the_sandbox_is_judged_again_inside(small):
    assert all(mark.fresh for mark in grade(small, walls=False))
    assert not any(mark.fresh for mark in grade(small, walls=False))
    assert all(mark.fresh for mark in grade(small))


def test_a_verdict_that_could_not_be_given_again_stands_and_that_is_said(small, monkeypatch):
    from genssl_utils.course.grade import farm

    grade(small)
    monkeypatch.setattr(farm, "judge_on_worker", lambda *_: {"broken": "the judge is ill"})
    marks = grade(small, force=True)
    assert [mark.total for mark in marks] == [2.0, 1.0, 0.0]
    assert all("in vain (the judge is ill)" in mark.reasons[0] for mark in marks)


def test_another_deadline_and_a_receipt_that_is_gone_reach_the_gradebook(small):
    stamp = small.root / "submitted" / "s0" / "07_toy" / "timestamp.txt"
    stamp.write_text("2026-01-02 00:00:00 UTC\n")
    grade(small)
    with sqlite3.connect(small.root / "gradebook.db") as book:
        book.execute("update assignment set duedate = '2026-01-01 00:00:00.000000'")
    assert {mark.student: mark.fresh for mark in grade(small)} == {
        "s0": True, "s1": False, "s2": False,
    }  # fmt: skip
    stamp.unlink()
    grade(small)
    assert {row[6] for row in rows(small.root) if row[:2] == ("s0", "check_double")} == {None}
