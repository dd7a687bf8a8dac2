"""Small parts of the page: a figure with its text, a count with its noun."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from genssl_utils.course.report.pictures import Bar
from genssl_utils.course.report.standing import STATES, Result


def figure(title: str, svg: str, told: str, below: str = "") -> str:
    """A picture with its title above it, its text alternative, and a line below it."""
    below = f"<p>{escape(below)}</p>" if below else ""
    source = "data:image/svg+xml," + quote(svg, safe=" /:=;,()+!*?@-.'")
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<img alt="{escape(told, quote=True)}" src="{source}">{below}</figure>\n'
    )


def in_a_line(rows: Sequence[Bar]) -> str:
    """All bars in words."""
    notes = [f" ({row.note})" if row.note else "" for row in rows]
    return "; ".join(f"{row.name}: {row.told}{note}" for row, note in zip(rows, notes, strict=True))


def states_of(results: Sequence[Result]) -> dict[str, int]:
    """How many answers stand how, in the order of `STATES`."""
    counts = Counter(result.status for result in results)
    return {state: counts[state] for state in STATES if counts[state]}


def listed(states: Mapping[str, int]) -> str:
    """How many stand how, in words."""
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "no submission"


def named(check: str, hidden: bool) -> str:
    """A check's name, a hidden one marked as such."""
    return f"{check} (hidden)" if hidden else check


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"
