"""What a student reads after a check: a few calm lines, never a traceback."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

MIME = "application/vnd.genssl.report+json"


class CheckFailed(Exception):
    """A check did not pass; in a notebook it shows its message and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Stopped(CheckFailed):
    """The answer ran too long or ended Python, in this check or before: no hint to it would fit."""

    hint = "Your code ran too long or ended Python while it was checked, and was stopped."


@dataclass(frozen=True)
class Elsewhere:
    """Where an exception was raised, when that was in another process.

    The judge hangs one on what it raises in a student's place, as `error.elsewhere`.
    """

    where: str
    """Name of the innermost function; empty when no code of the student's had begun."""
    line: str
    """The student's own line, where it can be told."""


class NotFinished(CheckFailed):
    """An experiment was started before the exercises that it runs were answered."""


@dataclass
class Outcome:
    """One named check: whether it passed and what to say about it."""

    name: str
    weight: float
    hidden: bool
    passed: bool = False
    message: str = ""
    hint: str = ""
    mistake: str = ""


@dataclass
class Report:
    """All checks of one exercise. Its `repr` is the points, which nbgrader reads as credit."""

    topic: str
    exercise: str
    max_points: float
    outcomes: list[Outcome] = field(default_factory=list)
    unanswered: bool = False

    @property
    def points(self) -> float:
        """Points earned: each check counts by its weight among those that ran."""
        total = sum(o.weight for o in self.outcomes)
        if self.unanswered or not total:
            return 0.0
        earned = sum(o.weight for o in self.outcomes if o.passed)
        return round(self.max_points * earned / total, 2)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return not self.unanswered and bool(self.outcomes) and all(o.passed for o in self.outcomes)

    @property
    def status(self) -> str:
        """passed, partly, failed or unanswered."""
        if self.unanswered:
            return "unanswered"
        if self.passed:
            return "passed"
        return "partly" if any(o.passed for o in self.outcomes) else "failed"

    @property
    def hints(self) -> list[str]:
        """The hints given, each once."""
        return list(dict.fromkeys(o.hint for o in self.outcomes if o.hint))

    @property
    def next_step(self) -> str:
        """One line on what to do next."""
        if self.unanswered:
            return f"Write {self.exercise}: replace the line that raises NotImplementedError."
        if self.passed:
            return "Done. Go on."
        first = next(o for o in self.outcomes if not o.passed)
        return first.hint or f"Look at: {first.name}. {first.message}"

    def __repr__(self) -> str:
        return repr(self.points)

    def __str__(self) -> str:
        lines = [f"{self.exercise}: {self._headline}"]
        shown: set[str] = set()
        for o in self.outcomes:
            if self.unanswered:
                break
            lines.append(f"  {'passed ' if o.passed else 'not yet'}  {o.name}")
            lines += [f"           {text}" for text in self._details(o, shown)]
        return "\n".join(lines)

    @property
    def _headline(self) -> str:
        done = sum(o.passed for o in self.outcomes)
        return {
            "unanswered": "not written yet. Replace the line that raises NotImplementedError.",
            "passed": f"all {done} checks passed.",
        }.get(self.status, f"{done} of {len(self.outcomes)} checks passed.")

    @staticmethod
    def _details(outcome: Outcome, shown: set[str]) -> list[str]:
        """What was seen, and the hint, each unless an earlier check said it already."""
        details = []
        if outcome.message and not outcome.passed:
            details.append("The same as above." if outcome.message in shown else outcome.message)
        if outcome.hint and outcome.hint not in shown:
            details.append(f"Hint: {outcome.hint}")
        shown |= {outcome.message, outcome.hint}
        return details

    def _repr_html_(self) -> str:
        """The same lines for a notebook; words carry the verdict, not the colour alone."""
        rows, shown = [], set()
        for o in [] if self.unanswered else self.outcomes:
            mark = "&#10003;" if o.passed else "&#9675;"
            word = "passed" if o.passed else "not yet"
            details = "".join(
                f'<div style="margin:2px 0 4px 0;white-space:pre-wrap">{_bold_hint(text)}</div>'
                for text in self._details(o, shown)
            )
            rows.append(
                f'<div style="display:flex;gap:.6em;margin:2px 0">'
                f'<span style="flex:none;min-width:5.5em"><b>{mark} {word}</b></span>'
                f"<div>{escape(o.name)}{details}</div></div>"
            )
        return (
            '<div style="border-left:4px solid #7B8794;padding:.3em .9em;margin:.3em 0;'
            'max-width:46em;line-height:1.45">'
            f"<div><b>{escape(self.exercise)}</b>: {escape(self._headline)}</div>"
            f"{''.join(rows)}</div>"
        )

    def to_json(self) -> dict[str, Any]:
        """The report as data, for `genssl check` and for the tests."""
        return {
            "unit": self.topic,
            "exercise": self.exercise,
            "points": self.points,
            "max_points": self.max_points,
            "status": self.status,
            "checks": [asdict(o) for o in self.outcomes],
            "next": self.next_step,
        }

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), MIME: self.to_json()}


def _bold_hint(text: str) -> str:
    safe = escape(text)
    return f"<b>Hint:</b>{safe[5:]}" if safe.startswith("Hint:") else safe
