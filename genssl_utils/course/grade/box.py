"""The untrusted side: a warm Python in the sandbox that forks one walled-in child a submission.

`python -m genssl_utils.course.grade.box CONTROL UNIT WALLS` serves requests that come over the
socket CONTROL, each with two sockets: the pipe to the judge and one that tells how the child ends.
The parent never runs a line of a student's. A guard between the two waits for the child's end,
kills it when its time is up or when nobody wants it any more, and reports how it ended.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from genssl_utils.course.grade.limits import Limits

RUN_CELL = ":cell"
"""The name under which the judge lets a cell run; no function of a student's is called so."""

GRACE = 60.0
"""Seconds beyond three times its own after which a child is killed whatever the judge says."""


def main(control: int, unit: int, walls: bool) -> None:
    """Warm up, then fork for each request until the other end closes."""
    requests = socket.socket(fileno=control)
    try:
        with os.fdopen(unit, "rb") as file:
            told = json.load(file)
        namespace, shell = warm_up(told["setup"])
    except BaseException as error:  # of the course's own setup, or of this machine
        requests.send(f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:1000])
        return
    requests.send(b"ready")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    while True:
        data, fds, _, _ = socket.recv_fds(requests, 65_536, 16)
        if not data:
            return
        limits = Limits(**json.loads(data)["limits"])
        if os.fork() == 0:
            requests.close()
            _guard(limits, fds, walls, namespace, shell, told["exercises"])
        for fd in fds:
            os.close(fd)


def warm_up(setup: Sequence[str]) -> tuple[dict[str, Any], Any]:
    """Import torch and whatever the unit's setup cells need, and run those cells once.

    Returns:
        The names they defined, and an IPython shell around them.
    """
    import torch
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    # Imported here once for all children, which could not reach every folder:
    import genssl_utils.course.grade.peer
    import genssl_utils.course.grade.wire  # noqa: F401

    torch.set_num_threads(1)  # more would start threads, which do not survive a fork
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for source in setup:
            exec(compile(source, "<setup>", "exec"), namespace)
        shell = InteractiveShell.instance(config=config, user_ns=namespace)
        shell.run_cell("pass", store_history=False, silent=True)
        # What torch sets up at the first use of each is set up once, for all children.
        x = torch.ones(2, requires_grad=True)
        y = x.softmax(-1).log()
        torch.autograd.grad(y, x, torch.ones(2), create_graph=True)
    return shell.user_ns, shell


def _guard(
    limits: Limits, fds: Sequence[int], walls: bool,
    namespace: dict[str, Any], shell: Any, exercises: Sequence[str],
) -> None:  # fmt: skip
    """Start the child, wait for its end, tell how it ended. Does not return."""
    wire, status, *doors = fds
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    tell = socket.socket(fileno=status)
    try:
        if walls:
            from genssl_utils.course.grade import confine

            confine.enter_namespaces()
        child = os.fork()
        if child == 0:
            _child(limits, wire, tell, doors, walls, namespace, shell, exercises)
        for fd in (wire, *doors):
            os.close(fd)
        ended = _watch(child, tell, limits.seconds * 3 + GRACE)
        _say(tell, ended)
    except BaseException as error:
        _say(tell, {"failed": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _say(tell: socket.socket, what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the judge may be gone
        tell.send(json.dumps(what).encode())


def _watch(child: int, tell: socket.socket, seconds: float) -> dict[str, Any]:
    """Wait for the child; kill it when time is up or when the judge hangs up."""
    handle = os.pidfd_open(child)
    until, killed = time.monotonic() + seconds, False
    while True:
        waiting = [handle] if killed else [handle, tell]
        ready, _, _ = select.select(waiting, [], [], max(0.0, until - time.monotonic()))
        if handle in ready:
            break
        os.kill(child, signal.SIGKILL)
        until, killed = time.monotonic() + 3600, True
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return {
        "exit": code, "killed": killed,
        "cpu": round(used.ru_utime + used.ru_stime, 3), "peak_mib": used.ru_maxrss // 1024,
    }  # fmt: skip


def _child(
    limits: Limits, wire: int, tell: socket.socket, doors: Sequence[int], walls: bool,
    namespace: dict[str, Any], shell: Any, exercises: Sequence[str],
) -> None:  # fmt: skip
    """Wall in, say so, then answer the judge until it hangs up. Does not return."""
    try:
        for door in doors:
            os.write(door, b"0")
        if walls:
            from genssl_utils.course.grade import confine

            confine.wall_in(limits)
        elif sys.platform == "linux":
            from genssl_utils.course.grade import confine

            confine.bound(limits, processes=False)
    except BaseException as error:
        _say(tell, {"failed": f"the sandbox could not be closed ({error})"})
        os._exit(1)
    try:
        _say(tell, {"started": True})
        _serve(limits, _keep_only(wire), namespace, shell, exercises)
    finally:
        os._exit(0)


def _keep_only(wire: int) -> int:
    """Close every file but the pipe; nothing is read and nothing printed comes out."""
    quiet = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(quiet, standard)
    end = 3
    if wire != end:
        os.dup2(wire, end)
    os.closerange(end + 1, max(256, resource.getrlimit(resource.RLIMIT_NOFILE)[0]) & 0xFFFF)
    return end


def _serve(
    limits: Limits, end: int, namespace: dict[str, Any], shell: Any, exercises: Sequence[str]
) -> None:
    import torch

    from genssl_utils.course.grade.peer import Peer
    from genssl_utils.course.grade.wire import Wire

    torch.set_num_threads(limits.torch_threads)
    run_cell = _cell_runner(shell, limits.output_kib * 1024, exercises)

    def lookup(name: str) -> Callable:
        return run_cell if name == RUN_CELL else _function(namespace, name)

    pipe = Wire(socket.socket(fileno=end))
    Peer(pipe, lookup, trusting=True, names=exercises).serve()


def _function(namespace: dict[str, Any], name: str) -> Callable:
    if name not in namespace:
        raise NameError(f"name '{name}' is not defined")
    return namespace[name]


def _cell_runner(shell: Any, most: int, exercises: Sequence[str]) -> Callable[[str], dict]:
    """A function that runs one cell as a notebook would and says what it printed or raised."""
    import torch

    from genssl_utils.course.grade.errors import tell

    shell.showtraceback = lambda *args, **kwargs: None
    shell.showsyntaxerror = lambda *args, **kwargs: None
    shell.enable_gui = lambda gui=None: None  # of `%matplotlib inline`, which a shell lacks

    def run_cell(source: str) -> dict[str, Any]:
        printed, noise = _Capped(most), torch.get_rng_state()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(_Capped(0)):
            done = shell.run_cell(source, store_history=False, silent=True)
        torch.set_rng_state(noise)  # a cell may seed it; the checks bring their own
        error = done.error_before_exec or done.error_in_exec
        told = tell(error, exercises) if error else None
        return {"printed": printed.getvalue(), "error": told}

    return run_cell


class _Capped(io.StringIO):
    """Takes what is printed up to a size and drops the rest."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, text: str) -> int:
        room = self._most - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "walls")
