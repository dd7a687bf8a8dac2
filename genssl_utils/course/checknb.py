"""A student's own notebook run from top to bottom: where it stands, and what to do next."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from rich.markup import escape
from rich.table import Table

from genssl_utils.course.kernel import PrivateKernel
from genssl_utils.course.source import REPORT, CourseError, Unit, checked_names

LEFT_OUT = {"experiment", "figure", "claim"}
"""Roles that no answer needs; leaving them out makes the check take seconds."""

ROLES = ("exercise", "check")
UNREADABLE = ("SyntaxError", "IndentationError", "TabError")
"""Errors after which a cell has defined nothing."""

PASSED, NOT_YET, NOT_WRITTEN = "passed", "not yet", "not written"


@dataclass(frozen=True)
class Standing:
    """One exercise of a notebook: where it stands and what to do next."""

    exercise: str
    state: str
    points: float
    max_points: float
    advice: str

    @property
    def passed(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state == PASSED


def check_notebook(unit: Unit, timeout: int = 120) -> list[Standing]:
    """Run a unit's notebook as it lies in `notebooks/` and read what its checks report.

    Args:
        unit: the unit.
        timeout: seconds that one cell may take.

    Returns:
        One entry an exercise, in the notebook's order.

    Raises:
        CourseError: the notebook is missing, broken, or has no exercise in it.
    """
    nb = read_notebook(unit)
    checks = [cell for cell in nb.cells if _role(cell, "check")]
    if not checks:
        raise CourseError(f"{_name(unit)} holds no check any more. Take a fresh copy of it.")
    nb.cells = [
        cell
        for cell in nb.cells
        if cell.cell_type == "code" and not LEFT_OUT & set(cell.metadata.get("tags", ()))
    ]
    trouble = execute(nb, unit.notebook.parent, timeout)
    return list(_standings(nb, trouble))


def read_notebook(unit: Unit) -> NotebookNode:
    """The student's notebook.

    Raises:
        CourseError: it is missing or is not a notebook.
    """
    if not unit.notebook.is_file():
        raise CourseError(f"{_name(unit)} is not there. Run `genssl lab` or `genssl build` first.")
    try:
        nb = nbformat.reads(unit.notebook.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(nb)
    except (ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CourseError(
            f"{_name(unit)} is broken ({line[:100]}). Take a fresh copy and paste your answers."
        ) from error
    return nb


def execute(nb: NotebookNode, folder: Path, timeout: int) -> dict[int, str]:
    """Run the cells in a fresh kernel; one that fails does not stop the others.

    Args:
        nb: the notebook; its outputs are filled in.
        folder: where its kernel runs.
        timeout: seconds a cell.

    Returns:
        Cell index → one line, for a cell that ran too long or whose kernel died.
    """
    client = NotebookClient(
        nb, timeout=timeout, allow_errors=True, kernel_name="python3",
        kernel_manager_class=PrivateKernel, interrupt_on_timeout=True,
        resources={"metadata": {"path": str(folder)}}, store_widget_state=False,
    )  # fmt: skip
    trouble: dict[int, str] = {}
    for cell in nb.cells:
        cell.outputs, cell.execution_count = [], None
    with client.setup_kernel(env=dict(os.environ, PYDEVD_DISABLE_FILE_VALIDATION="1")):
        for index, cell in enumerate(nb.cells):
            try:
                client.execute_cell(cell, index)
                if (_error(cell) or "").startswith("KeyboardInterrupt"):  # nbclient's doing
                    trouble[index] = f"It ran longer than {timeout} s and was stopped."
            except CellTimeoutError:
                trouble[index] = f"It ran longer than {timeout} s and was stopped."
            except DeadKernelError:
                trouble[index] = "Python itself stopped here: too much memory, or a crash."
                break
    return trouble


def _standings(nb: NotebookNode, trouble: dict[int, str]) -> Iterator[Standing]:
    ids = {role: [_grade_id(c) for c in nb.cells if _role(c, role)] for role in ROLES}
    names = checked_names(ids["check"], ids["exercise"])
    stopped: str | None = None
    unread: dict[str, str] = {}
    for index, cell in enumerate(nb.cells):
        if not _role(cell, "check"):
            error = _error(cell)
            stopped = trouble.get(index) or error or stopped
            if error and _role(cell, "exercise") and error.startswith(UNREADABLE):
                unread[_grade_id(cell)] = error
            continue
        graded = cell.metadata.get("nbgrader", {})
        name = names[_grade_id(cell)]
        report = _report(cell)
        if name in unread:  # what the check saw is not what stands in the cell
            yield Standing(name, NOT_YET, 0.0, float(graded.get("points", 0)), unread[name])
        elif report is not None:
            yield _standing(report)
        else:
            why = trouble.get(index) or stopped or _error(cell) or "The check did not finish."
            yield Standing(name, NOT_YET, 0.0, float(graded.get("points", 0)), why)
        stopped = None


def _grade_id(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "?")


def _standing(report: dict[str, Any]) -> Standing:
    state = {"passed": PASSED, "unanswered": NOT_WRITTEN}.get(report["status"], NOT_YET)
    return Standing(
        report["exercise"], state, report["points"], report["max_points"], report["next"]
    )


def _report(cell: NotebookNode) -> dict[str, Any] | None:
    for output in reversed(cell.get("outputs", ())):
        if REPORT in output.get("data", {}):
            return output["data"][REPORT]
    return None


def _error(cell: NotebookNode) -> str | None:
    """The error of a cell in one line."""
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            first = re.sub(r"\x1b\[[0-9;]*m", "", output.evalue).strip().splitlines()
            return f"{output.ename}: {first[0] if first else 'no message'}"
    return None


def _role(cell: NotebookNode, role: str) -> bool:
    return cell.cell_type == "code" and role in cell.metadata.get("tags", ())


def _name(unit: Unit) -> str:
    return str(unit.notebook.relative_to(unit.root))


def show(standings: list[Standing]) -> Table:
    """The standings as a table with a line that sums them up."""
    done = sum(standing.passed for standing in standings)
    points = sum(standing.points for standing in standings)
    total = sum(standing.max_points for standing in standings)
    table = Table(
        title=f"{done} of {len(standings)} exercises pass, {points:g} of {total:g} points "
        "from the checks you can see",
        title_justify="left",
    )
    for heading in ("exercise", "", "points", "what to do next"):
        table.add_column(heading)
    colour = {PASSED: "green", NOT_YET: "yellow", NOT_WRITTEN: "dim"}
    for one in standings:
        state = f"[{colour[one.state]}]{one.state}[/]"
        score = f"{one.points:g}/{one.max_points:g}"
        table.add_row(escape(one.exercise), state, score, escape(one.advice))
    return table
