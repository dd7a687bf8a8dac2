"""The outer wall: a bubblewrap sandbox with nothing in it but Python and the course's library."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import genssl_utils
from genssl_utils.course.grade.limits import WORK
from genssl_utils.course.source import CourseError

INSTALL = "Install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install it)"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime")

NOBODY = 65534
"""Who a submission is where grading runs as root: root's own files stay out of its reach."""

STAGE = "/sys"
"""Where root binds what a submission needs, in mounts that none but its process sees: a folder that
every Linux has and no Python is in, so that none has to be made, and none is left behind."""

ENVIRONMENT = {
    "HOME": WORK,
    "TMPDIR": WORK,
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": f"{WORK}/.matplotlib",
    "IPYTHONDIR": f"{WORK}/.ipython",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""All that a submission finds in its environment."""


PACKAGE = Path(genssl_utils.__file__).resolve().parent
"""The course's library: the one folder of the course that is shown in the sandbox."""


_starter = ThreadPoolExecutor(1, "genssl-starter")
"""bubblewrap ends with the thread that started it; this one ends with the process."""


def start(
    module: str, arguments: Sequence[str], keep: Sequence[int], *, walls: bool = True
) -> subprocess.Popen:
    """Start a module of the course with this Python, inside the sandbox.

    Args:
        module: its name; it is run as `__main__`.
        arguments: what it finds in `sys.argv`.
        keep: file descriptors that it inherits, under the same numbers.
        walls: False starts it as an ordinary process, with the bare environment alone.

    Returns:
        The running process; killing it ends everything inside.

    Raises:
        CourseError: there is no sandbox on this machine; the line says what to install.
    """
    begin = (
        f"import runpy, sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); "
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    python = [sys.executable, "-I", "-c", begin, *arguments]
    how: dict[str, Any] = {
        "pass_fds": keep, "stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/",
        "stdout": subprocess.DEVNULL,  # a terminal would be shown inside, as /dev/console
    }  # fmt: skip
    if not walls:
        bare = {name: value.replace(WORK, "/tmp") for name, value in ENVIRONMENT.items()}
        return subprocess.Popen(python, env=bare, start_new_session=True, **how)
    if why := why_not_here():
        raise CourseError(why)
    shown = _what_python_needs()
    bound = [path for path, target in shown if not target]
    _refuse_to_show_the_course(bound)
    root = os.geteuid() == 0
    command = [_bwrap(), *_walls()]
    for path, target in shown:
        if target:
            command += ["--symlink", target, path]
        else:
            command += ["--ro-bind", f"{STAGE}/{bound.index(path)}" if root else path, path]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    for path in ("/dev", "/tmp", "/"):
        command += ["--remount-ro", path]
    command += ["--", *python]
    if root:
        how["preexec_fn"] = _become_nobody(bound)
    return _starter.submit(subprocess.Popen, command, env={}, **how).result()


def _walls() -> list[str]:
    return [
        "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "box",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--tmpfs", WORK,
        "--tmpfs", "/tmp", "--dir", "/run", "--chdir", "/",
    ]  # fmt: skip


def _what_python_needs() -> list[tuple[str, str]]:
    """What is shown inside, read-only: (path, ""), or (link, its target); of the course only its
    library."""
    found: list[tuple[str, str]] = []
    for path in (*SYSTEM, *SYSTEM_FILES):
        if os.path.islink(path) and path in SYSTEM:
            found.append((path, os.readlink(path)))
        elif os.path.exists(path):
            found.append((path, ""))
    python = Path(sys.executable).resolve().parent.parent
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), python, PACKAGE}
    shown = [Path(path) for path, target in found if not target]
    for path in sorted(prefixes, key=lambda path: len(str(path))):
        if not any(path.is_relative_to(other) for other in shown):
            found.append((str(path), ""))
            shown.append(path)
    return found


def _refuse_to_show_the_course(shown: Sequence[str]) -> None:
    """Stop where the course itself, with its answers, would be among what is shown."""
    for course in (PACKAGE.parent, Path.cwd(), *Path.cwd().parents):
        for path in map(Path, shown):
            if path != PACKAGE and course.is_relative_to(path) and (course / "solutions").is_dir():
                raise CourseError(
                    f"The course lies in {path}, which submissions can read. Move it to another "
                    "place, such as your home folder."
                )


def why_not_here() -> str:
    """Why no sandbox can be made on this machine, and what to do; empty where one can."""
    if sys.platform != "linux":
        return (
            "Grading needs Linux's namespaces, and this is not Linux. Grade in a virtual machine, "
            "a Linux server or WSL 2; or accept the risk with --no-sandbox."
        )
    if not _bwrap():
        return f"There is no sandbox here. {INSTALL}, or accept the risk with --no-sandbox."
    probe = [_bwrap(), *_walls(), "--ro-bind", "/", "/", "--", "/bin/true"]
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(probe, capture_output=True, text=True, cwd="/", **who)
    if done.returncode == 0:
        return ""
    said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return (
        f"bubblewrap cannot make a sandbox here ({said}). Allow unprivileged user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1; on Ubuntu also "
        "kernel.apparmor_restrict_unprivileged_userns=0; in a container run it with "
        "--security-opt seccomp=unconfined), or accept the risk with --no-sandbox."
    )


def _bwrap() -> str:
    return shutil.which("bwrap") or ""


def _become_nobody(sources: Sequence[str]) -> Callable[[], None]:
    """Bind folders that only root can reach to a place that nobody can, then become nobody.

    The mounts are in a namespace of their own and go with the process.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: bytes | None, target: str, kind: bytes | None, flags: int) -> None:
        if libc.mount(source, target.encode(), kind, flags, None):
            raise OSError(ctypes.get_errno(), f"mount {target}")

    def prepare() -> None:
        if libc.unshare(0x00020000):
            raise OSError(ctypes.get_errno(), "unshare")
        mount(None, "/", None, 1 << 14 | 1 << 18)
        mount(b"tmpfs", STAGE, b"tmpfs", 0)
        os.chmod(STAGE, 0o755)
        for number, source in enumerate(sources):
            place = f"{STAGE}/{number}"
            if os.path.isdir(source):
                os.mkdir(place)
            else:
                open(place, "w").close()
            mount(source.encode(), place, None, 1 << 12 | 1 << 14)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)

    return prepare
