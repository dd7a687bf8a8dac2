"""How much a submission may use: `grading.toml` at the top of the course, one place for all."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from genssl_utils.course.source import CourseError

SETTINGS = "grading.toml"
MIB = 1024 * 1024

WORK = "/box"
"""The one folder that a submission may write to; it starts empty and ends with it."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use; all of it ends when the limit of one kind is reached."""

    seconds: float = 120.0
    """Wall-clock time of the whole submission."""
    call_seconds: float = 30.0
    """Wall-clock time of one cell, and of one call of a graded function."""
    memory_mib: int = 3072
    """Memory beyond what Python and torch themselves map."""
    processes: int = 64
    """Processes and threads together."""
    file_mib: int = 64
    """All files that it writes, in memory."""
    output_kib: int = 1024
    """What its cells print; the rest is thrown away."""
    torch_threads: int = 2
    """Threads that torch may compute with."""

    def to_json(self) -> dict[str, Any]:
        """As plain numbers."""
        return asdict(self)


def limits_of(root: Path, unit: str) -> Limits:
    """The limits of a unit: the defaults, `[default]`, then `[unit.NAME]`.

    Args:
        root: the course.
        unit: the unit's name.

    Raises:
        CourseError: the file is not TOML, or names a limit that there is not, or one that is no
            positive number.
    """
    path = root / SETTINGS
    if not path.is_file():
        return Limits()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise CourseError(f"{SETTINGS} is not readable: {error}") from error
    tables = (told.get("default", {}), told.get("unit", {}).get(unit, {}))
    limits = Limits()
    for table in tables:
        limits = replace(limits, **_checked(table))
    return limits


def _checked(table: dict[str, Any]) -> dict[str, Any]:
    known = {field.name: field.type for field in fields(Limits)}
    for name, value in table.items():
        if name not in known:
            raise CourseError(f"{SETTINGS}: there is no limit '{name}'; known: {', '.join(known)}.")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise CourseError(f"{SETTINGS}: {name} must be a positive number, not {value!r}.")
        if known[name] == "int" and not isinstance(value, int):
            raise CourseError(f"{SETTINGS}: {name} must be a whole number, not {value!r}.")
    return table
