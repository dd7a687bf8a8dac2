"""A control group a submission, version 2 or 1, where this machine lets us make one."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from genssl_utils.course.grade.limits import MIB, Limits

ROOT = Path("/sys/fs/cgroup")
STALE_SECONDS = 600
"""The age from which a group of nobody's was left behind; a younger one may be another container's,
whose processes are not seen here, and about to be used."""


@dataclass
class Group:
    """The groups that one submission is put into; empty where none can be made."""

    folders: list[Path] = field(default_factory=list)

    @classmethod
    def make(cls, limits: Limits, root: Path = ROOT) -> Group:
        """Groups for memory, processes and a fair share of the cores, as far as allowed."""
        made, name = cls(), f"genssl-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        memory, processes = str(limits.memory_mib * MIB), str(limits.processes)
        for parent, settings in _parents(root, memory, processes):
            folder = parent / name
            try:
                folder.mkdir()
            except OSError:
                continue
            made.folders.append(folder)
            try:
                for setting, value in settings.items():
                    (folder / setting).write_text(value)
                os.close(os.open(folder / "cgroup.procs", os.O_WRONLY))
            except OSError:
                made.folders.remove(folder)
                with contextlib.suppress(OSError):
                    folder.rmdir()
        return made

    def doors(self) -> list[int]:
        """Open file descriptors; who writes `0` to one of them is inside. Close them after use."""
        return [os.open(folder / "cgroup.procs", os.O_WRONLY) for folder in self.folders]

    def remove(self) -> None:
        """Take the groups away, as soon as nobody is in them any more."""
        for folder in self.folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
        self.folders = []


def sweep(root: Path = ROOT) -> None:
    """Take away the groups of judges that were killed; one that somebody is in stays."""
    for parent, _ in _parents(root, "", ""):
        for folder in parent.glob("genssl-*-*"):
            maker = Path("/proc", folder.name.split("-")[1])
            with contextlib.suppress(OSError):
                age = time.time() - folder.stat().st_mtime
                if age > STALE_SECONDS and not maker.exists():
                    folder.rmdir()


def _parents(root: Path, memory: str, processes: str) -> list[tuple[Path, dict[str, str]]]:
    """Where a group may be made, and with what settings."""
    if (root / "cgroup.controllers").is_file():
        own = _own(root, "")
        have = (own / "cgroup.subtree_control").read_text().split() if own.is_dir() else []
        settings = {"memory": {"memory.max": memory, "memory.swap.max": "0"},
                    "pids": {"pids.max": processes}, "cpu": {"cpu.weight": "100"}}  # fmt: skip
        wanted = {n: v for kind in have if kind in settings for n, v in settings[kind].items()}
        return [(own, wanted)] if wanted else []
    return [
        (root / kind, settings)
        for kind, settings in (
            ("memory", {"memory.limit_in_bytes": memory}),
            ("pids", {"pids.max": processes}),
            ("cpu", {"cpu.shares": "1024"}),
        )
        if (root / kind / "cgroup.procs").is_file()
    ]


def _own(root: Path, controller: str) -> Path:
    """This process's group, or the next one upwards that hands controllers down."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if names == controller:
            folder = root / path.lstrip("/")
            for candidate in (folder, *folder.parents):
                if not candidate.is_relative_to(root):
                    break
                with contextlib.suppress(OSError):
                    if (candidate / "cgroup.subtree_control").read_text().strip():
                        return candidate
    return root
