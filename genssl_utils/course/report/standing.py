"""Where a class stands: the journal of a unit, told by submission and by exercise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from genssl_utils.course.grade import intake
from genssl_utils.course.grade.journal import FOLDER, Journal, secret
from genssl_utils.course.gradebook import settings
from genssl_utils.course.report.anonymous import labels, without_names
from genssl_utils.course.source import CourseError, Exercise, Unit

STATES = ("passed", "partly", "failed", "unanswered", "no verdict")
"""How one exercise of one submission stands."""


@dataclass
class Result:
    """One exercise of one submission."""

    exercise: str
    points: float | None
    """As the gradebook was told; None where a person has to say."""
    most: float
    status: str = "no verdict"
    checks: list[dict[str, Any]] = field(default_factory=list)
    """What each check reported: `name`, `hidden`, `passed`, `hint`, `mistake`."""
    unknown: list[dict[str, Any]] = field(default_factory=list)
    """What failing checks saw that no known mistake explains: `check`, `seen`."""
    trouble: str = ""
    seconds: float | None = None

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The checks that did not pass; none where nothing was written."""
        if self.status not in ("partly", "failed"):
            return []
        return [check for check in self.checks if not check["passed"]]

    @property
    def mistakes(self) -> dict[str, str]:
        """The recognised mistakes, by name, with their hints."""
        return {c["mistake"]: c["hint"] for c in self.failed if c["mistake"]}


@dataclass
class Work:
    """One submission that was graded."""

    student: str
    label: str
    """What it is called on the page."""
    results: dict[str, Result]
    reasons: list[str]
    """Why a person should look at it; nothing where one has."""
    judged: bool = True
    """Whether its exercises were put to the judge."""
    box_seconds: float | None = None
    peak_mib: float | None = None
    restarts: int | None = None

    @property
    def graded(self) -> bool:
        """Whether every exercise has its points."""
        return all(result.points is not None for result in self.results.values())

    @property
    def total(self) -> float:
        """All points together."""
        return sum(result.points or 0.0 for result in self.results.values())


@dataclass
class Standing:
    """A whole class."""

    unit: Unit
    works: list[Work]
    handed_in: int
    waiting: int
    """Handed in, and not graded as it is now."""
    damaged: int
    """Lines of the journal that could not be read."""
    names: bool

    @property
    def most(self) -> float:
        """All points that the unit gives."""
        return sum(exercise.points for exercise in self.unit.exercises.values())

    @property
    def graded(self) -> list[Work]:
        """The submissions with all their points."""
        return [work for work in self.works if work.graded]

    @property
    def flagged(self) -> list[Work]:
        """The submissions that a person should look at."""
        return [work for work in self.works if work.reasons]

    @property
    def median(self) -> float | None:
        """The median of all points; None where nobody is graded."""
        totals = [work.total for work in self.graded]
        return median(totals) if totals else None

    def results(self, exercise: str) -> list[Result]:
        """One exercise over the class."""
        return [work.results[exercise] for work in self.works]


def standing(unit: Unit, *, names: bool = False) -> Standing:
    """Read how a class stands in a unit.

    Args:
        unit: the unit.
        names: whether students are called by their names.

    Raises:
        CourseError: the unit was never graded.
    """
    if not (unit.root / FOLDER / f"{unit.name}.jsonl").is_file():
        raise CourseError(f"Nobody is graded in {unit.name} yet. Run: genssl grade {unit.name}")
    journal = Journal.open(unit.root, unit.name, only_read=True)
    recorded = {name: entry for name, entry in journal.recorded.items() if "keys" in entry}
    if not recorded:
        raise CourseError(f"Nobody is graded in {unit.name} yet. Run: genssl grade {unit.name}")
    handed_in = set(intake.students(unit))
    as_graded = {
        name
        for name in handed_in & recorded.keys()
        if intake.fingerprint(unit, name) == recorded[name].get("sha256")
    }
    called = {n: n for n in recorded} if names else labels(recorded, secret(unit.root))
    works = [
        _work(unit, name, called[name], recorded[name], journal.verdicts)
        for name in sorted(recorded, key=called.__getitem__)
    ]
    if not names:
        for work in works:
            work.reasons = [without_names(reason, work.student) for reason in work.reasons]
    return Standing(
        unit, works, len(handed_in | recorded.keys()), len(handed_in - as_graded),
        journal.damaged, names,
    )  # fmt: skip


def _work(
    unit: Unit, student: str, label: str, entry: Mapping[str, Any], known: Mapping[str, Any]
) -> Work:
    keys, points = entry["keys"], entry.get("points", {})
    verdicts = {name: known.get(keys.get(name), {}) for name in unit.exercises}
    results = {
        name: _result(exercise, points.get(name), verdicts[name])
        for name, exercise in unit.exercises.items()
    }
    seen = entry.get("by_hand") and not entry.get("to_do")
    reasons = [] if seen else _reasons(unit, student, entry, results)
    work = Work(student, label, results, reasons, judged=bool(keys))
    whole = [v["submission"] for v in verdicts.values() if "submission" in v]
    for what in ("box_seconds", "peak_mib", "restarts"):
        setattr(work, what, max((numbers[what] for numbers in whole), default=None))
    return work


def _result(exercise: Exercise, points: float | None, verdict: Mapping[str, Any]) -> Result:
    result = Result(exercise.name, points, exercise.points)
    cells = list(verdict.get("cells", {}).values())
    if cells:
        result.status = _status([cell["status"] for cell in cells])
        result.checks = [check for cell in cells for check in cell["checks"]]
        result.unknown = verdict.get("unknown", [])
        result.trouble = verdict.get("trouble", "")
        result.seconds = verdict.get("seconds")
    return result


def _status(told: Iterable[str]) -> str:
    """One status of several check cells."""
    told = set(told)
    if len(told) == 1:
        return told.pop()
    return "failed" if told <= {"failed", "unanswered"} else "partly"


def _reasons(
    unit: Unit, student: str, entry: Mapping[str, Any], results: Mapping[str, Result]
) -> list[str]:
    """Why a person should look at it: as the grader said, or as far as the evidence tells."""
    if "reasons" in entry:
        return list(entry["reasons"])
    refused, remarks = _evidence(unit, student)
    if refused:
        return [refused]
    for name, result in results.items():
        if result.status == "no verdict":
            remarks.append(f"{name}: not judged")
        elif result.trouble:
            remarks.append(f"{name}: {result.trouble}")
    return remarks


def _evidence(unit: Unit, student: str) -> tuple[str, list[str]]:
    """Why nothing could be run, and what else was noted, in the graded notebook."""
    nb = graded_notebook(unit, student)
    for cell in nb.get("cells", ()):
        if cell.get("id") == "not-read":
            text = "".join(cell["source"]).removeprefix("**Nothing could be run:** ")
            return text.removesuffix(". A person has to look at it."), []
    return "", list(nb.get("metadata", {}).get("genssl", {}).get("remarks", ()))


def graded_notebook(unit: Unit, student: str) -> dict[str, Any]:
    """The evidence behind a student's scores; empty where it cannot be read."""
    path = _autograded(unit.root) / student / unit.name / f"{unit.name}.ipynb"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


@cache
def _autograded(root: Path) -> Path:
    """Where nbgrader's settings say that graded notebooks lie."""
    return root / settings(root).CourseDirectory.autograded_directory
