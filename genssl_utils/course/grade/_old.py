"""Grading through nbgrader: its converters, its gradebook, its feedback.

Submissions run in their own kernel, unconfined. The command says so each time.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from genssl_utils.course.build import source_notebook
from genssl_utils.course.files import write_atomic
from genssl_utils.course.gradebook import convert, settings
from genssl_utils.course.source import CourseError, Unit


@dataclass(frozen=True)
class Mark:
    """What one student has for one unit: points by exercise, or what went wrong."""

    student: str
    points: dict[str, float]
    trouble: str = ""

    @property
    def total(self) -> float:
        """All points together."""
        return sum(self.points.values())


def grade(
    unit: Unit, students: Sequence[str] = (), *, force: bool = False, console: Console | None = None
) -> list[Mark]:
    """Grade what was handed in, one student after another; one that fails does not stop the rest.

    Args:
        unit: the unit.
        students: only these; all who handed in when empty.
        force: grade again what is graded already.
        console: where progress is shown.

    Returns:
        One mark a student, by name.

    Raises:
        CourseError: nobody handed in, a named student did not, or the unit was never built.
    """
    from nbgrader.converters import Autograde

    config = settings(unit.root)
    handed_in = submissions(unit)
    if strangers := [name for name in students if name not in handed_in]:
        raise CourseError(f"Nothing is handed in as submitted/{strangers[0]}/{unit.name}/.")
    if not handed_in:
        raise CourseError(f"Nothing is handed in: put notebooks at submitted/STUDENT/{unit.name}/.")
    if not (unit.root / config.CourseDirectory.source_directory / unit.name).is_dir():
        raise CourseError(f"{unit.name} is not built yet. Run: genssl build {unit.name}")
    troubles: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    wanted = list(students) or handed_in
    with Progress(*columns, console=console or Console(quiet=True)) as progress:
        bar = progress.add_task("grading", total=len(wanted))
        for student in wanted:
            progress.update(bar, description=f"grading {escape(student)}")
            try:
                _readable(unit, student)
                convert(Autograde, settings(unit.root), unit.name, student_id=student, force=force)
            except CourseError as error:
                troubles[student] = str(error)
            progress.advance(bar)
    return [read_mark(unit, student, troubles.get(student, "")) for student in wanted]


def submissions(unit: Unit) -> list[str]:
    """Who handed something in for a unit."""
    return sorted(path.parent.name for path in unit.root.glob(f"submitted/*/{unit.name}"))


def _readable(unit: Unit, student: str) -> None:
    """Stop before nbgrader does, with a line that says what is wrong with the file."""
    folder = unit.root / "submitted" / student / unit.name
    path = folder / f"{unit.name}.ipynb"
    if not path.is_file():
        raise CourseError(f"there is no {path.name} in what was handed in")
    try:
        nbformat.validate(nbformat.read(path, as_version=4))
    except Exception as error:
        raise CourseError(f"{path.name} is not a readable notebook") from error


def read_mark(unit: Unit, student: str, trouble: str = "") -> Mark:
    """A student's points as the gradebook has them; it is the only record."""
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.coursedir import CourseDirectory

    with Gradebook(CourseDirectory(config=settings(unit.root)).db_url) as book:
        try:
            graded = book.find_submission_notebook(unit.name, unit.name, student)
        except MissingEntry:
            return Mark(student, {}, trouble or "there is no score in the gradebook")
        scores = {grade.name: grade for grade in graded.grades}
        if not trouble and any(grade.auto_score is None for grade in graded.grades):
            trouble = "some checks gave no score: look at it in the formgrader"
        if not trouble and (silent := _unreported(unit, student)):
            trouble = f"{', '.join(silent)} gave no report: look at it in the formgrader"
        points = {
            name: sum(scores[c.metadata.nbgrader.grade_id].score or 0.0 for c in exercise.checks)
            for name, exercise in unit.exercises.items()
        }
    return Mark(student, points, trouble)


def _unreported(unit: Unit, student: str) -> list[str]:
    """The check cells that ran, or should have, and reported nothing."""
    from genssl_utils.course.released import NO_REPORT

    folder = unit.root / settings(unit.root).CourseDirectory.autograded_directory
    path = folder / student / unit.name / f"{unit.name}.ipynb"
    if not path.is_file():
        return []
    return [
        cell.metadata.nbgrader.grade_id
        for cell in nbformat.read(path, as_version=4).cells
        if any(output.get("ename") == NO_REPORT for output in cell.get("outputs", ())[:1])
        and "nbgrader" in cell.metadata
    ]


def show(unit: Unit, marks: Sequence[Mark]) -> Table:
    """All marks as a table."""
    table = Table(title=f"{unit.name}: {len(marks)} handed in", title_justify="left")
    table.add_column("student")
    for name, exercise in unit.exercises.items():
        table.add_column(f"{name} /{exercise.points:g}", justify="right")
    top = sum(exercise.points for exercise in unit.exercises.values())
    table.add_column(f"total /{top:g}", justify="right")
    table.add_column("")
    for mark in marks:
        cells = [f"{mark.points[name]:g}" if mark.points else "-" for name in unit.exercises]
        total = f"{mark.total:g}" if mark.points else "-"
        table.add_row(escape(mark.student), *cells, total, escape(mark.trouble))
    return table


def feedback(unit: Unit) -> list[Path]:
    """Write the feedback of every graded student, without hidden tests.

    Returns:
        The HTML files.

    Raises:
        CourseError: nobody is graded yet, or nbgrader stops.
    """
    from nbgrader.converters import GenerateFeedback

    config = settings(unit.root)
    graded = unit.root / config.CourseDirectory.autograded_directory
    if not any(graded.glob(f"*/{unit.name}")):
        raise CourseError(f"Nobody is graded in {unit.name} yet. Run: genssl grade {unit.name}")
    convert(GenerateFeedback, config, unit.name, force=True)
    folder = unit.root / config.CourseDirectory.feedback_directory
    return sorted(folder.glob(f"*/{unit.name}/*.html"))


def demo_submissions(unit: Unit) -> list[str]:
    """Hand in for four made-up students: blank, all right, half right, all wrong.

    Returns:
        Their names.
    """
    blank = nbformat.read(unit.notebook, as_version=4)
    answers = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in nbformat.reads(source_notebook(unit), as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    names = list(unit.exercises)
    nothing = {name: _returning_none(answers[name]) for name in names}
    classes = {
        "demo_blank": {},
        "demo_right": answers,
        "demo_half": {name: answers[name] for name in names[: (len(names) + 1) // 2]},
        "demo_wrong": nothing,
    }
    for student, given in classes.items():
        nb = copy.deepcopy(blank)
        for cell in nb.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = given.get(grade_id, cell.source)
        path = unit.root / "submitted" / student / unit.name / f"{unit.name}.ipynb"
        write_atomic(path, nbformat.writes(nb) + "\n")
    return list(classes)


def _returning_none(answer: str) -> str:
    """An answer's signature with a body that returns None."""
    head = answer[: answer.index(":\n") + 1]
    return f"{head}\n    return None"
