"""The formgrader's lightning bolt: it grades as `genssl grade` does, in the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.converters.base import NbGraderException


class Bolt(NotebookExporter):
    """What nbgrader gets as its exporter where the formgrader asks it to autograde.

    nbgrader makes its exporter when it knows whose work is there, and before it touches anything.
    This one has the work graded by then, and leaves nbgrader nothing to do.

    Raises:
        NbGraderException: nothing could be graded; the line is that of `genssl grade`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        autograde = self.parent
        course, log = autograde.coursedir, autograde.log
        done = subprocess.run(
            command(course.assignment_id, course.student_id), cwd=course.root,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
            env=os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1"},
        )  # fmt: skip
        if done.returncode not in (0, 1) or not done.stdout.strip():  # 1, too, where Python fails
            said = done.stderr.strip().splitlines() or ["genssl grade was stopped."]
            raise NbGraderException(said[-1])
        # The server's log may be set to errors alone; that a person has to look is to be seen.
        (log.error if done.returncode else log.info)("%s", done.stdout.strip())
        autograde.assignments = {}


def command(unit: str, student: str) -> list[str]:
    """`genssl grade` for one student; neither name is ever taken for an option."""
    # -P: a folder of the course's is never taken for this package.
    return [sys.executable, "-P", "-m", "genssl_utils.course.cli", "grade",
            f"--student={student}", "--jobs=1", "--", unit]  # fmt: skip
