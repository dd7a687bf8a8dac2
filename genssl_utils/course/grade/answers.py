"""A notebook that was handed in, reduced to what is graded: the answers, and what they call."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import symtable
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from genssl_utils.course.source import STUB, Unit

MOST_SOURCE = 1 << 20
"""Characters of all code together."""
MOST_CELLS = 5000

GradedId = str | None


class Refused(Exception):
    """A submission that cannot be read; the line is for the instructor and for the student."""


@dataclass
class _Reading:
    answers: dict[str, list[str]] = field(default_factory=dict)
    elsewhere: dict[str, list[str]] = field(default_factory=dict)
    """Answers that stand in cells of the student's own; they count where the answer's cell does
    not have one."""
    own: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read_answers(data: bytes, unit: Unit) -> tuple[list[tuple[GradedId, str]], list[str]]:
    """What of a notebook runs, and what a person should know.

    Args:
        data: the notebook, of any format.
        unit: whose source says which cells are answers.

    Returns:
        The cells in the order of the release: answers under their grade id, definitions of the
        student's own under None. And the remarks.

    Raises:
        Refused: it is no notebook, or holds more than any notebook does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser's, on a student's code
        reading = _read_cells(_cells(data), unit)
    return _plan(reading, unit), reading.remarks


def _cells(data: bytes) -> list[dict[str, Any]]:
    """The cells of a notebook of any format, as plain dicts."""
    try:
        nb = json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise Refused("the notebook is nested deeper than any notebook") from error
    except (ValueError, MemoryError) as error:
        raise Refused("the notebook is not readable as JSON") from error
    cells = nb.get("cells") if isinstance(nb, dict) else None
    if cells is None and isinstance(nb, dict) and isinstance(nb.get("worksheets"), list):
        sheets = [s for s in nb["worksheets"] if isinstance(s, dict)]
        cells = [c for s in sheets if isinstance(s.get("cells"), list) for c in s["cells"]]
    if not isinstance(cells, list):
        raise Refused("the file is JSON, and not a notebook: it has no cells")
    if len(cells) > MOST_CELLS:
        raise Refused(f"the notebook has more than {MOST_CELLS} cells")
    return [cell for cell in cells if isinstance(cell, dict)]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = source if isinstance(source, str) else ""
    # A half of a surrogate pair is no text, and could not be written down again.
    return source.encode("utf-8", "replace").decode("utf-8")


def _grade_id(cell: dict[str, Any]) -> str:
    metadata = cell.get("metadata")
    graded = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = graded.get("grade_id") if isinstance(graded, dict) else None
    return name if isinstance(name, str) else ""


def _read_cells(cells: Iterable[dict[str, Any]], unit: Unit) -> _Reading:
    """Sort the cells: answers by their id, code of the student's own by where it stands."""
    code = [(_grade_id(cell), _source(cell)) for cell in cells if cell.get("cell_type") == "code"]
    if sum(len(source) for _, source in code) > MOST_SOURCE:
        raise Refused(f"its code is longer than {MOST_SOURCE >> 20} MiB")
    names = list(unit.exercises)
    checks = {c.metadata.nbgrader.grade_id for e in unit.exercises.values() for c in e.checks}
    released = {cell.source.strip() for cell in unit.nb.cells}
    needed = _needed(source for _, source in code if source.strip() not in released)
    found, last = _Reading(), ""
    waiting: list[str] = []
    for name, source in code:
        if name in names:
            found.answers.setdefault(name, []).append(source)
            found.own.setdefault((name, "before"), []).extend(waiting)
            waiting, last = [], name
        elif name in checks:
            last = ""
        elif source.strip() not in released and (own := _definitions(source, needed)):
            if last and _redefines(own, last):  # it is what the check below it would have seen
                found.answers[last].append(own)
                found.remarks.append(f"{last} is also defined in a cell of the student's own")
                continue
            for other in names:
                if _redefines(own, other):
                    found.elsewhere.setdefault(other, []).append(own)
            if last:
                found.own.setdefault((last, "after"), []).append(own)
            else:
                waiting.append(own)
    if waiting and names:
        found.own.setdefault((names[-1], "before"), []).extend(waiting)
    return found


