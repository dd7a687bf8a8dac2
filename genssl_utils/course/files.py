"""Files written whole or not at all, and digests of what a result depends on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import site
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

SKIPPED = {"__pycache__", ".ipynb_checkpoints"}
"""Folders that no result depends on."""


def write_atomic(path: Path, data: str | bytes, *, durable: bool = False) -> bool:
    """Put the bytes in place in one step; an unchanged file keeps its time stamp.

    Args:
        path: where to; missing folders are made.
        data: text (UTF-8) or bytes.
        durable: wait until it is on the disk.

    Returns:
        True when the file changed.
    """
    data = data.encode() if isinstance(data, str) else data
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return True


def files_under(*paths: Path) -> list[Path]:
    """Every file in the folders (or the files themselves), sorted, without caches."""
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found.update(
                file
                for file in path.rglob("*")
                if file.is_file() and not SKIPPED & set(file.relative_to(path).parts)
            )
        elif path.is_file():
            found.add(path)
    return sorted(found)


@cache
def installed() -> tuple[str, ...]:
    """Python and every package with its version: what made a notebook's outputs, or a page.

    Looked for where pip installs, not along `sys.path`: setuptools, once imported, puts packages
    of its own there.
    """
    places = [*site.getsitepackages(), site.getusersitepackages()]
    packages = {f"{one.name} {one.version}" for one in metadata.distributions(path=places)}
    return (sys.version.split()[0], *sorted(packages))


def digest(root: Path, paths: Iterable[Path], *extra: object) -> str:
    """SHA-256 over names and contents of files, and over whatever else matters.

    Args:
        root: names are taken relative to it, so that a moved checkout gives the same digest.
        paths: files and folders; one that is missing counts as missing.
        extra: parameters, by their `repr`.

    Returns:
        64 hexadecimal characters.
    """
    total = hashlib.sha256(repr(extra).encode())
    for file in files_under(*paths):
        total.update(f"\n{file.relative_to(root).as_posix()}\n".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
