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

_FOR_IPYTHON = re.compile(
    r"^([ \t]*)(?:[%!?].*|[\w*][\w, \t*]*=[ \t]*[!%].*|[\w.]+[ \t]*\?{1,2}[ \t]*)$", re.M
)
"""Lines that only IPython reads: magics, shell commands, what they give to a name, and help."""

_FILLING = {
    "add", "append", "appendleft", "extend", "extendleft", "insert", "setdefault", "update",
}  # fmt: skip
"""Methods that fill a container; torch's, which write into a tensor, end in `_`."""

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
    theirs = [s for name, s in code if name not in checks and s.strip() not in released]
    needed = _needed(theirs, [s for name, s in code if name in names], names)
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
            given = {given for node in _parsed(own) for given in _bound(node)}
            if last in given:  # it is what the check below it would have seen
                found.answers[last].append(own)
                found.remarks.append(f"{last} is also defined in a cell of the student's own")
                continue
            for other in given.intersection(names):
                found.elsewhere.setdefault(other, []).append(own)
            if last and _calls(own, last):
                found.own.setdefault((last, "late"), []).append(own)
            elif last:
                found.own.setdefault((last, "after"), []).append(own)
            else:
                waiting.append(own)
    if waiting and names:
        found.own.setdefault((names[-1], "before"), []).extend(waiting)
    return found


def _calls(source: str, name: str) -> bool:
    """Whether a cell needs an answer there and then, and not when a function of its is called."""
    return any(name in _outer_names(n) for n in _parsed(source) if not _defines(n))


def _parsed(source: str) -> list[ast.stmt]:
    """The statements of a cell; of one with lines for IPython those of the other lines."""
    if "\x00" in source:
        return []
    for text in (source, _FOR_IPYTHON.sub(r"\1pass", source)):
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


def _needed(sources: Iterable[str], answers: Iterable[str], names: Iterable[str]) -> set[str]:
    """Names that the answers use, what these names need, and what any definition needs at once.

    Args:
        sources: cells that count, answers among them.
        answers: those that run whole.
        names: of the graded functions, which may be given a value anywhere.
    """
    needed = set(names)
    giving: dict[str, list[ast.stmt]] = {}
    own: set[str] = set()  # what an import brings is filled by experiments, for no answer
    for source in answers:
        for node in _parsed(source):
            needed |= _outer_names(node)
    for source in sources:
        for node in _parsed(source):
            bound = _bound(node)
            for name in bound:
                giving.setdefault(name, []).append(node)
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                own |= bound
            if _defines(node):  # whatever is decorated may be called by another name
                needed |= _outer_names(node, later=bool(getattr(node, "decorator_list", ())))
    waiting, seen = list(needed), set()
    while waiting:
        name = waiting.pop()
        filled = giving.pop(_filled(name), ()) if name in own else ()
        for node in (*giving.pop(name, ()), *filled):
            if id(node) not in seen:
                seen.add(id(node))
                more = _outer_names(node) - needed
                needed |= more
                waiting += more
    return needed | {_filled(name) for name in needed & own}


def _outer_names(node: ast.stmt, *, later: bool = True) -> set[str]:
    """Names that a statement takes from outside of it: its functions' locals are not among them.

    Args:
        node: the statement.
        later: whether those count, too, that it takes only when a function is called.
    """
    try:
        tables = [symtable.symtable(ast.unparse(ast.Module([node], [])), "<cell>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    while tables:
        table = tables.pop()
        if table.get_type() == "function" and not later:
            continue
        tables += table.get_children()
        outer = table.get_type() == "module"
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (outer or symbol.is_global())
        }
    return found


def _assigned(node: ast.stmt) -> set[str]:
    """What a statement gives that is no definition, which is kept anyway."""
    return set() if _defines(node) else _bound(node)


def _bound(node: ast.stmt) -> set[str]:
    """Names that a statement gives a value to, or whose elements or attributes; with `[]` those
    that it fills by a method."""
    found: set[str | None] = set()
    open_ones: list[ast.AST] = [node]
    while open_ones:
        part = open_ones.pop()
        match part:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(part.name)
                continue  # what it gives inside is its own
            case ast.Lambda():
                continue
            case ast.comprehension():
                open_ones += [part.iter, *part.ifs]
                continue
            case ast.alias():
                found.add((part.asname or part.name).partition(".")[0])
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                found.add(part.name)
            case ast.MatchMapping():
                found.add(part.rest)
            case ast.Call(func=ast.Attribute(attr=how) as method) if (
                how in _FILLING or how.endswith("_")
            ):
                found.add(_filled(_root(method)))
            case (
                ast.Name(ctx=ast.Store())
                | ast.Subscript(ctx=ast.Store())
                | ast.Attribute(ctx=ast.Store())
            ):
                found.add(_root(part))
        open_ones += ast.iter_child_nodes(part)
    return {name for name in found if name}


def _filled(name: str | None) -> str | None:
    """The sign of what is put into a container, beside the name that it has."""
    return name and f"{name}[]"


def _root(part: ast.expr) -> str | None:
    """The name that stands at the beginning of `a.b[c]`."""
    while isinstance(part, (ast.Subscript, ast.Attribute, ast.Starred)):
        part = part.value
    return part.id if isinstance(part, ast.Name) else None


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
        late = reading.own.get((name, "late"), [])
        *earlier, last = (written or elsewhere[-1:] or given or [""]) + late
        # A cell that was split leaves a part of the answer in each.
        plan += [(None, part) for part in earlier]
        plan.append((name, last))
    return plan
