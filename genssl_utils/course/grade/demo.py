"""Made-up students, to try grading on."""

from __future__ import annotations

import copy

import nbformat

from genssl_utils.course.build import source_notebook
from genssl_utils.course.files import write_atomic
from genssl_utils.course.source import Unit


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
