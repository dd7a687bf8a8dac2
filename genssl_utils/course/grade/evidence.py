"""The evidence behind a score: the unit's notebook with the student's answers and our reports."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.utils import compute_checksum

from genssl_utils.course.files import digest, write_atomic
from genssl_utils.course.grade.intake import Submission
from genssl_utils.course.source import REPORT, Unit

UNJUDGED = "No verdict yet: a person has to look at this one."


def graded_notebook(
    unit: Unit, submission: Submission, verdicts: Mapping[str, dict[str, Any]]
) -> NotebookNode:
    """The unit's notebook with the student's answers and the judge's reports in it."""
    nb = rebuilt(unit, submission)
    of_cell = {
        cell.metadata.nbgrader.grade_id: name
        for name, exercise in unit.exercises.items() for cell in exercise.checks
    }  # fmt: skip
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id in of_cell:
            verdict = verdicts.get(of_cell[grade_id], {})
            cell.outputs = _outputs(verdict, grade_id)
            if not cell.outputs:
                cell.metadata["genssl"] = {"unjudged": True}
                cell.outputs = [new_output("stream", name="stdout", text=UNJUDGED + "\n")]
        elif grade_id in unit.exercises:
            verdict = verdicts.get(grade_id, {})
            if printed := verdict.get("printed"):
                cell.outputs = [new_output("stream", name="stdout", text=printed)]
            told = verdict.get("cells", {}).values()
            if told and all(report["status"] == "unanswered" for report in told):
                # By this nbgrader knows an answer that was not written.
                cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    nb.metadata["genssl"] = {"sha256": submission.sha256, "remarks": list(submission.remarks)}
    return nb


def _outputs(verdict: Mapping[str, Any], grade_id: str) -> list[NotebookNode]:
    """A report as the check cell itself would have shown it; nothing where there is no verdict."""
    told = verdict.get("cells", {}).get(grade_id)
    if told is None or not trustworthy(verdict):
        return []
    report = {name: value for name, value in told.items() if name != "html"}
    data = {"text/plain": repr(told["points"]), "text/html": told["html"], REPORT: report}
    return [new_output("execute_result", data=data, execution_count=1)]


def trustworthy(verdict: Mapping[str, Any]) -> bool:
    """Whether a verdict may become a score: full points need the proof that the checks can fail."""
    if "cells" not in verdict:
        return False
    passed = all(cell["status"] == "passed" for cell in verdict["cells"].values())
    return not passed or bool((verdict.get("proof") or {}).get("rejected"))


def rebuilt(unit: Unit, submission: Submission) -> NotebookNode:
    """The unit's own notebook with the student's answers in it: everything else is ours."""
    nb = copy.deepcopy(unit.nb)
    if submission.refused:
        note = f"**Nothing could be run:** {submission.refused}. A person has to look at it."
        nb.cells.insert(0, new_markdown_cell(_plain(note), id="not-read"))
    before: list[NotebookNode] = []
    placed: dict[str, list[NotebookNode]] = {}
    sources = dict.fromkeys(unit.exercises, "")
    for number, (name, source) in enumerate(submission.cells):
        if name is None:
            text = f"# From a cell of your own:\n{source}"
            before.append(new_code_cell(text, id=f"own-{number}"))
        else:
            sources[name], placed[name], before = source, before, []
    cells: list[NotebookNode] = []
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in sources:
            cells += placed.get(name, [])
            cell.source = sources[name]
        cells.append(cell)
    nb.cells = cells
    return nb


def _plain(text: str) -> str:
    return re.sub(r"[<>&]", "", text)


def write(folder: Path, name: str, nb: NotebookNode, submission: Submission) -> None:
    """Put a graded notebook where nbgrader looks for it, and on the disk before anything relies
    on it."""
    if submission.received:
        text = submission.received.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        write_atomic(folder / "timestamp.txt", text + "\n", durable=True)
    else:
        (folder / "timestamp.txt").unlink(missing_ok=True)
    write_atomic(folder / f"{name}.ipynb", nbformat.writes(nb) + "\n", durable=True)
    for other in folder.iterdir():  # of an earlier grading, by whatever means
        if other.name not in (f"{name}.ipynb", "timestamp.txt"):
            shutil.rmtree(other) if other.is_dir() and not other.is_symlink() else other.unlink()


def digest_of(folder: Path, name: str) -> str:
    """What tells the evidence that lies there from any other, and from none."""
    return digest(folder, [folder / f"{name}.ipynb", folder / "timestamp.txt"])
