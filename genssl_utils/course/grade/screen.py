"""What an instructor sees of a grading: a bar while it goes on, then a table and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.columns import Columns
from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from genssl_utils.course.grade.intake import printable
from genssl_utils.course.grade.run import Grading, Mark
from genssl_utils.course.source import CourseError, Unit


def grade(
    unit: Unit, students: Sequence[str] = (), *, force: bool = False, jobs: int = 0,
    scheduler: str = "", walls: bool = True, console: Console | None = None,
) -> list[Mark]:  # fmt: skip
    """Grade what was handed in for a unit, with a progress bar.

    Args:
        unit: the unit.
        students: only these; all who handed in when empty.
        force: judge again what has a verdict.
        jobs: submissions at once; as many as there are cores when 0.
        scheduler: address of a Dask scheduler; a cluster on this machine when "".
        walls: False grades without the sandbox.
        console: where progress is shown.

    Returns:
        One mark a student, by name.

    Raises:
        CourseError: nobody handed in, a named student did not, the unit was never built, there is
            no sandbox here, or disk or gradebook do not take what is written.
    """
    columns = (
        TextColumn("grading"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[now]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console or Console(quiet=True)) as progress:
        bar = progress.add_task("grading", total=None, now="")

        def told(counts: Mapping[str, int]) -> None:
            shown = ", ".join(f"{counts[n]} {n}" for n in ("in the box", "failed", "flagged"))
            progress.update(bar, total=counts["total"], completed=counts["done"], now=shown)

        run = Grading(unit, jobs=jobs, scheduler=scheduler, force=force, walls=walls, progress=told)
        try:
            return run.run(students)
        except (CourseError, OSError):
            progress.live.transient = True  # the line that says why stands alone
            raise


def show(unit: Unit, marks: Sequence[Mark]) -> Group:
    """All marks as a table, whose columns are numbered so that it fits a narrow terminal."""
    legend = Columns(
        [f"{number} {name}" for number, name in enumerate(unit.exercises, 1)], padding=(0, 2)
    )
    table = Table()
    table.add_column("student")
    for number, exercise in enumerate(unit.exercises.values(), 1):
        table.add_column(f"{number}\n/{exercise.points:g}", justify="right")
    top = sum(exercise.points for exercise in unit.exercises.values())
    table.add_column(f"total\n/{top:g}", justify="right")
    for mark in marks:
        cells = [_points(mark.points.get(name)) for name in unit.exercises]
        total = f"{mark.total:g}" if any(p is not None for p in mark.points.values()) else "-"
        table.add_row(escape(printable(mark.student)), *cells, total)
    count = f"{len(marks)} submission{'' if len(marks) == 1 else 's'}"
    return Group(f"{unit.name}: {count}", legend, table)


def moved(marks: Sequence[Mark]) -> list[str]:
    """Who has other points than at the last grading of the same work, and what they were."""
    return [
        f"{printable(mark.student)} {mark.before:g} → {mark.total:g}"
        for mark in marks
        if mark.fresh and mark.before is not None and abs(mark.before - mark.total) > 1e-9
    ]


def _points(points: float | None) -> str:
    return "-" if points is None else f"{points:g}"
