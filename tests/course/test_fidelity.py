"""The judge says through the pipe what the notebook says in one process, word for word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from pipes import far_side
from typing import Any

import pytest

from genssl_utils.course import catalogue
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import Unit, find_unit

ROOT = Path(__file__).parents[2]
WHOLE = "08"
"""The unit whose catalogue is run as a whole; of the others, a few of each exercise."""
SEED = 7


def candidates(unit: Unit) -> Iterator[tuple[str, str, Callable]]:
    """Functions in a student's place: exercise, name, function."""
    found, most = catalogue.load(unit), None if unit.name.startswith(WHOLE) else 2
    for name in unit.exercises:
        for entries in (found.mistakes.get(name, []), found.variants.get(name, [])):
            for entry in entries[:most]:
                yield name, entry.name, entry.function


def said(checker: Checker, exercise: str, function: Callable) -> list[dict[str, Any]]:
    """All that the check cells report of a function."""
    reports = checker.report(checker.unit.exercises[exercise], function, seed=SEED).reports
    return [report.to_json() for report in reports]


@pytest.mark.parametrize("number", ["00", "05", "08", "14", "18"])
def test_the_pipe_changes_no_verdict(number: str) -> None:
    """Outcomes, messages, hints, points and recognised mistakes are equal."""
    checker = Checker(find_unit(ROOT, number))
    tried = list(candidates(checker.unit))
    differ = []
    for exercise, name, function in tried:
        with far_side({exercise: function}) as far:
            if said(checker, exercise, getattr(far, exercise)) != said(checker, exercise, function):
                differ.append(f"{exercise}: {name}")
    assert not differ
    assert len(tried) >= 2 * len(checker.unit.exercises)


def test_what_leaves_a_trace_in_the_judges_own_things_is_seen() -> None:
    """Gradients left in a network's weights, and layers' own results changed in place."""
    for number, exercise, name in (
        ("14", "vat_direction", "fills_the_gradients"),
        ("08", "chain", "added_in_place"),
    ):
        checker = Checker(find_unit(ROOT, number))
        entries = catalogue.load(checker.unit).mistakes[exercise]
        function = next(entry.function for entry in entries if entry.name == name)
        with far_side({exercise: function}) as far:
            seen = said(checker, exercise, getattr(far, exercise))
        assert name in {c["mistake"] for report in seen for c in report["checks"]}
