"""A copy of the gradebook before the first grading of each day."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import date
from pathlib import Path

from genssl_utils.course.grade.journal import FOLDER

KEPT = 7
"""Days of which a copy is kept."""


def keep_copy(root: Path, db_url: str) -> Path | None:
    """Copy an SQLite gradebook into `grading/`, once a day; PostgreSQL has backups of its own.

    Args:
        root: the course.
        db_url: of the gradebook.

    Returns:
        The copy; None where there is nothing to copy, or nothing that could be read.
    """
    path = Path(db_url.removeprefix("sqlite:///"))
    if not db_url.startswith("sqlite:///") or not path.is_file():
        return None
    copy = root / FOLDER / f"{path.stem}-{date.today().isoformat()}.db"
    if copy.is_file():
        return copy
    copy.parent.mkdir(exist_ok=True)
    draft = copy.with_suffix(".new")
    try:
        draft.unlink(missing_ok=True)
        # Unlike SQLite's own backup call, this one gives up on a gradebook that is locked.
        source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
        with contextlib.closing(source) as book:
            book.execute("VACUUM INTO ?", (str(draft),))
        draft.replace(copy)
    except (sqlite3.Error, OSError):  # damaged, locked or no space: the recorder says what to do
        draft.unlink(missing_ok=True)
        return None
    for old in sorted(copy.parent.glob(f"{path.stem}-????-??-??.db"))[:-KEPT]:
        old.unlink()
    return copy
