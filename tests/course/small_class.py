"""A class of small submissions of the made-up course, and what a gradebook says of it."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil

from genssl_utils.course.source import Unit

PACKAGE = Path(__file__).resolve().parents[2]

ANSWERS = (
    "def double(x):\n    return 2 * x",
    "def double(x):\n    return abs(2 * x)",
    "def double(x):\n    return x",
    'def double(x):\n    raise NotImplementedError("Replace this line with your answer.")',
    "import os\ndef double(x):\n    os._exit(3)",
    "def double(x):\n    raise ValueError('no')",
    "def double(x):\n    return x + x  # the same",
    "def double(x)\n    return 2 * x",
)
SCORES = (2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0)


def hand_in(unit: Unit, student: str, answer: str) -> Path:
    """Hand in a notebook with this answer to `double`."""
    nb = copy.deepcopy(nbformat.read(unit.notebook, as_version=4))
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double":
            cell.source = answer
    folder = unit.root / "submitted" / student / unit.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{unit.name}.ipynb"
    nbformat.write(nb, path)
    return path


def hand_in_many(unit: Unit, count: int) -> dict[str, float]:
    """Hand in different work of so many students; gives each one's score."""
    scores = {}
    for number in range(count):
        kind = number % len(ANSWERS)
        name = f"s{number:03}"
        hand_in(unit, name, f"{ANSWERS[kind]}\n# {number}")
        scores[name] = SCORES[kind]
    return scores


def start_grading(root: Path, *words: str, **env: str) -> subprocess.Popen:
    """`genssl grade 07 ...` as an instructor starts it."""
    return start_genssl(root, "grade", "07", *words, **env)


def start_genssl(root: Path, *words: str, **env: str) -> subprocess.Popen:
    """Any `genssl` command, started in a course."""
    return subprocess.Popen(
        [sys.executable, "-m", "genssl_utils.course.cli", *words],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": str(PACKAGE), "COLUMNS": "160"} | env,
        # Tests that run in the background of a shell do not hear Ctrl-C, and nor would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def wait_for_verdicts(root: Path, run: subprocess.Popen, many: int) -> None:
    """Wait until so many lines are in the journal, or the run is over."""
    journal = root / "grading" / "07_toy.jsonl"
    until = time.monotonic() + 100
    while time.monotonic() < until and run.poll() is None:
        if journal.is_file() and journal.read_bytes().count(b"\n") >= many:
            return
        time.sleep(0.02)


def rows(root: Path) -> list[tuple]:
    """Every grade and comment of the gradebook, in a stable order."""
    book = sqlite3.connect(f"file:{root / 'gradebook.db'}?mode=ro", uri=True)
    try:
        grades = book.execute(
            "select s.student_id, c.name, g.auto_score, g.manual_score, g.needs_manual_grade,"
            " n.late_submission_penalty, s.timestamp"
            " from grade g join base_cell c on c.id = g.cell_id"
            " join submitted_notebook n on n.id = g.notebook_id"
            " join submitted_assignment s on s.id = n.assignment_id"
        ).fetchall()
        comments = book.execute(
            "select s.student_id, c.name, m.auto_comment, m.manual_comment from comment m"
            " join base_cell c on c.id = m.cell_id"
            " join submitted_notebook n on n.id = m.notebook_id"
            " join submitted_assignment s on s.id = n.assignment_id"
        ).fetchall()
    finally:
        book.close()
    return sorted(grades, key=str) + sorted(comments, key=str)


def parts_of(grader: psutil.Process) -> dict[str, list[psutil.Process]]:
    """The processes of a grading by what they are: grader, judge, box, and their children."""
    found: dict[str, list[psutil.Process]] = {"grader": [grader]}
    for process in grader.children(recursive=True):
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        for part in ("judge", "box"):
            if f"course.grade.{part}" in line:
                found.setdefault(part, []).append(process)
    return found


def kill(process: psutil.Process) -> None:
    """kill -9, unless it is gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
