"""The journal: each verdict is on the disk before anybody hears of it.

One line a verdict and one line a score that went into the gradebook, each with its own digest. A
run that was killed goes on from here; a line that was cut short is as if it had not been written.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genssl_utils.course.source import CourseError

FOLDER = "grading"
"""Under the top of the course: journals, the secret behind hidden inputs, the lock."""


@dataclass
class Journal:
    """What is known of one unit: verdicts by key, and what the gradebook was last told."""

    path: Path
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    recorded: dict[str, dict[str, Any]] = field(default_factory=dict)
    damaged: int = 0
    """Lines that could not be read; what stood in them is judged again."""

    @classmethod
    def open(cls, root: Path, unit: str, *, only_read: bool = False) -> Journal:
        """Read a unit's journal, or begin one.

        Args:
            root: the course.
            unit: its name.
            only_read: leave the file as it is; a grader may be writing to it.
        """
        journal = cls(root / FOLDER / f"{unit}.jsonl")
        if not only_read:
            journal.path.parent.mkdir(exist_ok=True)
        if journal.path.is_file():
            journal._read(only_read)
        return journal

    def _read(self, only_read: bool) -> None:
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):  # cut short by a crash, or being written
            data = data[: data.rfind(b"\n") + 1]
            if not only_read:
                with open(self.path, "r+b") as file:
                    file.truncate(len(data))
        for line in data.splitlines():
            digest, _, text = line.partition(b" ")
            if _digest(text) != digest:
                self.damaged += 1
                continue
            entry = json.loads(text)
            if entry["kind"] == "verdict":
                self.verdicts[entry["key"]] = entry["verdict"]
            elif entry["kind"] == "recorded":
                self.recorded[entry["student"]] = entry

    def keep(self, verdicts: Mapping[str, dict[str, Any]]) -> None:
        """Keep the verdicts on one submission, by their keys.

        Raises:
            CourseError: the disk does not take them.
        """
        self._append([{"kind": "verdict", "key": k, "verdict": v} for k, v in verdicts.items()])
        self.verdicts |= verdicts

    def record(self, student: str, what: dict[str, Any]) -> None:
        """Keep that a score is in the gradebook.

        Args:
            student: whose.
            what: `sha256` of the notebook, `keys` of the verdicts behind it, and more.
        """
        entry = {"kind": "recorded", "student": student} | what
        self._append([entry])
        self.recorded[student] = entry

    def _append(self, entries: Sequence[dict[str, Any]]) -> None:
        texts = [json.dumps(e, ensure_ascii=True, separators=(",", ":")).encode() for e in entries]
        try:
            with open(self.path, "ab") as file:
                before = file.tell()
                try:
                    file.write(b"".join(_digest(text) + b" " + text + b"\n" for text in texts))
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(before)
                    raise
        except OSError as error:
            raise CourseError(
                f"The journal cannot be written ({error.strerror}): free some space on the disk of "
                f"{self.path.parent.name}/ and run the same command. What was graded is kept."
            ) from error


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()


def secret(root: Path) -> bytes:
    """32 random bytes of this course, made at its first grading, from which hidden inputs follow.

    Nobody who hands in can know them. Keep the file: with another one, other inputs are drawn.
    """
    path = root / FOLDER / "secret"
    path.parent.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(32).hex())
            file.flush()
            os.fsync(file.fileno())
    text = path.read_text(encoding="ascii").strip()
    if len(text) != 64:  # a crash left it empty
        path.unlink()
        return secret(root)
    return bytes.fromhex(text)


@contextlib.contextmanager
def only_grader(root: Path) -> Iterator[None]:
    """Hold the course for one grader; it is let go of when the process ends, however it ends.

    Raises:
        CourseError: another one is at work.
    """
    path = root / FOLDER / "lock"
    path.parent.mkdir(exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            who = file.read(40).strip() or "unknown"
            raise CourseError(
                f"Another `genssl grade` is at work on this course (process {who}). Wait for it, "
                "or stop it and run this again."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
