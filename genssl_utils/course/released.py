"""What a unit handed out, so that a submission can be held against it while nbgrader grades."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from genssl_utils.course.source import REPORT, checked_names, without_hidden

NO_REPORT = "NoReport"
"""The name of the error that stands in a check cell which gave no report."""

TELLING = 12
"""A hidden line can be recognised from this many letters and digits."""


@dataclass(frozen=True)
class Released:
    """The cells of a unit's source notebook, as nbgrader has it, to know those of a submission."""

    nb: NotebookNode

    @classmethod
    def of(cls, preprocessor: NbGraderPreprocessor, resources: ResourcesDict) -> Released:
        """The unit that a preprocessor of nbgrader is working on.

        Raises:
            FileNotFoundError: the unit was not built.
        """
        course, told = CourseDirectory(parent=preprocessor), resources["nbgrader"]
        folder = course.format_path(course.source_directory, ".", told["assignment"])
        path = Path(folder) / f"{told['notebook']}.ipynb"
        return cls(nbformat.read(path, as_version=4))

    def twin(self, cell: NotebookNode) -> NotebookNode | None:
        """The cell that was handed out: by its grade id, or by its text where it has none."""
        if name := cell.metadata.get("nbgrader", {}).get("grade_id"):
            return self._graded.get(name)
        return self._plain.get((cell.cell_type, cell.source))

    def tags(self, cell: NotebookNode) -> list[str]:
        """The tags that a cell was handed out with; none for a cell of the student's own.

        An edited experiment is still known by its id, and still left out of grading.
        """
        twin = self.twin(cell)
        if twin is None and not cell.metadata.get("nbgrader", {}).get("grade_id"):
            twin = self._ids.get(cell.get("id"))
        return list(twin.metadata.get("tags", ())) if twin else []

    def holds_hidden(self, text: str) -> bool:
        """Whether a text quotes a line of a hidden test, however it is spaced and quoted."""
        flat = _essence(text)
        return any(line in flat for line in self._hidden)

    @cached_property
    def exercises(self) -> dict[str, str]:
        """The exercise that each check cell judges, by the cell's grade id."""
        checks = [name for name, cell in self._graded.items() if is_grade(cell)]
        answers = [name for name, cell in self._graded.items() if is_solution(cell)]
        return checked_names(checks, answers)

    @cached_property
    def _graded(self) -> dict[str, NotebookNode]:
        cells = [cell for cell in self.nb.cells if "nbgrader" in cell.metadata]
        return {cell.metadata.nbgrader.grade_id: cell for cell in cells}

    @cached_property
    def _plain(self) -> dict[tuple[str, str], NotebookNode]:
        cells = [cell for cell in self.nb.cells if "nbgrader" not in cell.metadata]
        return {(cell.cell_type, cell.source): cell for cell in cells}

    @cached_property
    def _ids(self) -> dict[str, NotebookNode]:
        return {cell.id: cell for cell in self._plain.values() if "id" in cell}

    @cached_property
    def _hidden(self) -> frozenset[str]:
        whole, shown = set(), set()
        for cell in self._graded.values():
            if is_grade(cell):
                whole.update(map(_essence, cell.source.splitlines()))
                shown.update(map(_essence, without_hidden(cell.source).splitlines()))
        return frozenset(line for line in whole - shown if len(line) >= TELLING)


def _essence(text: str) -> str:
    """Letters and digits alone, without colours, tags and escapes."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return re.sub(r"\W+", "", html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", text)))


class ResetTags(NbGraderPreprocessor):
    """Gives each cell of a submission the tags that it was handed out with, and no other.

    nbgrader leaves cells out by their tag; without this a student's tag on a check cell would
    keep the check from running, and a check without a result has full points.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Reset the tags of all cells."""
        released = Released.of(self, resources)
        for cell in nb.cells:
            cell.metadata["tags"] = released.tags(cell)
        return nb, resources


class RequireReport(NbGraderPreprocessor):
    """Lets a check cell without a report count as an error, which gives no points."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Put an error first where a check reported nothing and did not stop either."""
        stopped = any(output.output_type == "error" for output in cell.get("outputs", ()))
        if is_check(cell) and report_in(cell) is None and not (stopped and not results_of(cell)):
            why = "This check gave no report."
            cell.outputs = [
                new_output("error", ename=NO_REPORT, evalue=why, traceback=[why]),
                *cell.outputs,
            ]
        return cell, resources


def is_check(cell: NotebookNode) -> bool:
    """Whether a cell is code that nbgrader scores by its result."""
    return cell.cell_type == "code" and is_grade(cell) and not is_solution(cell)


def results_of(cell: NotebookNode) -> list[NotebookNode]:
    """What a cell gave as its value; `display` and `print` do not count."""
    return [o for o in cell.get("outputs", ()) if o.output_type == "execute_result"]


def report_in(cell: NotebookNode) -> Any:
    """The report of a check cell, unjudged; None unless it is the cell's one value."""
    values = results_of(cell)
    return values[0].get("data", {}).get(REPORT) if len(values) == 1 else None
