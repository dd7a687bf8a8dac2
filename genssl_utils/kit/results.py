"""One way to state a result: this run's number, what other seeds gave, and the paper's.

    results.begin("05_gumbel_softmax", seed=seed, scale=scale)
    results.claim("valid sentences", 0.93, unit="share", paper=0.95, source="Jang 2017, table 1")
    results.table()

`genssl run` collects the claims; `genssl run UNIT --seeds N` writes their mean and spread to
`book/results/`, where a notebook finds them again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from math import floor, log10
from pathlib import Path
from typing import Any, Literal

CLAIM = "application/vnd.genssl.claim+json"
"""The mime type under which a notebook's output carries a claim."""


ARROWS = {"higher": " ↑", "lower": " ↓"}
"""After a name: which way is better."""


@dataclass(frozen=True)
class Claim:
    """One headline number of a run.

    Args:
        name: what was measured; unique within a unit.
        value: this run's number.
        unit: its unit ("s", "nats", "share"); empty for a pure number.
        paper: the paper's number, where the task is the same.
        source: where the paper says so.
        note: one sentence, why the two differ, say.
        better: which way is better, if either.
        topic: the unit of the course.
        seed: the run's seed.
        scale: the run's scale.
    """

    name: str
    value: float
    unit: str = ""
    paper: float | None = None
    source: str | None = None
    note: str = ""
    better: Literal["higher", "lower"] | None = None
    topic: str = ""
    seed: int = 0
    scale: str = "laptop"

    def recorded(self) -> dict[str, Any] | None:
        """Mean and spread over seeds at this scale, from `book/results/`, if recorded."""
        return recorded(self.topic, self.scale).get("claims", {}).get(self.name)

    def cells(self) -> dict[str, str]:
        """The claim as a row of texts, by column; empty where there is nothing to say."""
        known = self.recorded()
        spread = ""
        if known:
            spread = spread_text(known["mean"], known["sd"])
            spread += f" ({len(known['values'])} seeds)"
        paper = "" if self.paper is None else f"{quantity(self.paper)}"
        if paper and self.source:
            paper += f" ({self.source})"
        arrow = ARROWS.get(self.better or "", "")
        return {
            "result": self.name + (f" [{self.unit}]" if self.unit else "") + arrow,
            "this run": quantity(self.value),
            "recorded": spread,
            "paper": paper,
            "note": self.note,
        }

    def __repr__(self) -> str:
        """One line of text."""
        cells = self.cells()
        told = [f"{cells['result']}: {cells['this run']}"]
        told += [f"{k}: {cells[k]}" for k in ("recorded", "paper") if cells[k]]
        return "; ".join(told) + (f". {self.note}" if self.note else "")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        cells = self.cells()
        told = [f"{escape(cells['result'])}: <b>{escape(cells['this run'])}</b>"]
        told += [f"{k} {escape(cells[k])}" for k in ("recorded", "paper") if cells[k]]
        line = "; ".join(told) + (f". {escape(self.note)}" if self.note else "")
        return {"text/plain": repr(self), "text/html": f"<div>{line}</div>", CLAIM: asdict(self)}


@dataclass
class Run:
    """The claims of one run of a notebook, in the order they were made."""

    topic: str = ""
    seed: int = 0
    scale: str = "laptop"
    claims: dict[str, Claim] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims.values())

    def __repr__(self) -> str:
        """One line a claim."""
        return "\n".join(map(repr, self)) or "No result was claimed yet."

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": _html(list(self))}


_run = Run()


def begin(unit_name: str, *, seed: int = 0, scale: str = "laptop") -> None:
    """Say once, in the notebook's setup, which run this is; forget the claims of an earlier one.

    Args:
        unit_name: the unit (`05_gumbel_softmax`).
        seed: the run's seed.
        scale: `laptop` or `full`.

    Raises:
        ValueError: another scale.
    """
    global _run
    if scale not in ("laptop", "full"):
        raise ValueError(f"scale is {scale!r}; set it to 'laptop' or 'full'.")
    _run = Run(unit_name, int(seed), scale)


