"""The trusted side: runs the source's check cells, with stand-ins in the student's place.

`python -m genssl_utils.course.grade.judge CONTROL BOX UNIT` serves jobs that come over the socket
CONTROL; each is judged in a forked child, so that no submission leaves a trace in the next one's
judge. No code of a student's runs in here. What it sends back is numbers under a header.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from genssl_utils.course.catalogue import marked, named_checks, seeded
from genssl_utils.course.grade import cgroups
from genssl_utils.course.grade.boxes import Box, BoxLost
from genssl_utils.course.grade.errors import revive
from genssl_utils.course.grade.limits import MIB, Limits
from genssl_utils.kit import check
from genssl_utils.kit.check import Outcome, Report
from genssl_utils.kit.check.observe import Fact

NOT_REACHED = "It was not reached."

LONGEST_MESSAGE = 1000
"""Characters; a longer one is made of what the student returned."""

MOST_SEEN = 1000
"""Numbers of one unrecognised answer that are kept."""

JUDGING_SECONDS = 60.0
"""CPU time of ours that the checks of one cell may take, for the same reason."""

TOO_LARGE = "What your function returned took too long to look at. Is it far too large?"

MEMORY_MIB = 4096
"""What judging one submission may take: its answers are numbers of the student's choice."""


@dataclass
class Bench:
    """A unit as the judge holds it: what its cells defined, and its checks ready to run."""

    name: str
    namespace: dict[str, Any]
    exercises: dict[str, dict[str, Any]]
    mistakes: dict[str, list[Callable]] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: dict[str, Any]) -> Bench:
        """Run the setup cells, load the catalogue, compile the checks."""
        import torch

        torch.set_num_threads(1)
        namespace: dict[str, Any] = {"__name__": "__checks__"}
        with contextlib.redirect_stdout(io.StringIO()):
            for source in unit["setup"]:
                exec(compile(source, "<setup>", "exec"), namespace)
        bench = cls(unit["name"], namespace, unit["exercises"])
        for exercise in bench.exercises.values():
            for cell in exercise["checks"]:
                cell["code"] = compile(cell["source"], f"<{cell['grade_id']}>", "exec")
                cell["named"] = named_checks(cell["source"])
        bench.mistakes = _mistakes(unit["mistakes"]) if unit["mistakes"] else {}
        bench.warm_up()
        return bench

    def warm_up(self) -> None:
        """Run all checks on wrong answers, so that what they import is there in each child."""
        for name, exercise in self.exercises.items():
            wrong = self.mistakes.get(name, [_nothing])[0]
            for cell in exercise["checks"]:
                _run_checks(self, exercise, cell, {name: wrong}, "warm up")


def _mistakes(source: str) -> dict[str, list[Callable]]:
    """The known wrong answers by exercise."""
    module = ModuleType("known_mistakes")
    exec(compile(source, "<mistakes>", "exec"), vars(module))
    return {name: [m.function for m in known] for name, known in marked(module).mistakes.items()}


@dataclass
class Answer:
    """Stands in for a graded function: each call goes to the box."""

    box: Box
    __name__: str
    stopped: dict[str, Any] | None = None
    """The error with which its cell ended, if it did."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the student's function with these arguments."""
        try:
            return self.box.call(self.__name__, args, kwargs)
        except NameError as error:
            if self.stopped and str(error) == f"name '{self.__name__}' is not defined":
                raise revive(self.stopped) from None  # why it is not
            raise


def judge(bench: Bench, job: dict[str, Any], box: Box) -> dict[str, Any]:
    """Judge one submission.

    Args:
        bench: the unit.
        job: `cells`, a list of `[grade_id or None, source]` in the notebook's order; `exercises`,
            the names of those to judge; `seed`, 64 hexadecimal characters.
        box: where the student's code runs; not started yet.

    Returns:
        `exercises`, name → verdict; what the whole submission took is in each, as `submission`.

    Raises:
        BoxLost: the sandbox itself went away, so that nothing can be said of the answers.
    """
    verdicts: dict[str, Any] = {}
    stand_ins = {name: Answer(box, name) for name in bench.exercises}
    for grade_id, source in job["cells"]:
        ran = box.run_cell(source)
        if box.lost:
            break
        if grade_id is None:
            box.next_cell()
            continue
        if grade_id in job["exercises"]:
            # Once checks have run, a cell could print what they asked.
            printed = "" if verdicts else ran.get("printed", "")
            stand_ins[grade_id].stopped = ran.get("error")
            verdict = _judge_exercise(bench, grade_id, job["seed"], stand_ins, box)
            verdicts[grade_id] = verdict | {"printed": printed}
        box.next_exercise()
    box.stop()
    whole = {
        "box_seconds": round(box.spent, 4), "cpu_seconds": box.cpu, "peak_mib": box.peak_mib,
        "restarts": max(0, box.restarts),
    }  # fmt: skip
    for verdict in verdicts.values():
        verdict["submission"] = whole
    return {"exercises": verdicts}


def _judge_exercise(
    bench: Bench, name: str, seed: str, stand_ins: dict[str, Answer], box: Box
) -> dict[str, Any]:
    exercise = bench.exercises[name]
    began, in_box = time.perf_counter(), box.spent
    cells, unknown = {}, []
    for cell in exercise["checks"]:
        ex = _run_checks(bench, exercise, cell, stand_ins, seed + name)
        report = _complete(ex, cell, exercise)
        cells[cell["grade_id"]] = report.to_json() | {"html": report._repr_html_()}
        unknown += _unrecognised(ex)
    passed = all(cell["status"] == "passed" for cell in cells.values())
    verdict: dict[str, Any] = {
        "cells": cells, "trouble": box.trouble, "hasty": box.hasty and not passed,
        "unknown": unknown, "proof": None, "box_seconds": round(box.spent - in_box, 4),
    }  # fmt: skip
    if passed:
        verdict["proof"] = _prove(bench, exercise, name, seed)
    verdict["seconds"] = round(time.perf_counter() - began, 4)
    return verdict


