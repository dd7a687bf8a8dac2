"""Graded again: the unit, the deadline, the machine or the way of grading changed meanwhile."""

from __future__ import annotations

import sqlite3

import pytest
from nbgrader.api import Gradebook

from genssl_utils.course.build import build
from genssl_utils.course.grade.journal import Journal
from genssl_utils.course.grade.recorder import database
from genssl_utils.course.grade.run import SECOND_LOOK
from genssl_utils.course.grade.screen import grade
from genssl_utils.course.source import CourseError, find_unit
from small_class import ANSWERS, hand_in, rows
from toy_course import ANSWER, CHECK, TOY, write_unit

pytestmark = pytest.mark.usefixtures("warm_lanes")

TRIPLE = (
    '''
# %% tags=["exercise"] nbgrader=ANSWER
def triple(x):
    """Thrice the number."""
    ### BEGIN SOLUTION
    return 3 * x
    ### END SOLUTION


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


def give_by_hand(unit, student, points):
    """A person's points, as the formgrader saves them."""
    with Gradebook(database(unit)) as book:
        row = book.find_grade("check_double", unit.name, unit.name, student)
        row.manual_score, row.needs_manual_grade = points, False
        book.db.commit()


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


def test_work_that_was_taken_back_leaves_no_evidence_of_the_other(small, monkeypatch):
    """The other was recorded, and the grader was killed before it could note that."""

    def killed(*_):
        raise KeyboardInterrupt

    grade(small)
    evidence = small.root / "build" / "autograded" / "s0" / "07_toy" / "07_toy.ipynb"
    before, scores = evidence.read_bytes(), rows(small.root)
    stamp = hand_in(small, "s0", ANSWERS[6]).with_name("timestamp.txt")  # it scores as much
    stamp.write_text("2026-01-02 00:00:00 UTC\n")
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            grade(small)
    assert evidence.read_bytes() != before
    assert rows(small.root) != scores
    stamp.unlink()
    hand_in(small, "s0", ANSWERS[0])
    assert {mark.student: mark.fresh for mark in grade(small)} == {
        "s0": True, "s1": False, "s2": False,
    }  # fmt: skip
    assert evidence.read_bytes() == before
    assert rows(small.root) == scores


def test_where_nothing_changed_nothing_is_written(small):
    grade(small)
    give_by_hand(small, "s2", 1.5)
    grade(small)
    before = {path: path.read_bytes() for path in small.root.rglob("*") if path.is_file()}
    grade(small)
    after = {path: path.read_bytes() for path in small.root.rglob("*") if path.is_file()}
    lock = small.root / "grading" / "lock"
    assert {p for p in before | after if before.get(p) != after.get(p)} <= {lock}


def test_evidence_that_somebody_else_wrote_over_comes_back(small):
    grade(small)
    evidence = small.root / "build" / "autograded" / "s1" / "07_toy" / "07_toy.ipynb"
    before = evidence.read_bytes()
    evidence.write_text("{}")
    assert [mark.student for mark in grade(small) if mark.fresh] == ["s1"]
    assert evidence.read_bytes() == before


@pytest.mark.parametrize("newer", [ANSWERS[6], ANSWERS[1]])
def test_other_work_than_was_graded_by_hand_is_for_a_person_to_look_at(small, newer):
    """Whether it scores as much by itself, or less."""
    grade(small)
    give_by_hand(small, "s0", 1.5)
    assert not any(mark.reasons for mark in grade(small))
    hand_in(small, "s0", newer)
    for _ in range(2):  # until a person has
        (mark, *_) = grade(small)
        assert (mark.reasons, mark.total) == ([SECOND_LOOK], 1.5)
    give_by_hand(small, "s0", 1.0)
    (mark, *_) = grade(small)
    assert (mark.reasons, mark.total) == ([], 1.0)


def test_another_file_that_cannot_be_read_is_looked_at_again(small):
    path = hand_in(small, "s0", ANSWERS[0])
    path.write_text("cut")
    grade(small)
    give_by_hand(small, "s0", 1.5)
    assert not any(mark.reasons for mark in grade(small))
    path.write_text("cut elsewhere")
    (mark, *_) = grade(small)
    assert mark.reasons == ["the notebook is not readable as JSON", SECOND_LOOK]
