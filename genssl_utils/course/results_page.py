"""The tables of the page of results: what units recorded, and what `make bench` measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genssl_utils.course import record
from genssl_utils.course.source import Unit
from genssl_utils.kit.results import ARROWS, quantity, spread_text

BESIDE = """## Beside other libraries

Ours and a peer's, or our own methods beside each other, measured in one run on one machine with
one CPU thread (`make bench`).
"""
GRADING = """## Grading

What it costs to grade a class, on two cores (`make bench`). [](grading.md) says what it means.
"""

ELSEWHERE = (
    "The papers measured on other data or on another task, so none of their numbers stands here; "
    "the chapter says which."
)
NOT_RUN = "The `full` scale **was not run**."
"""What stands in place of numbers that are not there."""


def recorded_tables(units: Sequence[Unit]) -> str:
    """A table for each unit that has recorded numbers, then what `make bench` measured."""
    root = units[0].root
    parts = [_tables(unit) for unit in units if record.read(unit)]
    measured = sorted((root / "book" / "results" / "bench").glob("*.json"))
    grading = [path for path in measured if path.name.startswith("grading")]
    beside = [path for path in measured if path not in grading]
    for heading, paths in ((BESIDE, beside), (GRADING, grading)):
        parts += [heading, *map(_side_by_side, paths)] if paths else []
    return "\n".join(parts) or "No numbers are recorded yet."


def _tables(unit: Unit) -> str:
    known = record.read(unit)
    lines = [f"## {unit.title}", "", f"The chapter: {{doc}}`units/{unit.name}`.", ""]
    for scale, entry in known.items():
        rows = [_row(name, claim) for name, claim in entry["claims"].items()]
        columns = [c for c in ("result", "mean ± sd", "paper") if any(row[c] for row in rows)]
        lines += [
            f"```{{table}} Scale {scale}: mean and standard deviation over "
            f"{len(entry['seeds'])} seeds",
            table_line(columns),
            table_line(["---"] * len(columns)),
            *(table_line([row[column] for column in columns]) for row in rows),
            "```",
            "",
            _made(entry["versions"]) + ("" if "paper" in columns else f" {ELSEWHERE}"),
            "",
        ]
    if "full" not in known:
        lines += [NOT_RUN, ""]
    return "\n".join(lines)


def _made(versions: Mapping[str, str]) -> str:
    return "Made with " + ", ".join(f"{name} {told}" for name, told in versions.items()) + "."


def _side_by_side(path: Path) -> str:
    """One comparison with peers, as `make bench` wrote it."""
    entry = json.loads(path.read_text(encoding="utf-8"))
    columns = list(entry["rows"][0])
    told = [[_number(row[column]) for column in columns] for row in entry["rows"]]
    lines = [table_line(columns), table_line(["---"] * len(columns)), *map(table_line, told)]
    made = _made(entry["versions"])
    return "\n".join([f"### {entry['title']}", "", *lines, "", entry["note"], "", made, ""])


def _number(value: object) -> str:
    """A cell: three digits of a float, thousands of a whole number apart."""
    if isinstance(value, float):
        return quantity(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _row(name: str, claim: dict[str, Any]) -> dict[str, str]:
    unit = f" [{claim['unit']}]" if claim.get("unit") else ""
    known = claim.get("paper") is not None
    return {
        "result": name + unit + ARROWS.get(claim.get("better", ""), ""),
        "mean ± sd": spread_text(claim["mean"], claim["sd"]),
        "paper": f"{quantity(claim['paper'])} ({claim['source']})" if known else "",
    }


def table_line(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
