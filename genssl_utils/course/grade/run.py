"""`genssl grade`: read what was handed in, judge what is new, write the gradebook."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genssl_utils.course.build import register, source_notebook
from genssl_utils.course.grade import farm, intake, sandbox
from genssl_utils.course.grade.backup import keep_copy
from genssl_utils.course.grade.evidence import trustworthy
from genssl_utils.course.grade.intake import Submission
from genssl_utils.course.grade.journal import Journal, only_grader, secret
from genssl_utils.course.grade.keys import seed, verdict_key
from genssl_utils.course.grade.limits import limits_of
from genssl_utils.course.grade.recorder import NotRegistered, Recorder, database
from genssl_utils.course.grade.unit_file import unit_for_judge
from genssl_utils.course.gradebook import settings
from genssl_utils.course.source import CourseError, Unit

ROUNDS = 3
"""How often work that changed while it was judged is taken up again."""

SECOND_LOOK = (
    "points given by hand stand, but the work or what its checks say changed since: look again"
)


@dataclass
class Mark:
    """What one student has for one unit."""

    student: str
    points: dict[str, float | None]
    """By exercise; None where a person has to say."""
    reasons: list[str] = field(default_factory=list)
    """Why a person should look at it."""
    fresh: bool = True
    """Whether this run wrote it, or it was there and still holds."""
    before: float | None = None
    """All points that an earlier run wrote for the same work; None where there was none."""

    @property
    def total(self) -> float:
        """All points together."""
        return sum(points or 0.0 for points in self.points.values())


@dataclass
class Work:
    """One submission on its way through the run."""

    submission: Submission
    keys: dict[str, str]
    """Exercise → key of its verdict."""


class Grading:
    """One run of the grader over one unit.

    Args:
        unit: the unit.
        jobs: submissions at once; as many as there are cores when 0.
        scheduler: address of a Dask scheduler; a cluster on this machine when "".
        force: judge again what has a verdict.
        walls: False grades without the sandbox.
        progress: told the counts (`total`, `done`, `in the box`, `failed`, `flagged`).
    """

    def __init__(
        self, unit: Unit, *, jobs: int = 0, scheduler: str = "", force: bool = False,
        walls: bool = True, progress: Callable[[Mapping[str, int]], None] = lambda counts: None,
    ) -> None:  # fmt: skip
        self.unit, self.scheduler, self.force, self.walls = unit, scheduler, force, walls
        self.jobs = jobs or os.cpu_count() or 1
        self.told = progress
        self.limits = limits_of(unit.root, unit.name)
        self.marks: dict[str, Mark] = {}
        self.counts = dict.fromkeys(("total", "done", "in the box", "failed", "flagged"), 0)
        self.seconds = dict.fromkeys(("all", "judging", "warm up", "recording"), 0.0)
        self._new: set[str] = set()  # keys of verdicts of this run

    def run(self, students: Sequence[str] = ()) -> list[Mark]:
        """Grade.

        Args:
            students: only these; all who handed in when empty.

        Returns:
            One mark a student, by name.

        Raises:
            CourseError: what the person at the keyboard can mend.
        """
        began = time.perf_counter()
        wanted = self._wanted(students)
        if self.walls and not self.scheduler and (why := sandbox.why_not_here()):
            raise CourseError(why)
        with only_grader(self.unit.root):
            keep_copy(self.unit.root, database(self.unit))
            _register_if_stale(self.unit)
            self.file = unit_for_judge(self.unit)
            self.secret = secret(self.unit.root)
            self.journal = Journal.open(self.unit.root, self.unit.name)
            self.counts["total"] = len(wanted)
            with _recorder(self.unit) as self.recorder:
                wanted = self._without_odd_names(wanted)
                for _ in range(ROUNDS):
                    wanted = self._round(wanted)
                    if not wanted:
                        break
                for student in wanted:
                    self.marks[student].reasons.append("it kept changing while it was graded")
                    self._count_flagged()
        self.seconds["all"] = time.perf_counter() - began
        return [self.marks[name] for name in sorted(self.marks)]

    def _wanted(self, students: Sequence[str]) -> list[str]:
        handed_in = intake.students(self.unit)
        if strangers := [name for name in students if name not in handed_in]:
            where = f"submitted/{strangers[0]}/{self.unit.name}/"
            raise CourseError(f"Nothing is handed in as {where}.")
        if not handed_in:
            raise CourseError(
                f"Nothing is handed in: put notebooks at submitted/STUDENT/{self.unit.name}/."
            )
        return sorted(set(students)) or handed_in

    def _without_odd_names(self, students: Sequence[str]) -> list[str]:
        """Leave out folders that can be no student's: a person renames or removes them."""
        for name in students:
            if not intake.is_student(name):
                nothing = dict.fromkeys(self.unit.exercises)
                self.marks[name] = Mark(name, nothing, [intake.NO_STUDENT])
                self._count_flagged()
        return [name for name in students if name not in self.marks]

    def _round(self, students: Sequence[str]) -> list[str]:
        """Read, judge and record; gives back those whose work changed meanwhile."""
        works = {name: self._work(intake.read(self.unit, name)) for name in students}
        waiting: dict[str, list[str]] = {}  # content → who handed it in
        changed = []
        for name, work in works.items():
            if self._missing(work):
                waiting.setdefault(work.submission.content, []).append(name)
            else:
                changed += self._finish(work)
        if not waiting:
            return changed
        queue = [works[names[0]] for names in waiting.values()]
        jobs = [self._job(work) for work in queue]
        started = time.perf_counter()
        with farm.cluster(min(self.jobs, len(queue)), self.scheduler) as client:
            left, at_once = len(queue), sum(client.nthreads().values())
            self._count(**{"in the box": min(at_once, left)})
            for done in farm.judged(client, self.file, jobs, walls=self.walls):
                left -= 1
                work = queue[done.number]
                self._keep(work, jobs[done.number], done.verdict)
                for name in waiting[work.submission.content]:
                    changed += self._finish(works[name], done.verdict)
                self._count(**{"in the box": min(at_once, left)})
            self.seconds["warm up"] = farm.warm_up_seconds()
        self.seconds["judging"] += time.perf_counter() - started
        return changed

    def _work(self, submission: Submission) -> Work:
        keys = {}
        if not submission.refused:
            keys = {
                name: verdict_key(self.file, name, submission, self.limits, walls=self.walls)
                for name in self.unit.exercises
            }
        return Work(submission, keys)

    def _missing(self, work: Work) -> list[str]:
        """The exercises that have to be judged, among them those that a slow machine may have
        failed: what ran out of time is judged anew by each run."""
        return [
            name
            for name, key in work.keys.items()
            if key not in self._new
            and (self.force or self.journal.verdicts.get(key, {"hasty": True}).get("hasty"))
        ]

    def _job(self, work: Work) -> dict[str, Any]:
        return {
            "cells": [list(cell) for cell in work.submission.cells],
            "exercises": self._missing(work),
            "seed": seed(self.secret, self.unit.name, work.submission),
            "limits": self.limits.to_json(),
        }

    def _keep(self, work: Work, job: Mapping[str, Any], result: dict[str, Any]) -> None:
        """Put the verdicts into the journal; what proves nothing is not kept."""
        began = time.perf_counter()
        told = result.get("exercises", {}).items()
        kept = {work.keys[name]: verdict for name, verdict in told if trustworthy(verdict)}
        if kept:
            self.journal.keep(kept)
            self._new |= kept.keys()
        self.seconds["recording"] += time.perf_counter() - began

    def _finish(self, work: Work, result: dict[str, Any] | None = None) -> list[str]:
        """Record one submission, unless it was replaced meanwhile; gives its name back then."""
        submission = work.submission
        name = submission.student
        if intake.fingerprint(self.unit, name) != submission.sha256:
            self.marks[name] = Mark(name, {})
            return [name]
        verdicts = {
            exercise: self.journal.verdicts[key]
            for exercise, key in work.keys.items()
            if key in self.journal.verdicts
        }
        received = submission.received.isoformat() if submission.received else ""
        state = {
            "sha256": submission.sha256, "received": received, "keys": work.keys,
            "remarks": list(submission.remarks),
        }  # fmt: skip
        last = self.journal.recorded.get(name, {})
        broken = (result or {}).get("broken")  # to be said, whatever stood there before
        began = time.perf_counter()
        told = None if broken else self._holds(name, state, len(verdicts))
        fresh = told is None
        if told is None:
            other = _is_other_work(submission, last)
            told = self.recorder.record(submission, verdicts, other_work=other)
            reasons = self._reasons(submission, verdicts, result)
            reasons += [SECOND_LOOK] if told["again"] else []
            about = {"reasons": reasons, "content": submission.content}
            self.journal.record(name, state | told | about)
        else:
            reasons = last["reasons"]
            if any(last.get(part) != value for part, value in told.items()):
                self.journal.record(name, last | told)  # a person graded meanwhile
        if _seen(told) and reasons == last.get("reasons"):
            reasons = []
        self.seconds["recording"] += time.perf_counter() - began
        mark = Mark(name, told["points"], reasons, fresh=fresh)
        if last.get("sha256") == submission.sha256 and None not in last["points"].values():
            mark.before = sum(last["points"].values())
        self.marks[name] = mark
        self.counts["done"] += 1
        self.counts["failed"] += any(points is None for points in mark.points.values())
        self.counts["flagged"] += bool(reasons)
        self._count()
        return []

    def _holds(self, name: str, state: Mapping[str, Any], judged: int) -> dict[str, Any] | None:
        """What the gradebook has of a submission, as the journal says it has; None where it must
        be written again."""
        before = self.journal.recorded.get(name)
        keys = state["keys"]
        if before is None or judged < len(keys) or self._new & set(keys.values()):
            return None
        if any(before.get(part) != value for part, value in state.items()):
            return None
        if self.recorder.evidence(name) != before.get("evidence"):
            return None  # gone, or of other work that was recorded just before a crash
        told = self.recorder.standing(name)
        if told is None or any(told[part] != before.get(part) for part in ("auto", "late")):
            return None  # another gradebook than was written, or another deadline
        return told

    def _reasons(
        self, submission: Submission, verdicts: Mapping[str, Any], result: dict[str, Any] | None
    ) -> list[str]:
        if submission.refused:
            return [submission.refused]
        reasons = list(submission.remarks)
        for name in self.unit.exercises:
            verdict = verdicts.get(name)
            if verdict is None:
                told = (result or {}).get("exercises", {}).get(name)
                if told is not None:
                    wrong = (told.get("proof") or {}).get("mistake", "a known mistake")
                    reasons.append(f"{name}: its checks let {wrong} pass; mend them")
                else:
                    why = (result or {}).get("broken", "no verdict")
                    reasons.append(f"{name}: not judged ({why})")
            elif verdict["trouble"]:
                reasons.append(f"{name}: {verdict['trouble']}")
        if verdicts and (why := (result or {}).get("broken")):
            reasons.append(f"judged again in vain ({why}): the verdicts of before stand")
        return reasons

    def _count_flagged(self) -> None:
        """One more that is done with, without marks, and that a person has to look at."""
        self._count(**{what: self.counts[what] + 1 for what in ("done", "failed", "flagged")})

    def _count(self, **counts: int) -> None:
        self.counts |= counts
        self.told(self.counts)


def _seen(told: Mapping[str, Any]) -> bool:
    """Whether a person graded by hand, and has nothing to look at any more."""
    return bool(told["by_hand"] and not told["to_do"])


def _is_other_work(submission: Submission, last: Mapping[str, Any]) -> bool:
    """Whether it is not what was recorded last; where nothing can be run, any other file is."""
    part = "sha256" if submission.refused else "content"
    return bool(last) and last.get(part) != getattr(submission, part)


def _recorder(unit: Unit) -> Recorder:
    """The recorder; a gradebook that was lost is begun anew."""
    try:
        return Recorder(unit)
    except NotRegistered:
        register(unit)
        return Recorder(unit)


def _register_if_stale(unit: Unit) -> None:
    """Tell nbgrader of the unit where it does not know it as it is now."""
    config = settings(unit.root)
    path = unit.root / config.CourseDirectory.source_directory / unit.name / f"{unit.name}.ipynb"
    if not path.is_file():
        raise CourseError(f"{unit.name} is not built yet. Run: genssl build {unit.name}")
    if path.read_text(encoding="utf-8") != source_notebook(unit):
        register(unit)