def claim(
    name: str,
    value: float,
    *,
    unit: str = "",
    paper: float | None = None,
    source: str | None = None,
    note: str = "",
    better: Literal["higher", "lower"] | None = None,
) -> None:
    """Show one number beside those of other seeds and of the paper, and hand it to `genssl run`.

    Args:
        name: what was measured; unique within the unit.
        value: a finite number; a tensor of one element will do.
        unit: its unit; empty for a pure number.
        paper: the paper's number, where the task is the same.
        source: where the paper says so ("Jang 2017, table 1"); needed with `paper`.
        note: one sentence beside it.
        better: "higher" or "lower", where one is better.

    Raises:
        ValueError: the value is not a finite number, the paper's number has no source, or
            `better` is another word.

    Example:
        >>> claim("accuracy", 0.5, better="higher")
        accuracy ↑: 0.5
    """
    number = float(value)
    if not abs(number) < float("inf"):
        raise ValueError(f"'{name}' is {number}; a claim needs a finite number.")
    if paper is not None and not source:
        raise ValueError(f"'{name}' gives a paper's number; say where it stands with source=...")
    if better not in (None, "higher", "lower"):
        raise ValueError(f"better is {better!r}; it can be 'higher' or 'lower'.")
    made = Claim(
        name, number, unit, None if paper is None else float(paper), source, note, better,
        _run.topic, _run.seed, _run.scale,
    )  # fmt: skip
    _run.claims[name] = made
    _show(made)


def table() -> Run:
    """All claims of this run beside the recorded ones; leave it as the last line of a cell."""
    return _run


def recorded(topic: str, scale: str = "laptop") -> dict[str, Any]:
    """What `genssl run UNIT --seeds N` wrote for a unit at one scale; empty where it has not.

    The file is `book/results/UNIT.json`, looked for upwards from the current folder, or in the
    folder that the environment variable GENSSL_RESULTS names.

    Args:
        topic: the unit (`05_gumbel_softmax`).
        scale: `laptop` or `full`.

    Returns:
        The entry: `seeds`, `versions` and, by name, `claims` with `mean`, `sd` and `values`.
    """
    return _read(topic).get("scales", {}).get(scale, {}) if topic else {}


def measured(name: str) -> dict[str, Any]:
    """What a script of `bench/` wrote: `title`, `rows`, `note`, `versions`; empty where none did.

    Args:
        name: of the file in `book/results/bench/`, which is looked for as `recorded` does.
    """
    return _read(f"bench/{name}")


def _read(name: str) -> dict[str, Any]:
    here = Path.cwd().resolve()
    named = os.environ.get("GENSSL_RESULTS")
    folders = [Path(named)] if named else [p / "book" / "results" for p in (here, *here.parents)]
    for folder in folders:
        path = folder / f"{name}.json"
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
    return {}


def quantity(value: float) -> str:
    """A number with three significant digits, plain where it can be.

    Example:
        >>> quantity(0.98765), quantity(12345.6), quantity(0.0000123)
        ('0.988', '12346', '1.23e-05')
    """
    plain = 1000 <= abs(value) < 1e6
    return _true_minus(f"{value:.0f}" if plain else f"{value:.3g}")


def spread_text(mean: float, sd: float) -> str:
    """A mean and its standard deviation, both to the second digit of the latter.

    Example:
        >>> spread_text(0.94012, 0.00686), spread_text(19.351, 0.3166), spread_text(1.0, 0.0)
        ('0.9401 ± 0.0069', '19.35 ± 0.32', '1 ± 0')
    """
    if not sd > 0:
        return _true_minus(f"{mean:.4g} ± 0")
    places = min(8, max(0, 1 - floor(log10(sd))))
    return _true_minus(f"{mean:.{places}f} ± {sd:.{places}f}")


def _true_minus(text: str) -> str:
    """A number with the sign that formulas have, and not a hyphen, before it."""
    return f"−{text[1:]}" if text.startswith("-") else text


def _show(made: Claim) -> None:
    """On the page in a notebook, as text elsewhere."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        get_ipython = None
    if get_ipython is None or get_ipython() is None:
        print(made)
    else:
        display(made)


_CELL = "text-align:left;padding:0.25em 0.9em 0.25em 0;vertical-align:top;"


def _html(claims: list[Claim]) -> str:
    """A table in the page's own colours, without the columns that are empty."""
    rows = [one.cells() for one in claims]
    columns = [name for name in Claim("", 0.0).cells() if any(row[name] for row in rows)]
    head = "".join(f'<th style="{_CELL}" scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(_row(row, columns) for row in rows)
    return (
        '<table class="genssl-claims" style="border-collapse:collapse;color:inherit">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(row: Mapping[str, str], columns: list[str]) -> str:
    bold = "font-weight:600;"
    cells = (
        f'<td style="{_CELL}{bold if name == "this run" else ""}">{escape(row[name])}</td>'
        for name in columns
    )
    return f"<tr>{''.join(cells)}</tr>"
