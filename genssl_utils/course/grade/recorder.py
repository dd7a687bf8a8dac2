"""The only one that opens the gradebook: verdicts become scores, by nbgrader's own hands.

For each submission the evidence comes first (the notebook with the student's answers and our
checks' reports, under nbgrader's `autograded` folder), then one transaction with all its scores.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor, SaveAutoGrades
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from genssl_utils.course.grade import evidence
from genssl_utils.course.grade.intake import Submission
from genssl_utils.course.gradebook import settings
from genssl_utils.course.source import CourseError, Unit

LOCK_SECONDS = 30
TRIES = 5


class NotRegistered(CourseError):
    """The gradebook does not know the unit, or knows it as it was."""


class _OneTransaction(Session):
    """nbgrader commits after each step; here all steps of a submission are one."""

    def commit(self) -> None:
        """Only write it down; `commit_all` makes it last."""
        self.flush()

    def commit_all(self) -> None:
        """Make all of it last."""
        super().commit()


class _Book(Gradebook):
    """nbgrader's gradebook with one transaction a submission."""

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _be_patient)
            self.engine.dispose()  # of the connections that were opened before
        self.db = scoped_session(
            sessionmaker(class_=_OneTransaction, autoflush=True, bind=self.engine, future=True)
        )


def _be_patient(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")


def database(unit: Unit) -> str:
    """Where the course's gradebook is, as SQLAlchemy writes it."""
    return CourseDirectory(config=settings(unit.root)).db_url


class Recorder:
    """Writes submissions of one unit into the gradebook.

    Args:
        unit: the unit.

    Raises:
        NotRegistered: the gradebook does not know the unit as it is.
        CourseError: the gradebook cannot be opened.
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._config = settings(unit.root)
        self._course = CourseDirectory(config=self._config)
        _quiet_nbgrader()
        try:
            self._book = _Book(self._course.db_url, self._course.course_id)
            if not self._knows_unit():
                self._book.close()
                raise NotRegistered(
                    f"The gradebook does not know {unit.name} as it is. Run: genssl build"
                )
        except SQLAlchemyError as error:
            raise _explained(error, self._course.db_url) from error
        self._autograded = unit.root / self._config.CourseDirectory.autograded_directory

    def _knows_unit(self) -> bool:
        """Whether the gradebook has the unit's cells: a crash may have come before it was told."""
        try:
            known = self._book.find_notebook(self.unit.name, self.unit.name)
        except MissingEntry:
            return False
        points = {
            check.metadata.nbgrader.grade_id: float(check.metadata.nbgrader.points)
            for exercise in self.unit.exercises.values() for check in exercise.checks
        }  # fmt: skip
        answers = {cell.name for cell in known.solution_cells}
        worth = {cell.name: cell.max_score for cell in known.grade_cells}
        return worth == points and answers >= self.unit.exercises.keys()

    def close(self) -> None:
        """Let go of the gradebook."""
        self._book.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(
        self, submission: Submission, verdicts: Mapping[str, dict[str, Any]], *,
        other_work: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Write one submission's evidence and scores.

        Args:
            submission: what was handed in.
            verdicts: exercise → verdict; one that is missing or broken is left to a person.
            other_work: whether it is not what was graded last: a person then looks again at what
                was graded by hand.

        Returns:
            `points` by exercise (None where a person has to say), `auto` (scores by check cell,
            as the judge gave them), `by_hand` (whether a person graded something), `to_do`
            (whether a person still has to), `again` (whether that is a second look), `late`
            (seconds, which change with the deadline) and `evidence` (a digest of it).

        Raises:
            CourseError: the disk or the gradebook does not take it; no score was written then.
        """
        nb = evidence.graded_notebook(self.unit, submission, verdicts)
        folder = self._autograded / submission.student / self.unit.name
        try:
            evidence.write(folder, self.unit.name, nb, submission)
        except OSError as error:
            raise CourseError(
                f"build/autograded cannot be written ({error.strerror}): free some space and run "
                "the same command. What was graded is kept."
            ) from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy on nbgrader's way of using it
            told = self._transaction(submission, nb, other_work)
        return told | {"evidence": self.evidence(submission.student)}

    def evidence(self, student: str) -> str:
        """A digest of the evidence behind a student's scores, as it lies on the disk now."""
        return evidence.digest_of(self._autograded / student / self.unit.name, self.unit.name)

    def _transaction(
        self, submission: Submission, nb: NotebookNode, other_work: bool
    ) -> dict[str, Any]:
        for attempt in range(TRIES):
            try:
                done = self._write(submission, nb, other_work)
                self._book.db().commit_all()
                return done
            except OperationalError as error:
                self._book.db.rollback()
                if attempt == TRIES - 1 or "locked" not in str(error):
                    raise _explained(error, self._course.db_url) from error
                time.sleep(0.2 * 2**attempt)
            except SQLAlchemyError as error:
                self._book.db.rollback()
                raise _explained(error, self._course.db_url) from error
            except BaseException:
                self._book.db.rollback()
                raise
            finally:
                self._book.db.remove()
        raise AssertionError("unreachable")

    def _write(self, submission: Submission, nb: NotebookNode, other_work: bool) -> dict[str, Any]:
        name, student, book = self.unit.name, submission.student, self._book
        book.update_or_create_student(student)
        # None, too, is written: an earlier submission's time is not this one's.
        when = submission.received.isoformat() if submission.received else None
        book.update_or_create_submission(name, student, timestamp=when)
        row = book.find_submission_notebook(name, name, student)
        self._add_new_cells(row)
        book.db.flush()
        scores = _Scores(_Row(row), other_work=other_work, config=self._config)
        scores.preprocess(nb, {"nbgrader": {}})
        told = {"notebook": name, "assignment": name, "student": student, "gradebook": book}
        _Penalties(config=self._config).preprocess(nb, {"nbgrader": told})
        book.db.flush()
        book.db.expire_all()
        return self._standing(row)

    def _standing(self, row: SubmittedNotebook) -> dict[str, Any]:
        grades = {grade.name: grade for grade in row.grades}
        points: dict[str, float | None] = {}
        for exercise, about in self.unit.exercises.items():
            scores = [grades[c.metadata.nbgrader.grade_id] for c in about.checks]
            open_ones = [g.auto_score is None and g.manual_score is None for g in scores]
            points[exercise] = None if any(open_ones) else sum(g.score or 0.0 for g in scores)
        return {
            "points": points,
            "auto": {name: grade.auto_score for name, grade in grades.items()},
            "by_hand": any(grade.manual_score is not None for grade in row.grades),
            "to_do": any(grade.needs_manual_grade for grade in row.grades),
            "again": any(
                grade.needs_manual_grade and grade.manual_score is not None for grade in row.grades
            ),
            "late": float(row.assignment.total_seconds_late),
        }

    def _add_new_cells(self, row: SubmittedNotebook) -> None:
        """Give a submission that was graded before a row for each cell that the unit got since."""
        graded = {grade.cell_id for grade in row.grades}
        for cell in row.notebook.grade_cells:
            if cell.id not in graded:
                self._book.db.add(Grade(cell_id=cell.id, notebook=row))
        told = {comment.cell_id for comment in row.comments}
        for cell in row.notebook.solution_cells:
            if cell.id not in told:
                self._book.db.add(Comment(cell_id=cell.id, notebook=row))
        self._book.db.flush()

    def standing(self, student: str) -> dict[str, Any] | None:
        """What the gradebook has of a student, as `record` gives it but for the evidence; None
        where it has nothing."""
        try:
            row = self._book.find_submission_notebook(self.unit.name, self.unit.name, student)
            return self._standing(row)
        except (MissingEntry, KeyError):
            return None
        except SQLAlchemyError as error:
            raise _explained(error, self._course.db_url) from error
        finally:
            self._book.db.remove()  # no transaction stays open while others are judged


class _Row:
    """One submission's rows in the place of the gradebook: read at once, where nbgrader would join
    seven tables for each cell."""

    def __init__(self, row: SubmittedNotebook) -> None:
        self._grades = {grade.name: grade for grade in row.grades}
        self._comments = {comment.name: comment for comment in row.comments}
        self.db = self

    def find_grade(self, name: str, *_: str) -> Grade:
        """The score of a check cell."""
        return self._grades[name]

    def find_comment(self, name: str, *_: str) -> Comment:
        """The comment on an answer."""
        return self._comments[name]

    def commit(self) -> None:
        """Nothing yet: all of a submission is one transaction."""


class _Scores(SaveAutoGrades):
    """nbgrader's own scoring of one submission.

    Args:
        row: its rows.
        other_work: whether it is not what was graded last.
    """

    def __init__(self, row: _Row, *, other_work: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self.gradebook, self.other_work = row, other_work
        self.notebook_id = self.assignment_id = self.student_id = ""  # the row is of one

    def preprocess(self, nb: NotebookNode, resources: Any) -> Any:
        return NbGraderPreprocessor.preprocess(self, nb, resources)

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        grade = self.gradebook.find_grade(cell.metadata.nbgrader.grade_id)
        before = grade.auto_score, grade.needs_manual_grade
        super()._add_score(cell, resources)
        if cell.metadata.get("genssl", {}).get("unjudged"):
            grade.auto_score = None
        if grade.manual_score is None:
            grade.needs_manual_grade = grade.auto_score is None
        elif grade.auto_score == before[0] and not self.other_work:
            grade.needs_manual_grade = before[1]  # nothing new to look at


class _Penalties(AssignLatePenalties):
    """nbgrader's own penalties, by its plugin, in the gradebook that is open already."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> Any:
        told = resources["nbgrader"]
        self.init_plugin()
        book, student = told["gradebook"], told["student"]
        book.db.flush()
        submission = book.find_submission(told["assignment"], student)
        row = book.find_submission_notebook(told["notebook"], told["assignment"], student)
        book.db.refresh(row)
        row.late_submission_penalty = None
        if submission.total_seconds_late > 0:
            penalty = self.plugin_inst.late_submission_penalty(
                student, row.score, submission.total_seconds_late
            )
            if penalty is not None:
                row.late_submission_penalty = self._check_late_penalty(row, penalty)
        return nb, resources


# --- troubles -----------------------------------------------------------------------------------


def _explained(error: Exception, url: str) -> CourseError:
    """What is wrong with the gradebook, and what to do, in one line."""
    name = url.rsplit("/", 1)[-1].split("?")[0] or "the gradebook"
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    why = said[0] if said else type(error).__name__
    if "locked" in why:
        todo = "Another program holds it (a formgrader that saves?). Try again in a moment."
    elif "full" in why:
        todo = "Free some space on its disk and run the same command."
    elif isinstance(error, DatabaseError) and ("malformed" in why or "not a database" in why):
        todo = (
            "It is damaged: put a backup in its place (grading/ keeps one a day) or move it "
            "away, run `genssl build`, then the same command: the journal has every verdict."
        )
    elif "readonly" in why or "unable to open" in why:
        todo = "Make it and its folder writable for you."
    else:
        todo = "Is the database there, and db_url in nbgrader_config.py right?"
    return CourseError(f"{name} cannot be used ({why}). {todo} What was graded is kept.")


def _quiet_nbgrader() -> None:
    for name in ("traitlets", "nbgrader", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
