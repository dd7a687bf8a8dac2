"""The vocabulary of checks: `ex = exercise(...)`, `with ex.check(...)`, `ex.report()`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from importlib import resources
from typing import Any

import torch

from genssl_utils.kit.check.assertions import Assertions
from genssl_utils.kit.check.observe import Fact, Observation
from genssl_utils.kit.check.report import CheckFailed, NotFinished, Outcome, Report

_latest: dict[tuple[str, str], Report] = {}
_key: ContextVar[dict[str, Any] | None] = ContextVar("key", default=None)

RECORD: dict[str, Any] = {"expected": None, "mistakes": {}}
"""The key under which values without an expected one are recorded and not compared."""


@contextlib.contextmanager
def using_key(key: dict[str, Any] | None) -> Iterator[None]:
    """Run checks with this exercise key instead of the one in the topic's package."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)


def exercise(topic: str, name: str, points: float = 1.0) -> Exercise:
    """Start the checks of one exercise.

    Args:
        topic: the unit's topic, which holds the key: "gumbel_softmax".
        name: the graded function's name.
        points: what all checks together are worth; the same as in the cell's metadata.
    """
    return Exercise(topic, name, points)


def latest(topic: str, name: str) -> Report | None:
    """The last report of an exercise in this session, if its check cell ran."""
    return _latest.get((topic, name))


def finished(topic: str, *names: str) -> None:
    """Stop an experiment calmly when an exercise that it runs has no answer yet.

    Raises:
        NotFinished: the check of one of them has not been run, or found no answer.
    """
    open_ones = [n for n in names if (r := latest(topic, n)) is None or r.unanswered]
    if open_ones:
        which = ", ".join(f"`{n}`" for n in open_ones)
        raise NotFinished(
            f"Finish {which} first: this cell runs your own code.\n"
            "Write the answer, run its cell and the check below it, then come back."
        )
    failing = [n for n in names if not latest(topic, n).passed]
    if failing:
        print(f"Note: the checks of {', '.join(failing)} do not all pass yet. Expect odd results.")


def generator(seed: int) -> torch.Generator:
    """A seeded source of noise on the CPU."""
    return torch.Generator().manual_seed(seed)


def _load_key(topic: str, name: str) -> dict[str, Any]:
    if (given := _key.get()) is not None:
        return given
    empty: dict[str, Any] = {"expected": {}, "mistakes": {}}
    path = resources.files(f"genssl_utils.{topic}") / "key.json"
    if not path.is_file():
        return empty
    return json.loads(path.read_text("utf-8"))["exercises"].get(name, empty)


class Exercise(Assertions):
    """The checks of one exercise; each assertion works inside a `with ex.check(...)` block."""

    def __init__(self, topic: str, name: str, points: float) -> None:
        self.observations: dict[str, Observation] = {}
        self.key = _load_key(topic, name)
        self._report = Report(topic, name, float(points))
        self._current: Outcome | None = None
        self._failing: dict[str, str] = {}  # check name -> label of the observation that failed
        seed = int(os.environ.get("GENSSL_CHECK_SEED", "0")) or secrets.randbits(62)
        self.fresh = generator(seed)
        """Noise for hidden checks: other inputs at each run."""

    @property
    def result(self) -> Report:
        """The report as it stands."""
        return self._report

    # --- the blocks -------------------------------------------------------------------------

    @contextlib.contextmanager
    def check(self, name: str, weight: float = 1.0) -> Iterator[None]:
        """A visible check: its name, what was seen and what was expected are shown."""
        with self._block(Outcome(name, weight, hidden=False)):
            yield

    @contextlib.contextmanager
    def hidden(self, name: str, weight: float = 1.0, hint: str = "") -> Iterator[None]:
        """A hidden check: only its name and hint are shown, never an input or a value.

        What the answer prints meanwhile is thrown away: it could hold the inputs.
        """
        with contextlib.redirect_stdout(io.StringIO()):
            with self._block(Outcome(name, weight, hidden=True, hint=hint)):
                yield

    @contextlib.contextmanager
    def _block(self, outcome: Outcome) -> Iterator[None]:
        self._report.outcomes.append(outcome)
        self._current, hint, outcome.hint = outcome, outcome.hint, ""
        seed = self.fresh.initial_seed() if outcome.hidden else 0
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            try:
                # Whatever an answer writes to stderr costs nothing (nbgrader would give 0).
                with contextlib.redirect_stderr(io.StringIO()):
                    yield
                outcome.passed = True
            except NotImplementedError:
                self._report.unanswered = True
            except CheckFailed as failure:
                outcome.message = str(failure)
            except (Exception, SystemExit) as error:
                outcome.message = self._describe(error)
            finally:
                self._current = None
        if not outcome.passed and outcome.hidden:
            outcome.message, outcome.hint = "", hint

    def _describe(self, error: BaseException) -> str:
        with contextlib.suppress(CheckFailed):
            self._see(Fact(f"raised {type(error).__name__}"), "")
            self._fail("")
        if isinstance(error, NameError) and self._report.exercise in str(error):
            return f"{self._report.exercise} is not defined. Run the cell with your answer first."
        words = " ".join(str(error).split())[:200]
        return f"Your function raised {type(error).__name__}: {words}"

    def report(self) -> Report:
        """Close the exercise: name the mistakes that are recognised and show the lines."""
        by_name = {o.name: o for o in self._report.outcomes}
        for check_name, label in self._failing.items():
            mistake = self._recognise(label)
            if mistake:
                outcome = by_name[check_name]
                outcome.mistake, outcome.hint = mistake, self.key["mistakes"][mistake]["hint"]
        _latest[(self._report.topic, self._report.exercise)] = self._report
        return self._report

    def _recognise(self, label: str) -> str:
        """The known mistake that gave the failing observation and agrees best elsewhere."""
        best, best_score = "", 0
        for mistake, known in self.key["mistakes"].items():
            seen = known["observed"]
            if label not in seen or not self.observations[label].matches(seen[label]):
                continue
            agree = [
                o.matches(seen[at]) if at in seen else False for at, o in self.observations.items()
            ]
            missing = len(set(seen) - set(self.observations))
            score = 2 * sum(agree) - len(agree) - missing + 1000
            if score > best_score:
                best, best_score = mistake, score
        return best