def _run_checks(
    bench: Bench, exercise: dict[str, Any], cell: dict[str, Any],
    answers: dict[str, Callable], seed: str,
) -> check.Exercise | None:  # fmt: skip
    """Run one check cell; what it could not say is left to `_complete`."""
    scope = bench.namespace | answers
    with seeded(_number(seed)), check.using_key(exercise["key"]), _quiet():
        with contextlib.suppress(Exception, check.Enough):  # a line outside of every check
            with _bounded(JUDGING_SECONDS):
                exec(cell["code"], scope)
    ex = scope.get("ex")
    return ex if isinstance(ex, check.Exercise) else None


def _complete(ex: check.Exercise | None, cell: dict[str, Any], exercise: dict[str, Any]) -> Report:
    """The report with every declared check in it: one that never reported has failed."""
    report = Report(exercise["topic"], exercise["name"], cell["points"])
    if ex:
        report = ex.result
        with contextlib.suppress(Exception):  # a hint is not worth a verdict
            ex.report()
    report.max_points = cell["points"]
    for outcome in report.outcomes:
        if len(outcome.message) > LONGEST_MESSAGE:
            outcome.message = outcome.message[:LONGEST_MESSAGE] + " …"
    seen = {outcome.name for outcome in report.outcomes}
    for name, hidden, weight in cell["named"]:
        if name not in seen:
            message = "" if hidden else NOT_REACHED
            report.outcomes.append(Outcome(name, weight, hidden, False, message))
    return report


def _unrecognised(ex: check.Exercise | None) -> list[dict[str, Any]]:
    """What failing visible checks saw, where no known mistake explains it."""
    if ex is None or ex.result.unanswered:
        return []
    known = {outcome.name for outcome in ex.result.outcomes if outcome.mistake}
    found = []
    for name, label in ex._failing.items():
        if name not in known and label in ex.observations:
            with contextlib.suppress(Exception):  # nor is a word for the statistics
                found.append({"check": name, "seen": _briefly(ex.observations[label])})
    return found


def _briefly(seen: Any) -> dict[str, Any]:
    """What was seen as numbers, or in a word where those would fill a book."""
    tensor = getattr(seen, "tensor", None)
    if tensor is not None and tensor.numel() > MOST_SEEN:
        return Fact(f"shape {tuple(tensor.shape)}").to_json()
    if isinstance(seen, Fact):
        return Fact(seen.what[:LONGEST_MESSAGE]).to_json()
    return seen.to_json()


def _prove(bench: Bench, exercise: dict[str, Any], name: str, seed: str) -> dict[str, Any]:
    """Let a known mistake take the student's place; it must fail, else no verdict is worth much."""
    known = bench.mistakes.get(name) or [_nothing]
    wrong = known[int(seed[:8], 16) % len(known)]
    with check.until_first_failure():
        done = [
            _run_checks(bench, exercise, cell, {name: wrong}, seed + name)
            for cell in exercise["checks"]
        ]
    rejected = any(o.passed is False for ex in done if ex for o in ex.result.outcomes)
    return {"mistake": wrong.__name__, "rejected": rejected}


def _nothing(*args: Any, **kwargs: Any) -> None:
    """A wrong answer to everything."""


def _number(text: str) -> int:
    """A seed out of a text that nobody knew when the work was handed in."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Fail the check that runs when so much CPU time is spent, and each later one soon after."""

    def stop(*_: object) -> None:
        raise check.CheckFailed(TOO_LARGE)

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds / 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _quiet() -> contextlib.AbstractContextManager:
    return contextlib.redirect_stdout(io.StringIO())


# --- serving ------------------------------------------------------------------------------------


def main(control: int, box: int, unit: int) -> None:
    """Warm up, then judge each job in a child of its own until the other end closes."""
    jobs, boxes = socket.socket(fileno=control), socket.socket(fileno=box)
    cgroups.sweep()
    try:
        with os.fdopen(unit, "rb") as file:
            bench = Bench.of(json.load(file))
    except Exception as error:  # of the course's own setup, catalogue or checks
        jobs.send(f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:1000])
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to answer
    jobs.send(b"ready")
    gc.freeze()
    while True:
        data, fds, _, _ = socket.recv_fds(jobs, 64, 1)
        if not data:
            return
        (reply,) = fds
        if os.fork() == 0:
            jobs.close()
            _judge_in_child(bench, boxes, reply)
        os.close(reply)


def _judge_in_child(bench: Bench, boxes: socket.socket, reply: int) -> None:
    """Read a job, judge it, write the verdict. Does not return."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        answer = socket.socket(fileno=reply)
        with answer.makefile("rb") as file:
            job = json.loads(file.readline())
        _bound_memory()
        box = Box(boxes, Limits(**job["limits"]), last_try=job["last_try"])
        try:
            verdict = judge(bench, job, box)
        except BoxLost as lost:
            verdict = {"lost": str(lost)}
        except Exception as error:
            where = _where(error)
            verdict = {"broken": f"{type(error).__name__}: {error} ({where})"}
        # Half a character, which no file can hold, becomes a question mark.
        answer.sendall(json.dumps(verdict, ensure_ascii=False).encode("utf-8", "replace"))
        code = 0
    finally:
        os._exit(code)


def _bound_memory() -> None:
    if sys.platform == "linux":
        from genssl_utils.course.grade.confine import mapped

        most = mapped() + MEMORY_MIB * MIB
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _where(error: BaseException) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else "?"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
