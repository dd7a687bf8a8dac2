"""`genssl report`: what the class got wrong, as one page of plots and one table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from genssl_utils.course.files import write_atomic
from genssl_utils.course.report.page import page
from genssl_utils.course.report.standing import Result, Standing, Work, standing
from genssl_utils.course.source import Unit

COLUMNS = (
    "student", "exercise", "points", "max", "status", "failed checks", "recognised mistakes",
    "trouble", "seconds",
)  # fmt: skip


def write_report(unit: Unit, *, names: bool = False) -> tuple[Path, Path]:
    """Write what the class got wrong to `build/report/`.

    Args:
        unit: a unit that was graded.
        names: whether students are called by their names.

    Returns:
        The page and the table.

    Raises:
        CourseError: the unit was never graded, or is being graded now.
    """
    stands = standing(unit, names=names)
    folder = unit.root / "build" / "report"
    paths = folder / f"{unit.name}.html", folder / f"{unit.name}.csv"
    for path, text in zip(paths, (page(stands), table(stands)), strict=True):
        write_atomic(path, text)
    return paths


def table(stands: Standing) -> str:
    """One row a submission and exercise, as CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for work in stands.works:
        for result in work.results.values():
            writer.writerow(map(_harmless, _row(work, result)))
    return file.getvalue()


def _row(work: Work, result: Result) -> list[str]:
    failed = [c["name"] + (" (hidden)" if c["hidden"] else "") for c in result.failed]
    return [
        work.label, result.exercise, _number(result.points), _number(result.most), result.status,
        "; ".join(failed), "; ".join(result.mistakes), result.trouble, _number(result.seconds),
    ]  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
