"""The catalogue of mistakes: known wrong answers, unusual right ones, and what checks say to them.

`solutions/NN_topic/mistakes.py` marks its functions with the decorators below. `genssl build`
runs the visible checks against each of them and writes what they saw to the topic's `key.json`:
numbers, never code.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar

from genssl_utils.course.source import CourseError, Exercise, Unit, without_hidden
from genssl_utils.kit import check

F = TypeVar("F", bound=Callable)


@dataclass(frozen=True)
class Entry:
    """One function of the catalogue."""

    name: str
    function: Callable
    hint: str = ""


@dataclass
class Catalogue:
    """All entries of a unit, by exercise."""

    mistakes: dict[str, list[Entry]] = field(default_factory=dict)
    variants: dict[str, list[Entry]] = field(default_factory=dict)
    oracles: dict[str, Callable] = field(default_factory=dict)
    survivors: dict[str, str] = field(default_factory=dict)
    """Mutants of the answers that no check needs to reject: description → the reason."""


def mistake(exercise: str, hint: str) -> Callable[[F], F]:
    """Mark a wrong answer that students really give, with the hint that it should get."""
    return _mark("mistakes", exercise, hint)


def variant(exercise: str) -> Callable[[F], F]:
    """Mark an unusual right answer; it gets full points."""
    return _mark("variants", exercise)


def oracle(exercise: str) -> Callable[[F], F]:
    """Mark an independent implementation; it gives the expected values of the key."""
    return _mark("oracles", exercise)


def _mark(room: str, exercise: str, hint: str = "") -> Callable[[F], F]:
    def mark(function: F) -> F:
        function.catalogue_entry = (room, exercise, hint)
        return function

    return mark


def load(unit: Unit) -> Catalogue:
    """Read a unit's `mistakes.py`.

    Raises:
        CourseError: the file is missing, does not import, or names an unknown exercise.
    """
    if not unit.mistakes.is_file():
        raise CourseError(f"{unit.name} has no catalogue: write solutions/{unit.name}/mistakes.py.")
    spec = importlib.util.spec_from_file_location(f"mistakes_{unit.topic}", unit.mistakes)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CourseError(f"solutions/{unit.name}/mistakes.py: {error}") from error
    found = marked(module)
    named = {exercise: oracle.__name__ for exercise, oracle in found.oracles.items()}
    for room in (found.mistakes, found.variants):
        named |= {exercise: entries[0].name for exercise, entries in room.items()}
    for exercise, name in named.items():
        if exercise not in unit.exercises:
            raise CourseError(f"{unit.mistakes.name}: `{name}` is for an unknown `{exercise}`.")
    return found


def marked(module: ModuleType) -> Catalogue:
    """The functions of a module that the decorators above have marked."""
    found = Catalogue(survivors=dict(getattr(module, "SURVIVORS", {})))
    for name, function in vars(module).items():
        room, exercise, hint = getattr(function, "catalogue_entry", ("", "", ""))
        if room == "oracles":
            found.oracles[exercise] = function
        elif room:
            getattr(found, room).setdefault(exercise, []).append(Entry(name, function, hint))
    return found


class Checker:
    """Runs a unit's check cells on any function, as the notebook and the grader do."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.namespace: dict[str, Any] = {"__name__": "__checks__"}
        for cell in unit.cells("setup", "parameters"):
            first = next(iter(cell.source.strip().splitlines()), "")
            self._exec(f"the setup cell that begins `{first[:60]}`", cell, self.namespace)
        for exercise in unit.exercises.values():
            self._exec(f"the answer `{exercise.name}`", exercise.answer, self.namespace)
            if exercise.name not in self.namespace:
                raise CourseError(
                    f"{unit.name}: the answer `{exercise.name}` defines no {exercise.name}."
                )

    def _exec(self, what: str, cell: Any, scope: dict[str, Any], hidden: bool = True) -> None:
        source = cell.source if hidden else without_hidden(cell.source)
        try:
            with redirect_stdout(io.StringIO()):  # a setup cell greets its student
                exec(compile(source, f"<{what}>", "exec"), scope)
        except (Exception, SystemExit) as error:
            said = next(iter(str(error).strip().splitlines()), "no reason given")
            why = f"{type(error).__name__}: {said}"
            raise CourseError(f"{self.unit.name}: {what} stops with {why}") from error

    def run(
        self,
        exercise: Exercise,
        candidate: Callable | None = None,
        *,
        hidden: bool = True,
        key: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> list[check.Exercise]:
        """Judge a candidate by the exercise's check cells.

        Args:
            exercise: which exercise.
            candidate: the function in the student's place; None takes our own answer.
            hidden: whether hidden checks run, as they do for the instructor.
            key: the exercise's part of the key; None takes the one in the topic's package.
            seed: draws the hidden inputs; None draws them afresh.

        Returns:
            The closed `check.Exercise` of each check cell.

        Raises:
            CourseError: a check cell stops with an error.
        """
        done = []
        for cell in exercise.checks:
            scope = dict(self.namespace)
            if candidate is not None:
                scope[exercise.name] = candidate
            what = f"the check `{cell.metadata.nbgrader.grade_id}`"
            with seeded(seed), check.using_key(key):
                self._exec(what, cell, scope, hidden)
            if not isinstance(scope.get("ex"), check.Exercise):
                raise CourseError(f"{self.unit.name}: {what} makes no `ex = check.exercise(...)`.")
            done.append(scope["ex"])
        return done

    def report(self, exercise: Exercise, candidate: Callable | None = None, **how: Any) -> Reports:
        """The reports of all check cells of one exercise together; arguments as for `run`."""
        return Reports([ex.result for ex in self.run(exercise, candidate, **how)])

    def observe(self, exercise: Exercise, candidate: Callable, key: dict) -> dict[str, Any]:
        """What the visible checks see of a candidate, as numbers."""
        return _seen(self.run(exercise, candidate, hidden=False, key=key))


def _seen(done: list[check.Exercise]) -> dict[str, Any]:
    return {at: o.to_json() for ex in done for at, o in ex.observations.items()}


@dataclass(frozen=True)
class Reports:
    """What the check cells of one exercise say together."""

    reports: list[check.Report]

    @property
    def points(self) -> float:
        """Points of all cells."""
        return sum(r.points for r in self.reports)

    @property
    def passed(self) -> bool:
        """Whether every check of every cell passed."""
        return all(r.passed for r in self.reports)

    @property
    def text(self) -> str:
        """What the student reads."""
        return "\n".join(map(str, self.reports))

    @property
    def hints(self) -> list[str]:
        """All hints given."""
        return [hint for r in self.reports for hint in r.hints]


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Inside, the hidden inputs of all checks follow from a seed; None draws them afresh."""
    before = os.environ.pop("GENSSL_CHECK_SEED", None)
    if seed is not None:
        os.environ["GENSSL_CHECK_SEED"] = str(seed + 1)
    try:
        yield
    finally:
        os.environ.pop("GENSSL_CHECK_SEED", None)
        if before is not None:
            os.environ["GENSSL_CHECK_SEED"] = before


def named_checks(source: str) -> list[tuple[str, bool, float]]:
    """The checks that a cell declares: (name, whether it is hidden, weight), in order."""
    calls = [
        item.context_expr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.context_expr, ast.Call)
    ]
    return [
        (call.args[0].value, call.func.attr == "hidden", _weight(call))
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("check", "hidden")
    ]


def _weight(call: ast.Call) -> float:
    given = [word.value for word in call.keywords if word.arg == "weight"] + call.args[1:2]
    return float(ast.literal_eval(given[0])) if given else 1.0


def make_key(unit: Unit) -> str:
    """The key as text: expected values and the observations of every known mistake.

    Raises:
        CourseError: a mistake passes the visible checks, or they see of it just what they see of
            another one, so that no hint could tell the two apart.
    """
    found, checker = load(unit), Checker(unit)
    exercises = {}
    for name, exercise in unit.exercises.items():
        expected = {}
        if name in found.oracles:
            seen = checker.observe(exercise, found.oracles[name], check.RECORD)
            expected = {at: o for at, o in seen.items() if o["kind"] == "value"}
        key = {"expected": expected, "mistakes": {}}
        for m in found.mistakes.get(name, []):
            done = checker.run(exercise, m.function, hidden=False, key=key)
            observed = _seen(done)
            _refuse_blurred(unit, m, done, observed, key["mistakes"])
            fails = sorted(set[str]().union(*(ex.failing for ex in done)))
            told = {"hint": m.hint, "observed": observed, "fails": fails}
            key["mistakes"] |= {m.name: told}
        exercises[name] = key
    key = {"unit": unit.name, "exercises": exercises}
    text = json.dumps(key, indent=1, ensure_ascii=False, sort_keys=True)
    one_line = re.sub(r"\[[^\[\]{}\"]*\]", lambda found: " ".join(found[0].split()), text)
    return one_line + "\n"


def _refuse_blurred(
    unit: Unit, m: Entry, done: list[check.Exercise], observed: dict, others: dict
) -> None:
    """Stop at a mistake that its hint can never reach."""
    where = f"solutions/{unit.name}/mistakes.py: `{m.name}`"
    if all(ex.result.passed for ex in done):
        raise CourseError(f"{where} passes the visible checks, so its hint is never shown.")
    twin = next((name for name, o in others.items() if o["observed"] == observed), None)
    if twin:
        raise CourseError(f"{where} looks to the visible checks just like `{twin}`.")


def same_key(a: str, b: str) -> bool:
    """Whether two keys say the same up to the rounding of another processor.

    Counts of a random draw may differ by 1 % of all: a rounded probability moves a few draws.
    """
    try:
        return _same(json.loads(a), json.loads(b))
    except json.JSONDecodeError:
        return False


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        if a.get("kind") == b.get("kind") == "frequencies":
            return a.keys() == b.keys() and _same_counts(a["counts"], b["counts"])
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=2e-4, abs_tol=2e-6)
    return type(a) is type(b) and a == b


def _same_counts(a: list[int], b: list[int]) -> bool:
    most = 0.01 * sum(a)
    return len(a) == len(b) and all(abs(x - y) <= most for x, y in zip(a, b, strict=True))
