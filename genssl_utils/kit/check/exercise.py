"""The vocabulary of checks: `ex = exercise(...)`, `with ex.check(...)`, `ex.report()`."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import linecache
import os
import secrets
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from importlib import resources
from textwrap import shorten
from typing import Any

import torch

from genssl_utils.kit.check.assertions import Assertions
from genssl_utils.kit.check.observe import Fact, Observation
from genssl_utils.kit.check.report import (
    CheckFailed,
    Elsewhere,
    NotFinished,
    Outcome,
    Report,
    Stopped,
)

_latest: dict[tuple[str, str], Report] = {}
_stops_early: ContextVar[bool] = ContextVar("stops_early", default=False)
_key: ContextVar[dict[str, Any] | None] = ContextVar("key", default=None)

STUB = "Replace this line with your answer."
"""What the stub of an unwritten answer says (`nbgrader_config.py` puts it there)."""

_MACHINERY = {__name__, "contextlib", *(base.__module__ for base in Assertions.__mro__[:-1])}

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


class Enough(BaseException):
    """A check failed, and that is all that `until_first_failure` wants to know."""


@contextlib.contextmanager
def until_first_failure() -> Iterator[None]:
    """Inside, the first check that fails ends its cell by raising `Enough`."""
    token = _stops_early.set(True)
    try:
        yield
    finally:
        _stops_early.reset(token)


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
        self._stubs = 0  # checks that met the stub of this exercise
        self._failing: dict[str, str] = {}  # check name -> label of the observation that failed
        seed = int(os.environ.get("GENSSL_CHECK_SEED", "0")) or secrets.randbits(62)
        self.fresh = generator(seed)
        """Noise for hidden checks: other inputs at each run."""

    @property
    def result(self) -> Report:
        """The report as it stands."""
        return self._report

    @property
    def failing(self) -> set[str]:
        """Labels of the observations by which visible checks failed."""
        return set(self._failing.values())

    # --- the blocks -------------------------------------------------------------------------

    @contextlib.contextmanager
    def check(self, name: str, weight: float = 1.0) -> Iterator[None]:
        """A visible check: its name, what was seen and what was expected are shown."""
        with self._block(Outcome(name, weight, hidden=False)):
            yield

    @contextlib.contextmanager
    def hidden(self, name: str, weight: float = 1.0, hint: str = "") -> Iterator[None]:
        """A hidden check: only its name and hint are shown, never an input or a value.

        What the answer prints or displays meanwhile is thrown away: it could hold the inputs.
        """
        with _silence():
            with self._block(Outcome(name, weight, hidden=True, hint=hint)):
                yield

    @contextlib.contextmanager
    def _block(self, outcome: Outcome) -> Iterator[None]:
        self._report.outcomes.append(outcome)
        self._current, hint, outcome.hint = outcome, outcome.hint, ""
        with _sealed(self._seed_of(outcome)):
            try:
                yield
                outcome.passed = True
            except CheckFailed as failure:
                outcome.message = str(failure)
                hint = failure.hint if isinstance(failure, Stopped) else hint
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:
                outcome.message = self._describe(error)
            finally:
                self._current = None
        if not outcome.passed and outcome.hidden:
            outcome.message, outcome.hint = "", hint
        if not outcome.passed and _stops_early.get():
            raise Enough

    def _seed_of(self, outcome: Outcome) -> int:
        """Seed of torch's own noise in a block: fixed, or, where hidden, unlike the inputs'."""
        if not outcome.hidden:
            return 0
        text = f"{self.fresh.initial_seed()}/{outcome.name}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")

    def _describe(self, error: BaseException) -> str:
        """What to say of an exception that came out of a check."""
        try:
            words = shorten(str(error), 160, placeholder=" …")
        except Exception:
            words = ""
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        outside = [f for f in frames if f.f_globals.get("__name__") not in _MACHINERY]
        told: Elsewhere | None = getattr(error, "elsewhere", None)
        where = told.where if told else frames[-1].f_code.co_name
        # The check cell's own line, and nothing that it called:
        in_check = told is None and len(outside) == 1
        if isinstance(error, NotImplementedError) and STUB in words:
            if where == self._report.exercise or in_check:
                self._stubs += 1
                return "The line that raises NotImplementedError is still there."
            return f"It calls `{where}`, which is not written yet. Write that one first."
        with contextlib.suppress(CheckFailed):
            self._see(Fact(f"raised {type(error).__name__}"), "")
            self._fail("")
        if isinstance(error, NameError) and f"'{self._report.exercise}'" in words:
            return f"{self._report.exercise} is not defined. Run the cell with your answer first."
        if in_check and isinstance(error, (AttributeError, TypeError, IndexError)):
            return f"The check cannot use what your function returned: {words}"
        return f"Your function raised {type(error).__name__}: {words}{self._line_of(error)}"

    def _line_of(self, error: BaseException) -> str:
        """The student's own line that an exception came through, where it can be read."""
        if told := getattr(error, "elsewhere", None):
            return f"\nin your line: {told.line}" if told.line else ""
        for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
            if frame.f_code.co_name == self._report.exercise:
                line = linecache.getline(frame.f_code.co_filename, number).strip()
                return f"\nin your line: {line}" if line else ""
        return ""

    def report(self) -> Report:
        """Close the exercise: name the mistakes that are recognised and show the lines."""
        self._report.unanswered = 0 < self._stubs == len(self._report.outcomes)
        by_name = {o.name: o for o in self._report.outcomes}
        for check_name, label in self._failing.items():
            mistake = self._recognise(label)
            if mistake:
                outcome = by_name[check_name]
                outcome.mistake, outcome.hint = mistake, self.key["mistakes"][mistake]["hint"]
        _latest[(self._report.topic, self._report.exercise)] = self._report
        return self._report

    def _recognise(self, label: str) -> str:
        """The known mistake behind a failing observation, or "" where none fits well.

        It must give the same observation there, and fail by it. It is named if everything else
        agrees too, or if what failed is specific (numbers, a law) and most of the rest agrees. Two
        that fit equally well name nothing: a wrong hint costs more than none.
        """
        fits: dict[str, float] = {}
        for mistake, known in self.key["mistakes"].items():
            seen = known["observed"]
            if label not in known["fails"] or not self.observations[label].matches(seen[label]):
                continue
            labels = self.observations.keys() | seen.keys()
            agreed = sum(
                at in seen and at in self.observations and self.observations[at].matches(seen[at])
                for at in labels
            )
            fits[mistake] = agreed / len(labels)
        best = max(fits.values(), default=0.0)
        needed = 0.6 if self.observations[label].specific else 1.0
        named = [mistake for mistake, fit in fits.items() if fit == best >= needed]
        return named[0] if len(named) == 1 else ""


@contextlib.contextmanager
def _sealed(seed: int) -> Iterator[None]:
    """Whatever an answer does to torch's noise, modes, warnings or stderr ends with the block.

    A line on stderr costs nothing here; nbgrader would give no points for it.
    """
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_available():  # asked first: without a GPU this notes a traceback each time
            torch.cuda.manual_seed_all(seed)
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                yield
        finally:
            torch.set_grad_enabled(grad)
            torch.set_default_dtype(dtype)


def _silence() -> contextlib.AbstractContextManager:
    """Throw away what is printed and, in a notebook, what is displayed."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.utils.capture import capture_output

        return capture_output()
    return contextlib.redirect_stdout(io.StringIO())
