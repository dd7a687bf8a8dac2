"""What was handed in, read as data: regular files of a sane size, and no links."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from genssl_utils.course.grade.answers import GradedId, Refused, read_answers
from genssl_utils.course.source import Unit

MOST_BYTES = 50 << 20
"""A notebook with its pictures; a larger file is not read."""
NO_STUDENT = "the folder's name is no student id (letters, digits and . _ - @ +)"
_NAME = re.compile(r"[\w.@+-]{1,120}")


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


def is_student(name: str) -> bool:
    """Whether a folder under `submitted/` can be a student's; others get no row in the gradebook.

    Example:
        >>> is_student("ada.l-2"), is_student("a b"), is_student("..")
        (True, False, False)
    """
    return bool(_NAME.fullmatch(name)) and not name.startswith(".")


def printable(text: str) -> str:
    """A text of a student's as it may go to a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


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
        cells, told = read_answers(data, unit)
    except Refused as error:
        return Submission(student, None, now, None, (), (), str(error))
    except OSError as error:
        why = f"its files cannot be read ({error.strerror})"
        return Submission(student, None, now, None, (), (), why)
    received, odd = _receipt(folder)
    remarks = (*remarks, *told, *odd)
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
        return others[0], (f"the notebook was called {printable(others[0].name)[:80]}",)
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


def exchange_secret(folder: Path, received: datetime | None) -> str:
    """The secret by which nbgrader's exchange finds whose feedback a page is.

    Args:
        folder: the submission.
        received: when the work was received that the feedback is on.

    Returns:
        The secret; empty where the work came another way, or is no longer the same.
    """
    try:
        told = _bytes(folder / "submission_secret.txt", 200).decode("utf-8").strip()
    except (Refused, OSError, UnicodeError):
        return ""
    same = received is not None and _receipt(folder)[0] == received
    return told if same and re.fullmatch(r"[\w-]{16,}", told) else ""
