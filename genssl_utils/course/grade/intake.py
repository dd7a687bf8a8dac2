"""What was handed in, read as data: regular files of a sane size, and only the answers in them."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import re
import stat
import symtable
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from genssl_utils.course.source import STUB, Unit

MOST_BYTES = 50 << 20
"""A notebook with its pictures; a larger file is not read."""
MOST_SOURCE = 1 << 20
"""Characters of all code together."""
MOST_CELLS = 5000
NO_STUDENT = "the folder's name is no student id (letters, digits and . _ - @ +)"
_NAME = re.compile(r"[\w.@+-]{1,120}")

GradedId = str | None


class Refused(Exception):
    """A submission that cannot be read; the line is for the instructor and for the student."""


@dataclass(frozen=True)
class Submission:
    """One student's work on one unit, as it was when it was read."""

    student: str
    path: Path | None
    sha256: str
    received: datetime | None
    cells: tuple[tuple[GradedId, str], ...]
    """What will run, in order: answers under their grade id, definitions of the student's own
    under None."""
    remarks: tuple[str, ...] = ()
    """What a person should know."""
    refused: str = ""
    """Why nothing can be run; empty where it can."""

    @property
    def content(self) -> str:
        """A digest of what will run; the same for identical work of two students."""
        return hashlib.sha256(json.dumps(self.cells).encode()).hexdigest()


@dataclass
class _Reading:
    answers: dict[str, list[str]] = field(default_factory=dict)
    elsewhere: dict[str, list[str]] = field(default_factory=dict)
    """Answers that stand in cells of the student's own; they count where the answer's cell does
    not have one."""
    own: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def is_student(name: str) -> bool:
    """Whether a folder under `submitted/` can be a student's; others get no row in the gradebook.

    Example:
        >>> is_student("ada.l-2"), is_student("a b"), is_student("..")
        (True, False, False)
    """
    return bool(_NAME.fullmatch(name)) and not name.startswith(".")


def students(unit: Unit) -> list[str]:
    """Who has a folder for a unit under `submitted/`, whatever is in it."""
    base = unit.root / "submitted"
    if not base.is_dir():
        return []
    found = []
    for entry in os.scandir(base):
        if entry.name.startswith("."):
            continue
        with contextlib.suppress(OSError):
            if os.path.lexists(Path(entry.path) / unit.name):
                found.append(entry.name)
    return sorted(found)


def read(unit: Unit, student: str) -> Submission:
    """Read what a student handed in; what cannot be read comes back with the reason.

    Args:
        unit: the unit, whose source says which cells are answers.
        student: name of the folder under `submitted/`.
    """
    folder = unit.root / "submitted" / student / unit.name
    now = fingerprint(unit, student)
    try:
        _refuse_odd_folders(unit.root, student, folder)
        path, remarks = _notebook(folder, unit.name)
        data = _bytes(path)
        now = hashlib.sha256(data).hexdigest()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser's, on a student's code
            reading = _read_cells(_cells(data), unit)
        cells = _plan(reading, unit)
    except Refused as error:
        return Submission(student, None, now, None, (), (), str(error))
    except OSError as error:
        why = f"its files cannot be read ({error.strerror})"
        return Submission(student, None, now, None, (), (), why)
    received, odd = _receipt(folder)
    remarks = (*remarks, *reading.remarks, *odd)
    return Submission(student, path, now, received, tuple(cells), remarks)


def fingerprint(unit: Unit, student: str) -> str:
    """What tells what lies there now from another: the notebook's SHA-256 where it can be read."""
    folder = unit.root / "submitted" / student / unit.name
    try:
        path, _ = _notebook(folder, unit.name)
        return hashlib.sha256(_bytes(path)).hexdigest()
    except (Refused, OSError):
        return _digest_of(folder, unit.name)


# --- files --------------------------------------------------------------------------------------


def _refuse_odd_folders(root: Path, student: str, folder: Path) -> None:
    if not is_student(student):
        raise Refused(NO_STUDENT)
    for path in (root / "submitted" / student, folder):
        if path.is_symlink():
            raise Refused(f"{path.name} is a link, and links are not followed")
    if not folder.is_dir():
        raise Refused(f"{folder.name} is not a folder")


def _notebook(folder: Path, name: str) -> tuple[Path, tuple[str, ...]]:
    """The one notebook; under another name, too, where there is no doubt which it is."""
    path = folder / f"{name}.ipynb"
    if os.path.lexists(path):
        return path, ()
    others = sorted(p for p in folder.iterdir() if p.name.endswith(".ipynb"))
    if len(others) == 1 and others[0].is_file() and not others[0].is_symlink():
        shown = "".join(c if c.isprintable() else "?" for c in others[0].name)[:80]
        return others[0], (f"the notebook was called {shown}",)
    there = f"{len(others)} other notebooks" if others else "no notebook"
    raise Refused(f"there is no {path.name} in what was handed in ({there})")


def _bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file; links, pipes and devices are refused, not opened."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise Refused(f"{path.name} is a link, and links are not followed") from error
        raise
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise Refused(f"{path.name} is not a regular file")
        if about.st_nlink > 1:
            raise Refused(f"{path.name} is a hard link to another file")
        if about.st_size > most:
            raise Refused(f"{path.name} is larger than {most >> 20} MiB")
        return file.read(most + 1)


def _digest_of(folder: Path, name: str) -> str:
    """What tells one unreadable state of a folder from another."""
    seen = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            about = path.lstat()
            seen.append([path.name, about.st_size, about.st_mtime_ns, about.st_mode])
    return hashlib.sha256(json.dumps([name, seen]).encode()).hexdigest()


def _receipt(folder: Path) -> tuple[datetime | None, tuple[str, ...]]:
    """When it was received, as nbgrader's `timestamp.txt` says."""
    from nbgrader.utils import parse_utc

    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return None, ()
    try:
        text = _bytes(path, 200).decode("utf-8").strip()
        return parse_utc(text), ()
    except (Refused, OSError, UnicodeError, ValueError, OverflowError):
        return None, ("timestamp.txt is not a time, so no lateness is known",)


# --- cells --------------------------------------------------------------------------------------


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


def rebuilt(unit: Unit, submission: Submission) -> NotebookNode:
    """The unit's own notebook with the student's answers in it: everything else is ours."""
    import copy

    from nbformat.v4 import new_code_cell, new_markdown_cell

    nb = copy.deepcopy(unit.nb)
    if submission.refused:
        note = f"**Nothing could be run:** {submission.refused}. A person has to look at it."
        nb.cells.insert(0, new_markdown_cell(_plain(note), id="not-read"))
    before: list[NotebookNode] = []
    placed: dict[str, list[NotebookNode]] = {}
    sources = dict.fromkeys(unit.exercises, "")
    for number, (name, source) in enumerate(submission.cells):
        if name is None:
            text = f"# From a cell of your own:\n{source}"
            before.append(new_code_cell(text, id=f"own-{number}"))
        else:
            sources[name], placed[name], before = source, before, []
    cells: list[NotebookNode] = []
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in sources:
            cells += placed.get(name, [])
            cell.source = sources[name]
        cells.append(cell)
    nb.cells = cells
    return nb


def _plain(text: str) -> str:
    return re.sub(r"[<>&]", "", text)
