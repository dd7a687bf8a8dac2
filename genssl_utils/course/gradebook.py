"""nbgrader as the course uses it: its settings, its course folder, its log."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets.config import Config, PyFileConfigLoader

from genssl_utils.course.source import CourseError

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from nbgrader.api import Gradebook, Notebook

SETTINGS = "nbgrader_config.py"


def settings(root: Path, **folders: str) -> Config:
    """The course's nbgrader settings.

    Args:
        root: the course; `nbgrader_config.py` lies in it.
        folders: other values for the settings of `CourseDirectory`.

    Raises:
        CourseError: there is no `nbgrader_config.py`.
    """
    if not (root / SETTINGS).is_file():
        raise CourseError(f"{root} has no {SETTINGS}; only an instructor's copy has.")
    # nbgrader calls the programs `alembic` and `jupyter` by name.
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + os.environ.get("PATH", "")
    config = PyFileConfigLoader(SETTINGS, path=str(root)).load_config()
    config.CourseDirectory.update(root=str(root), **folders)
    return config


def convert(converter: type, config: Config, assignment: str, **traits: Any) -> None:
    """Run one of nbgrader's converters on one assignment.

    Args:
        converter: `GenerateAssignment`, `Autograde` or `GenerateFeedback`.
        config: from `settings`.
        assignment: the unit's name.
        traits: options of the converter (`force=True`), and `student_id` for one student.

    Raises:
        CourseError: nbgrader gave up; the line is its own last word.
    """
    from nbgrader.coursedir import CourseDirectory

    student = traits.pop("student_id", "*")
    coursedir = CourseDirectory(config=config, assignment_id=assignment, student_id=student)
    with _quiet() as said:
        worker = converter(coursedir=coursedir, config=config)
        for name, value in traits.items():
            setattr(worker, name, value)
        try:
            worker.start()
        except SystemExit as stopped:
            raise CourseError(f"nbgrader stopped on {assignment}: {_reason(said)}") from stopped
        except Exception as error:
            why = _reason(said, error)
            raise CourseError(f"nbgrader stopped on {assignment}: {why}") from error


def add_new_cells(config: Config, assignment: str, nb: NotebookNode) -> None:
    """Tell the gradebook of cells that a unit got after it was graded: nbgrader would refuse to.

    Args:
        config: from `settings`.
        assignment: the unit's name.
        nb: its notebook as it is now.

    Raises:
        CourseError: a cell that has marks is in the unit no more.
    """
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy.exc import SQLAlchemyError

    cells = {c.metadata.nbgrader.grade_id: c for c in nb.cells if "nbgrader" in c.metadata}
    course = CourseDirectory(config=config)
    try:
        with _quiet(), Gradebook(course.db_url, course.course_id) as book:
            known = book.find_notebook(assignment, assignment)
            if known.submissions:
                _follow(book, known, cells)
    except (MissingEntry, SQLAlchemyError):
        return  # nbgrader's own converter makes it, or says what is wrong


def _follow(book: Gradebook, known: Notebook, cells: Mapping[str, NotebookNode]) -> None:
    """Let the gradebook's cells of a graded notebook be those of the unit."""
    name = known.name
    marked = {cell.name for cell in [*known.grade_cells, *known.solution_cells]}
    if gone := sorted(marked - cells.keys()):
        raise CourseError(
            f"The gradebook has marks for {', '.join(gone)}, which {name} no longer has. Put it "
            "back (with 0 points), or copy gradebook.db, run `nbgrader db assignment remove "
            f"{name} --force` and grade anew: marks given by hand go with it."
        )
    for cell in known.source_cells:
        if cell.name not in cells:
            book.db.delete(cell)
    there = [{cell.name for cell in kind} for kind in (known.grade_cells, known.solution_cells)]
    sources = {cell.name for cell in known.source_cells}
    for grade_id, cell in cells.items():
        about = cell.metadata.nbgrader
        where, kind = (grade_id, name, name), {"cell_type": cell.cell_type}
        if about.grade and grade_id not in there[0]:
            book.add_grade_cell(*where, max_score=float(about.points), **kind)
        if about.solution and grade_id not in there[1]:
            book.add_solution_cell(*where)
        if (about.grade or about.solution or about.locked) and grade_id not in sources:
            book.add_source_cell(*where, source=cell.source, **kind)
    book.db.commit()


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """Keep nbgrader's log off the screen; yield its errors."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    keep = Keep(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("traitlets", "tornado.application", "alembic")]
    before = [(log, log.handlers, log.level, log.propagate) for log in loggers]
    for log in loggers:
        log.handlers, log.propagate = [keep], False
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy on nbgrader's way of using it
            yield said
    finally:
        for log, handlers, level, propagate in before:
            log.handlers, log.propagate = handlers, propagate
            log.setLevel(level)


def _reason(said: list[str], error: BaseException | None = None) -> str:
    """The last line of the first traceback that nbgrader logged, else what it raised."""
    for text in said:
        if "Traceback" in text:
            return text.strip().splitlines()[-1]
    return said[0].splitlines()[0] if said else str(error)
