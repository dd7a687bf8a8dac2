"""What was wrong: recognised mistakes counted, unrecognised answers grouped by what they gave."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from genssl_utils.course.report.anonymous import bare, names_one_of
from genssl_utils.course.report.standing import Result, Standing, Work, graded_notebook
from genssl_utils.kit.check.observe import (
    LEVELS,
    Fact,
    Frequencies,
    Law,
    Observation,
    Value,
    value_of,
)

MOST_OF_A_LAW = 20_000
"""Numbers that a recorded law is spread out to, before it is compared."""


@dataclass(frozen=True)
class Mistake:
    """A recognised mistake of one exercise."""

    name: str
    hint: str
    count: int


@dataclass
class Group:
    """Wrong answers without a hint that gave the same."""

    exercise: str
    seen: list[dict[str, Any]]
    """What visible checks saw, `check` and `seen`; nothing where only hidden ones failed."""
    failed: list[dict[str, Any]]
    """The checks that the first of them failed."""
    trouble: str
    works: list[Work] = field(default_factory=list)


def recognised(results: Sequence[Result]) -> list[Mistake]:
    """The mistakes that got their hint, the commonest first; each answer counts once for each."""
    hints: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for result in results:
        hints |= result.mistakes
        counts.update(result.mistakes.keys())
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return [Mistake(name, hints[name], counts[name]) for name in ordered]


def unrecognised(standing: Standing, exercise: str) -> list[Group]:
    """Wrong answers that no known mistake explains, grouped by what they gave, largest first.

    Two belong together when the same checks saw the same values, up to rounding or chance; those
    that were stopped, when the same stopped them; and those of which no check saw a value, when
    they failed the same checks.
    """
    groups: list[Group] = []
    for work in standing.works:
        result = work.results[exercise]
        if not result.failed or result.mistakes:
            continue
        group = next((g for g in groups if _belongs(result, g)), None)
        if group is None:
            seen = [] if result.trouble else result.unknown
            group = Group(exercise, seen, result.failed, result.trouble)
            groups.append(group)
        group.works.append(work)
    return sorted(groups, key=lambda group: -len(group.works))


def _belongs(result: Result, group: Group) -> bool:
    if result.trouble or group.trouble:
        return _kind(result.trouble) == _kind(group.trouble)
    if not group.seen and not result.unknown:
        names = [check["name"] for check in result.failed]
        return names == [check["name"] for check in group.failed]
    if [one["check"] for one in result.unknown] != [one["check"] for one in group.seen]:
        return False
    pairs = zip(result.unknown, group.seen, strict=True)
    return all(same(mine["seen"], theirs["seen"]) for mine, theirs in pairs)


def _kind(trouble: str) -> str:
    """What stopped it, whatever the seconds."""
    return re.sub(r"[\d.]+", "", trouble)


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two recorded observations are one, as `kit.check` would recognise it."""
    return a == b or (a["kind"] == b["kind"] and observed(a).matches(b))


def observed(recorded: dict[str, Any]) -> Observation:
    """An observation from what was recorded of it; of a law, numbers spread between quantiles."""
    kind = recorded["kind"]
    if kind == "value":
        return _value(recorded)
    if kind == "frequencies":
        return Frequencies(np.array(recorded["counts"]))
    if kind == "law":
        at = np.array([float(q) for q in recorded["quantiles"]])
        size = min(recorded["n"], MOST_OF_A_LAW)
        if size < 1:
            return Law(np.array([np.nan]))
        if not np.isfinite(at).all():  # nothing lies between a number and infinity
            return Law(np.repeat(at, 1 + size // len(at)))
        return Law(np.interp((np.arange(size) + 0.5) / size, LEVELS, at))
    return Fact(recorded["what"])


def _value(recorded: dict[str, Any]) -> Value:
    tensor = value_of(recorded)
    if recorded["dtype"] in ("integer", "boolean"):
        return Value(tensor.to(torch.bool if recorded["dtype"] == "boolean" else torch.int64))
    return Value(tensor, torch.float32)  # it may have been computed so


# --- in words -----------------------------------------------------------------------------------


def in_words(recorded: dict[str, Any], most: int = 6) -> str:
    """What was seen, in one line: shape and first numbers of a value, middle of a law.

    Example:
        >>> in_words({"kind": "value", "shape": [2], "dtype": "float", "data": [0.5, "nan"]})
        'float tensor (2): 0.5, nan'
    """
    kind = recorded["kind"]
    if kind == "value":
        return _value_in_words(recorded, most)
    if kind == "frequencies":
        counts = recorded["counts"]
        shown = ", ".join(f"{count:,}" for count in counts[: 2 * most])
        return f"how often each category came: {shown}{_more(counts, 2 * most)}"
    if kind == "law":
        return _law_in_words(recorded)
    return str(recorded.get("what", kind))


def _value_in_words(recorded: dict[str, Any], most: int) -> str:
    shape, data = recorded["shape"], recorded["data"]
    shown = ", ".join(f"{float(x) + 0.0:.4g}" for x in data[:most]) or "empty"
    if not shape:
        return f"the number {shown}"
    sizes = " × ".join(map(str, shape))
    return f"{recorded['dtype']} tensor ({sizes}): {shown}{_more(data, most)}"


def _law_in_words(recorded: dict[str, Any]) -> str:
    if recorded["n"] < 0:
        return "a random number that is sometimes NaN"
    at = [float(q) for q in recorded["quantiles"]]
    if not at:
        return "an empty sample"
    low, middle, high = at[1], at[len(at) // 2], at[-2]
    return f"a random number: median {middle:.3g}, nine in ten between {low:.3g} and {high:.3g}"


def _more(data: Sequence[Any], shown: int) -> str:
    return ", …" if len(data) > shown else ""


# --- the code behind it -------------------------------------------------------------------------


def example(standing: Standing, group: Group) -> tuple[str, str]:
    """The code of one of a group without comments and texts, or why none is shown.

    Returns:
        The code, and a line in its place where there is none.
    """
    students = [work.student for work in standing.works]
    why = "Their code is no Python."
    for work in sorted(group.works, key=lambda work: bool(_leans_on(standing, group, work))):
        try:
            code = bare(_answer(standing, work.student, group.exercise))
        except SyntaxError:
            continue
        if not code:
            why = "The cell is empty."
        elif standing.names or not names_one_of(code, work.student, students):
            return code, ""
        else:
            why = "Not shown: it may tell whose it is."
    return "", why


def misled(standing: Standing, group: Group) -> Counter[str]:
    """How many of a group call another answer of theirs that is itself not right, by its name."""
    return Counter(name for work in group.works for name in _leans_on(standing, group, work))


def _leans_on(standing: Standing, group: Group, work: Work) -> set[str]:
    """The other answers, not right ones, that an answer calls."""
    try:
        tree = ast.parse(_answer(standing, work.student, group.exercise))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    wrong = {name for name, result in work.results.items() if result.status != "passed"}
    return called & wrong - {group.exercise}


def _answer(standing: Standing, student: str, exercise: str) -> str:
    for cell in graded_notebook(standing.unit, student).get("cells", ()):
        if cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") == exercise:
            return "".join(cell["source"])
    return ""