def _redefines(source: str, name: str) -> bool:
    return re.search(rf"^(async )?def {name}\(", source, re.M) is not None


def _parsed(source: str) -> list[ast.stmt]:
    """The statements of a cell; of one with lines for IPython those of the other lines."""
    if "\x00" in source:
        return []
    plain = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!", "?"))]
    for text in (source, "\n".join(plain)):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.parse(text).body
    return []


def _definitions(source: str, needed: Iterable[str]) -> str:
    """What a cell of the student's own defines: imports, functions, classes, plain constants, and
    whatever gives a value to a name that is needed.

    Nothing else of it is run: an experiment of the student's may take minutes.
    """
    kept = [n for n in _parsed(source) if _defines(n) or not _assigned(n).isdisjoint(needed)]
    try:
        return ast.unparse(ast.Module(kept, [])) if kept else ""
    except (ValueError, RecursionError, MemoryError):
        return ""


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        if isinstance(node.value, ast.Lambda):
            return True
        try:
            ast.literal_eval(node.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return False
        return True
    if isinstance(node, ast.Try):  # an import with something to fall back on
        inner = [*node.body, *node.orelse, *(n for h in node.handlers for n in h.body)]
        return not node.finalbody and all(isinstance(n, ast.Pass) or _defines(n) for n in inner)
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return isinstance(node, kinds)


def _needed(sources: Iterable[str]) -> set[str]:
    """Names outside of them that the functions of these cells use, and what those names need."""
    needed: set[str] = set()
    given: dict[str, list[ast.stmt]] = {}
    for source in sources:
        for node in _parsed(source):
            if _defines(node):
                needed |= _outer_names(node)
            for name in _assigned(node):
                given.setdefault(name, []).append(node)
    waiting, seen = list(needed), set()
    while waiting:
        for node in given.pop(waiting.pop(), ()):
            if id(node) not in seen:
                seen.add(id(node))
                more = _outer_names(node) - needed
                needed |= more
                waiting += more
    return needed


def _outer_names(node: ast.stmt) -> set[str]:
    """Names that a statement takes from outside of it: its functions' locals are not among them."""
    try:
        tables = [symtable.symtable(ast.unparse(ast.Module([node], [])), "<cell>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        outer = table.get_type() == "module"
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (outer or symbol.is_global())
        }
    return found


def _assigned(node: ast.stmt) -> set[str]:
    """Names that a statement gives a value to, or whose elements or attributes."""
    if _defines(node):
        return set()
    found = set()
    try:
        for part in ast.walk(node):
            if isinstance(getattr(part, "ctx", None), ast.Store):
                while isinstance(part, (ast.Subscript, ast.Attribute, ast.Starred)):
                    part = part.value
                if isinstance(part, ast.Name):
                    found.add(part.id)
    except (RecursionError, MemoryError):
        return set()
    return found


def _plan(reading: _Reading, unit: Unit) -> list[tuple[GradedId, str]]:
    """What runs, in the order of the release."""
    plan: list[tuple[GradedId, str]] = []
    for name in unit.exercises:
        plan += [(None, own) for own in reading.own.get((name, "before"), ())]
        given = reading.answers.get(name, [])
        elsewhere = reading.elsewhere.get(name, [])
        written = [source for source in given if STUB not in source and source.strip()]
        if not given:
            reading.remarks.append(f"the cell of {name} is missing")
        elif len(given) > 1:
            reading.remarks.append(f"there are {len(given)} cells for {name}; the last one counts")
        if not written and elsewhere:
            reading.remarks.append(f"{name} is defined in a cell of the student's own")
        # Definitions that follow an answer may be what it calls; they run with it.
        plan += [(None, own) for own in reading.own.get((name, "after"), ())]
        *earlier, last = written or elsewhere[-1:] or given or [""]
        # A cell that was split leaves a part of the answer in each.
        plan += [(None, part) for part in earlier]
        plan.append((name, last))
    return plan
