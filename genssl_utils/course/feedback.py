"""What a student gets back: scores, comments and hints, and nothing of the hidden tests."""

from __future__ import annotations

from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from genssl_utils.course.source import without_hidden

REPORT = "application/vnd.genssl.report+json"
"""The mime type under which a check cell hands over its report."""

STOPPED = "This check stopped with an error, so it gave no points."
NOT_RUN = "Not run while grading."


class HideTests(NbGraderPreprocessor):
    """Takes the hidden tests out of the feedback, and what their failures would tell of them.

    nbgrader itself shows them: its feedback is made from the graded notebook, where they were
    put back. Grade cells keep their visible source and their report. A report keeps its message
    for visible checks; of hidden ones it says how many failed, and their hints. Tracebacks go,
    since they quote the lines that failed.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clean one cell; those of the student's own answers stay as they are."""
        if cell.cell_type != "code":
            return cell, resources
        if is_grade(cell) and not is_solution(cell):
            cell.source = without_hidden(cell.source)
            cell.outputs = _calm(cell.outputs)
        elif {"experiment", "claim", "figure"} & set(cell.metadata.get("tags", ())):
            failed = any(output.output_type == "error" for output in cell.outputs)
            cell.outputs = [_line(NOT_RUN)] if failed else cell.outputs
        return cell, resources


def _calm(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The report alone; one line in place of an error; nothing that was printed."""
    kept = []
    for output in outputs:
        report = output.get("data", {}).get(REPORT)
        if report is not None:
            kept.append(_retell(report))
        elif output.output_type == "error":
            kept.append(_line(STOPPED))
    return kept[:1] if kept and all(o.get("text") == STOPPED + "\n" for o in kept) else kept


def _retell(report: dict[str, Any]) -> NotebookNode:
    """A report in plain lines, with the hidden checks counted and not told."""
    checks = report.get("checks", [])
    lines = [f"{report.get('exercise', 'This exercise')}: {_points(report)}"]
    for check in checks:
        if check.get("hidden") or check.get("passed"):
            continue
        told = [check.get("name"), check.get("message"), check.get("hint")]
        lines.append("  not yet: " + " — ".join(text for text in told if text))
    hidden = [check for check in checks if check.get("hidden") and not check.get("passed")]
    if hidden and report.get("status") != "unanswered":
        lines.append(f"  {len(hidden)} of the checks on other inputs did not pass.")
        hints = dict.fromkeys(check.get("hint") for check in hidden)
        lines += [f"  hint: {hint}" for hint in hints if hint]
    return _line("\n".join(lines))


def _points(report: dict[str, Any]) -> str:
    return f"{report.get('points', 0):g} of {report.get('max_points', 0):g} points"


def _line(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text + "\n")
