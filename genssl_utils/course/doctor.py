"""What this machine has, what is missing, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rich.markup import escape
from rich.table import Table

LIGHT = "chromium-headless-shell"
"""Chromium without windows, program and Debian package: a page opens for a fifth of the work."""

BROWSERS = (LIGHT, "chromium", "chromium-browser", "google-chrome")
FOR_TESTS = {
    "chromium": BROWSERS,
    "bubblewrap": ("bwrap",),
    "postgresql": ("postgres",),
    "openssl": ("openssl",),
}
"""Debian packages that the tests need: name → programs, one of which shows that it is there."""

POSTGRES = "/usr/lib/postgresql"
"""Where Debian keeps PostgreSQL's own programs, away from PATH."""

INSTALL = 'pip install -c constraints.txt -e ".[course,dev]"'


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Args:
        what: its name.
        there: whether it is there.
        seen: what was seen.
        todo: what to do when it is not there.
        needed: whether the course cannot be used without it.
    """

    what: str
    there: bool
    seen: str
    todo: str = ""
    needed: bool = False

    @property
    def serious(self) -> bool:
        """Whether the course cannot be used as things are."""
        return self.needed and not self.there


def examine(root: Path, *, install: bool = False) -> list[Finding]:
    """Look at everything the course can use.

    Args:
        root: the course.
        install: first install what the tests need, where this machine allows it.

    Returns:
        The findings, those that every student needs first.
    """
    trouble = install_for_tests() if install else ""
    return [
        look_at_python(),
        look_at_torch(),
        look_at_package("JupyterLab", "jupyterlab", needed=True),
        look_at_package("nbgrader", "nbgrader"),
        look_at_package("Jupyter Book", "jupyter-book"),
        look_at_folder(root),
        look_at_gpu(),
        look_at_browser(trouble),
        look_at_sandbox(),
    ]


def look_at_python() -> Finding:
    """Python 3.11 to 3.13."""
    right = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        "Python", right, platform.python_version(), "Install Python 3.11, 3.12 or 3.13.", True
    )


def look_at_package(what: str, name: str, needed: bool = False) -> Finding:
    """An installed package and its version."""
    try:
        return Finding(what, True, metadata.version(name), needed=needed)
    except metadata.PackageNotFoundError:
        return Finding(what, False, "not installed", f"Run: {INSTALL}", needed)


def look_at_torch() -> Finding:
    """PyTorch, and that it can be loaded."""
    try:
        import torch
    except (ImportError, OSError) as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else "not installed"
        return Finding("PyTorch", False, line, f"Run: {INSTALL}", True)
    threads = torch.get_num_threads()
    seen = f"{torch.__version__}, {threads} CPU thread{'' if threads == 1 else 's'}"
    return Finding("PyTorch", True, seen, needed=True)


def look_at_gpu() -> Finding:
    """A GPU that torch can use; only `--scale full` wants one."""
    try:
        import torch
    except (ImportError, OSError):
        return Finding("GPU", False, "unknown without PyTorch", "Mend PyTorch first.")
    if torch.cuda.is_available():
        return Finding("GPU", True, torch.cuda.get_device_name(0))
    if torch.backends.mps.is_available():
        return Finding("GPU", True, "Apple silicon")
    return Finding("GPU", False, "none", "Nothing: the whole course runs on a CPU.")


def look_at_folder(root: Path) -> Finding:
    """That files can be written where the course lies."""
    try:
        with tempfile.TemporaryFile(dir=root):
            return Finding("This folder", True, "files can be written", needed=True)
    except OSError as error:
        todo = "Move the course to a folder of your own."
        return Finding("This folder", False, error.strerror or str(error), todo, True)


def look_at_browser(trouble: str = "") -> Finding:
    """A Chromium, which only the browser tests want."""
    path = find_browser()
    if path:
        return Finding("Chromium", True, path)
    how = {
        "Linux": "Install Chromium with your package manager (Debian: apt-get install chromium).",
        "Darwin": "Install Google Chrome and link its program as `chromium` on PATH.",
    }.get(platform.system(), "Install Chromium and put it on PATH.")
    return Finding("Chromium", False, trouble or "none", f"Only for the browser tests. {how}")


def find_browser() -> str | None:
    """The path of a Chromium or Chrome, if one is installed."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def look_at_sandbox() -> Finding:
    """bubblewrap with user namespaces, which grading wants."""
    program = shutil.which("bwrap")
    if program is None:
        todo = "Only for grading. Debian: apt-get install bubblewrap"
        return Finding("Sandbox", False, "no bubblewrap", todo)
    trial = [program, "--ro-bind", "/", "/", "--unshare-all", "true"]
    try:
        works = subprocess.run(trial, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        works = False
    todo = "Only for grading. Allow user namespaces: sysctl user.max_user_namespaces=10000"
    return Finding("Sandbox", works, "bubblewrap" + ("" if works else " may not run"), todo)


def install_for_tests() -> str:
    """Install Chromium, bubblewrap and PostgreSQL on a Debian-like machine where we are root.

    Returns:
        What went wrong in one line; empty when all is there or nothing could be tried.
    """
    wanted = [] if _there((LIGHT,)) else [LIGHT]
    wanted += [package for package, programs in FOR_TESTS.items() if not _there(programs)]
    debian = Path("/etc/debian_version").exists() and shutil.which("apt-get")
    if not wanted or not debian or os.geteuid() != 0:
        return ""
    print(f"Installing {', '.join(wanted)} ...", flush=True)
    _apt_get("update")
    _apt_get("install", LIGHT)  # older systems do not have it; the tests only take longer then
    missing = [package for package, programs in FOR_TESTS.items() if not _there(programs)]
    return _apt_get("install", *missing) if missing else ""


def _apt_get(command: str, *packages: str) -> str:
    """What went wrong in one line; empty when nothing did."""
    words = ["apt-get", "-qq", command, *packages]
    words += ["-y", "--no-install-recommends"] if command == "install" else []
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(words, env=quiet, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines()
    return (lines[-1] if lines else "apt-get failed") if done.returncode else ""


def _there(programs: tuple[str, ...]) -> bool:
    return any(
        shutil.which(name) or list(Path(POSTGRES).glob(f"*/bin/{name}")) for name in programs
    )


def show(findings: list[Finding]) -> Table:
    """The findings as a table."""
    table = Table(title="What this machine has", title_justify="left")
    for heading in ("", "", "seen", "what to do"):
        table.add_column(heading)
    for one in findings:
        state = "[green]yes[/]" if one.there else "[red]no[/]" if one.needed else "[yellow]no[/]"
        todo = "" if one.there else one.todo
        table.add_row(one.what, state, escape(one.seen), escape(todo))
    return table
