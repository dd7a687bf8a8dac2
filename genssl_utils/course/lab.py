"""JupyterLab, opened on the welcome notebook with everything in its place."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import quote

from genssl_utils.course.files import write_atomic
from genssl_utils.course.source import CourseError, all_units

WELCOME = "notebooks/00_start_here/00_start_here.ipynb"


def lab(root: Path, *, port: int = 8888, browser: bool = True) -> int:
    """Start JupyterLab and stay with it until it ends.

    Args:
        root: the course.
        port: the first port to try.
        browser: open a browser, where there is one; the address is printed in any case.

    Returns:
        JupyterLab's exit code.

    Raises:
        CourseError: JupyterLab is not installed, the notebooks are missing, or no port is free.
    """
    ensure_notebooks(root)
    prepare_lab(instructor=bool(all_units(root)))
    token, port = secrets.token_hex(16), free_port(port)
    page = f"/lab/tree/{quote(WELCOME)}"
    found = browser and has_browser()
    print(f"JupyterLab: http://localhost:{port}{page}?token={token}", flush=True)
    if browser and not found:
        print("There is no browser here: open that address in one.", flush=True)
    print("Ctrl-C ends it.", flush=True)
    return run_server(root, command(root, port, page, found), token)


def command(root: Path, port: int, page: str, browser: bool) -> list[str]:
    """JupyterLab's command line."""
    words = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--LabApp.default_url={page}",
        "--log-level=ERROR", "--ServerApp.answer_yes=True",
    ]  # fmt: skip
    if not browser:
        words.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")
    return words


def run_server(root: Path, words: list[str], token: str) -> int:
    """Become JupyterLab where the system allows it, so that every signal reaches it."""
    scripts = str(Path(sys.executable).parent)
    env = {**os.environ, "JUPYTER_TOKEN": token}
    env["PATH"] = scripts + os.pathsep + env.get("PATH", "")
    os.chdir(root)  # nbgrader looks for its settings here
    if os.name == "posix":
        os.execve(words[0], words, env)
    try:
        return subprocess.call(words, env=env)
    except KeyboardInterrupt:
        return 0


def ensure_notebooks(root: Path) -> None:
    """Build the notebooks that are not there yet; one that is there is never touched.

    Raises:
        CourseError: there is no welcome notebook and no source to make it from.
    """
    missing = [unit for unit in all_units(root) if not unit.notebook.is_file()]
    if missing:
        from genssl_utils.course.build import build

        print("Making the notebooks ...", flush=True)
        build(missing)
    if not (root / WELCOME).is_file():
        raise CourseError(f"{WELCOME} is missing. Take a fresh copy of the course.")


def prepare_lab(*, instructor: bool) -> None:
    """Set JupyterLab's defaults for this environment; settings made in its menus still win.

    It asks no other host for news. For an instructor the percent sources open as notebooks.

    Raises:
        CourseError: JupyterLab is not installed.
    """
    try:
        from jupyterlab.commands import get_app_dir
    except ImportError as error:
        raise CourseError('JupyterLab is missing. Run: pip install -e ".[course]"') from error
    path = Path(get_app_dir()) / "settings" / "overrides.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        known = {}
    wanted = json.loads(json.dumps(known))
    news = wanted.setdefault("@jupyterlab/apputils-extension:notification", {})
    news |= {"fetchNews": "false", "checkForUpdates": False}
    if instructor:
        plugin = wanted.setdefault("@jupyterlab/docmanager-extension:plugin", {})
        plugin.setdefault("defaultViewers", {}).setdefault("python", "Jupytext Notebook")
    if wanted != known:
        try:
            write_atomic(path, json.dumps(wanted, indent=2) + "\n")
        except OSError:
            print("JupyterLab's defaults could not be set: this environment is read-only.")


def has_browser() -> bool:
    """Whether a graphical browser can be opened from here."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def free_port(first: int) -> int:
    """The first free port of this machine from `first` on.

    Raises:
        CourseError: none of the next fifty is free, or there is no such port.
    """
    for port in range(first, first + 50):
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OverflowError as error:
                raise CourseError(f"{port} is no port. Take one from 1024 to 65535.") from error
            except OSError:
                continue
            return port
    raise CourseError(f"No free port between {first} and {first + 49}. Try --port.")
