"""What a student gets back: scores, comments and hints, and nothing of the hidden tests."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from genssl_utils.course.files import write_atomic
from genssl_utils.course.gradebook import convert, settings
from genssl_utils.course.released import Released, is_check, report_in
from genssl_utils.course.source import CourseError, Unit, without_hidden

STOPPED = "This check stopped with an error, so it gave no points."
NOT_RUN = "Not run while grading."
WITHHELD = "This is left out, since it quotes a hidden test."

LEFT_OUT = {"experiment", "claim", "figure"}
"""Roles that grading leaves out, or whose cells need those that it leaves out."""

LONGEST = 2000
"""Characters of one text of a report; a longer one was not written by a check of ours."""

MOST_POINTS = 1000.0

INERT = {"text/plain", "image/png", "image/jpeg"}
"""What of an output is shown."""


class HideTests(NbGraderPreprocessor):
    """Takes the hidden tests out of the feedback, and what their failures would tell of them.

    nbgrader itself shows them: its feedback is made from the graded notebook, where they were
    put back. Check cells keep their visible source and their report. A report keeps its message
    for visible checks; of hidden ones it says how many failed, and their hints. Tracebacks go,
    since they quote the lines that failed. A submission could read the checks that stand before
    it and print them, so cells of the student's own lose their outputs, and no other output may
    quote a hidden line.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clean all cells."""
        released = Released.of(self, resources)
        for cell in nb.cells:
            if cell.cell_type == "code":
                clean(cell, released)
        return nb, resources


class Styled(CSSHTMLHeaderPreprocessor):
    """The style of nbconvert's pages, and long lines wrap where they were cut off."""

    enabled = Bool(True).tag(config=True)

    def _generate_header(self, resources: ResourcesDict) -> list[str]:
        wrapped = (
            ".output_subarea pre, .rendered_html code, .rendered_html pre "
            "{ white-space: pre-wrap; overflow-wrap: anywhere; word-break: normal; }"
        )
        return [*super()._generate_header(resources), wrapped]


def clean(cell: NotebookNode, released: Released) -> None:
    """Clean one code cell in place.

    Args:
        cell: from a graded submission.
        released: what was handed out.
    """
    if is_check(cell):
        told = _report(cell, released)
        cell.source = without_hidden(cell.source)
        cell.outputs = [_line(told or STOPPED)]
    elif released.twin(cell) is None:
        cell.outputs = []
    elif LEFT_OUT & set(released.tags(cell)) and any(
        output.output_type == "error" for output in cell.outputs
    ):
        cell.outputs = [_line(NOT_RUN)]
    else:
        cell.outputs = [_without_hidden_lines(output, released) for output in cell.outputs]


def _without_hidden_lines(output: NotebookNode, released: Released) -> NotebookNode:
    """An output as it is, or one calm line where any of its texts quotes a hidden test."""
    texts = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", ())]
    texts += [str(value) for value in output.get("data", {}).values()]
    return _line(WITHHELD) if any(map(released.holds_hidden, texts)) else _inert(output)


def _inert(output: NotebookNode) -> NotebookNode:
    """An output without what a page would run: its text and its pictures."""
    if "data" in output:
        output.data = {kind: value for kind, value in output.data.items() if kind in INERT}
        output.metadata = {}
    return output


def _report(cell: NotebookNode, released: Released) -> str:
    """A check cell's report in plain lines; empty where there is none that can be believed.

    Graded by nbgrader itself, it came out of a kernel that ran the student's code, so it may say
    anything.
    """
    report = report_in(cell)
    name = released.exercises.get(cell.metadata.nbgrader.get("grade_id"))
    if not _sound(report) or report["exercise"] != name:
        return ""
    ours = _hints(cell.source)
    texts = {str(check.get(part)) for check in report["checks"] for part in ("message", "hint")}
    if any(map(released.holds_hidden, texts - ours)):
        return ""
    return _retell(report, without_hidden(cell.source))


def _hints(source: str) -> set[str]:
    """The hints that a check cell gives, of its hidden checks as well: these may be told."""
    return {
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.keyword) and node.arg == "hint"
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def _sound(report: Any) -> bool:
    """Whether every part that is read has its right type and a sane size."""
    if not isinstance(report, Mapping) or not isinstance(report.get("checks"), list):
        return False
    texts = [report.get("exercise"), report.get("status")]
    numbers = [report.get("points"), report.get("max_points")]
    for check in report["checks"]:
        if not isinstance(check, Mapping) or type(check.get("passed")) is not bool:
            return False
        if type(check.get("hidden")) is not bool:
            return False
        texts += [check.get("name"), check.get("message", ""), check.get("hint", "")]
    return (
        all(isinstance(text, str) and len(text) <= LONGEST for text in texts)
        and all(type(n) in (int, float) and 0 <= n <= MOST_POINTS for n in numbers)
        and len(report["checks"]) <= LONGEST
    )


def _retell(report: Mapping[str, Any], visible: str) -> str:
    """A report in plain lines; a check that the visible source does not name counts as hidden."""
    shown, hidden = [], []
    for check in report["checks"]:
        seen = not check["hidden"] and check["name"] in visible
        if not check["passed"]:
            (shown if seen else hidden).append(check)
    lines = [f"{report['exercise']}: {report['points']:g} of {report['max_points']:g} points"]
    for check in shown:
        told = [check["name"], check.get("message"), check.get("hint")]
        lines.append("  not yet: " + " — ".join(text for text in told if text))
    if hidden and report["status"] != "unanswered":
        lines.append(f"  {len(hidden)} of the checks on other inputs did not pass.")
        hints = dict.fromkeys(check.get("hint") for check in hidden)
        lines += [f"  hint: {hint}" for hint in hints if hint]
    return "\n".join(lines)


def write_feedback(unit: Unit) -> list[Path]:
    """Write the feedback of every graded student, without hidden tests.

    Returns:
        The HTML files.

    Raises:
        CourseError: nobody is graded yet, the gradebook was lost, or nbgrader stops.
    """
    from nbgrader.converters import GenerateFeedback

    config = settings(unit.root)
    graded = unit.root / config.CourseDirectory.autograded_directory
    if not any(graded.glob(f"*/{unit.name}")):
        raise CourseError(f"Nobody is graded in {unit.name} yet. Run: genssl grade {unit.name}")
    try:
        convert(GenerateFeedback, config, unit.name, force=True)
    except CourseError as error:
        if "MissingEntry" not in str(error):
            raise
        raise CourseError(
            f"The gradebook lacks what build/autograded has of {unit.name}: was it moved away? "
            f"Run: genssl grade {unit.name}"
        ) from error
    folder = unit.root / config.CourseDirectory.feedback_directory
    pages = sorted(folder.glob(f"*/{unit.name}/*.html"))
    for page in pages:
        _address(page.parent, unit, config.CourseDirectory.submitted_directory)
    return pages


def _address(folder: Path, unit: Unit, submitted: str) -> None:
    """Put the student's secret beside a page, which `nbgrader release_feedback` asks for."""
    from nbgrader.utils import parse_utc

    from genssl_utils.course.grade.intake import exchange_secret

    stamp = folder / "timestamp.txt"
    received = parse_utc(stamp.read_text(encoding="utf-8").strip()) if stamp.is_file() else None
    secret = exchange_secret(unit.root / submitted / folder.parent.name / unit.name, received)
    if secret:
        write_atomic(folder / "submission_secret.txt", secret)


def _line(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text + "\n")
