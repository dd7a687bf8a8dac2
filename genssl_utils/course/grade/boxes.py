"""The judge's hold on a box: starts it, calls into it, starts it anew when it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from genssl_utils.course.grade.box import RUN_CELL
from genssl_utils.course.grade.cgroups import Group
from genssl_utils.course.grade.codec import BadMessage
from genssl_utils.course.grade.limits import Limits
from genssl_utils.course.grade.peer import Peer
from genssl_utils.course.grade.wire import Severed, TooSlow, Wire
from genssl_utils.kit.check import CheckFailed, Stopped

START_SECONDS = 120.0
"""How long a box may take to start: the first one waits for torch."""

MOST_RESTARTS = 8
"""In one exercise, after which its checks are given up."""

USED_UP = "The time of the whole submission was used up before this check."
STOPPED = "Your function was stopped in an earlier check, so this one did not run."


class BoxLost(Exception):
    """The sandbox went away, or what happened can't be told from an accident: judge again.

    A check swallows it like any exception, so the box remembers it as `lost`.
    """


class Box:
    """Where one submission's code runs.

    Args:
        server: socket to the warm box process.
        limits: of the submission.
        last_try: whether a sudden end counts as the student's doing, or as an accident.
    """

    def __init__(self, server: socket.socket, limits: Limits, *, last_try: bool) -> None:
        self._server, self._limits, self._last_try = server, limits, last_try
        self._peer: Peer | None = None
        self._status: socket.socket | None = None
        self._group = Group()
        self._cells: list[str] = []
        self._dead = ""  # why no call goes to it until the next exercise
        self.spent = 0.0
        """Seconds that the submission's own code took."""
        self.lost = ""
        """Why nothing can be said of the answers: the sandbox went away, or may have."""
        self.trouble = ""
        """What stopped it in the present exercise, for a person to read."""
        self.hasty = False
        """Whether that may be the machine's doing: it ran out of time or was killed."""
        self.restarts = -1
        self._starts = 0  # in this exercise
        self.cpu = 0.0
        self.peak_mib = 0

    # --- what the judge does with it --------------------------------------------------------

    def run_cell(self, source: str) -> dict[str, Any]:
        """Run a cell of the notebook; it is run again whenever the box has to start anew."""
        try:
            ran = self._within(RUN_CELL, (source,), {})
        except CheckFailed:
            return {}  # it ended the process, or never ended: it is not run again
        except BoxLost:
            return {}
        except Exception:  # the shell itself was broken by what ran before
            return {}
        self._cells.append(source)
        return ran if isinstance(ran, dict) and isinstance(ran.get("printed"), str) else {}

    def call(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call a graded function.

        Raises:
            CheckFailed: it broke the rules, or (`Stopped`) could not be brought to an end; the line
                says why.
            Exception: what the function raised.
        """
        return self._within(name, args, kwargs)

    def next_cell(self) -> None:
        """What a cell of the student's own stopped at does not stop the cell below it."""
        self._dead = ""

    def next_exercise(self) -> None:
        """What stopped the last exercise does not stop the next one."""
        self._dead = self.trouble = ""
        self.hasty = False
        self._starts = 0

    def stop(self) -> None:
        """End it, and take its numbers.

        Raises:
            BoxLost: the sandbox went away at some point.
        """
        self._hang_up()
        if self.lost:
            raise BoxLost(self.lost)

    # --- how --------------------------------------------------------------------------------

    def _within(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if self._dead or self.lost:
            raise Stopped(self._dead or self.lost)
        if self._peer is None:
            self._start()
        try:
            return self._peer.call(("N", name), args, kwargs)
        except BadMessage as error:  # it came whole, and says what no result says
            self.trouble = self.trouble or f"broke the rules: {error}"
            raise CheckFailed(f"Your function did what it may not: {error}.") from error

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        """Around each request to the box, gradients included: its deadline, and how it can fail."""
        left = self._limits.seconds - self.spent
        if self._dead or self.lost or self._peer is None:
            raise Stopped(self._dead or self.lost or STOPPED)
        if left <= 0:
            self.trouble = self.trouble or f"it used up its {self._limits.seconds:g} s"
            self.hasty = True
            raise Stopped(USED_UP)
        seconds = min(left, self._limits.call_seconds)
        began = time.monotonic()
        self._peer.wire.deadline = began + seconds
        try:
            yield
        except TooSlow:
            self._hang_up()
            self.hasty = True
            self._fail(
                f"ran longer than {seconds:.3g} s",
                f"Your code ran longer than {seconds:.3g} s and was stopped.",
            )
        except BadMessage as error:
            self._hang_up()
            self._fail(f"broke the rules: {error}", "Your code broke the link to the grader.")
        except Severed:
            self._post_mortem()
        finally:
            self.spent += time.monotonic() - began

    def _fail(self, trouble: str, message: str, *, again: bool = False) -> NoReturn:
        """End the present check; the rest of the exercise, too, unless it may start `again`."""
        self.trouble = self.trouble or trouble
        if not again:
            self._dead = STOPPED
        raise Stopped(message)

    def _lose(self, why: str) -> NoReturn:
        self.lost = why
        raise BoxLost(why)

    def _post_mortem(self) -> NoReturn:
        """The process ended: say why. The next check finds a fresh one."""
        ended = self._hang_up()
        if ended is None:
            self._lose("the sandbox went away")
        code = ended["exit"]
        if code == -signal.SIGKILL and not self._last_try:
            self._lose("the process was killed")
        why = f"exit code {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                why = signal.Signals(-code).name
        self.hasty = self.hasty or code in (-signal.SIGKILL, -signal.SIGXCPU)
        if code == -signal.SIGKILL:
            why += ", most likely out of memory"
        if code == -signal.SIGXCPU:
            why += ", out of computing time"
        said = f"Python itself stopped in your code ({why})."
        self._fail(f"ended Python ({why})", said, again=True)

    def _start(self) -> None:
        """A fresh process, with the cells run that came before."""
        if self._starts > MOST_RESTARTS:
            self._fail("ended Python too often", STOPPED)
        self._starts += 1
        self.restarts += 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        status, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._group = Group.make(self._limits)
        doors = self._group.doors()
        request = json.dumps({"limits": self._limits.to_json()}).encode()
        try:
            fds = [theirs.fileno(), told.fileno(), *doors]
            socket.send_fds(self._server, [request], fds)
        except OSError as error:
            self.lost = "the sandbox is gone"
            raise BoxLost(self.lost) from error
        finally:
            theirs.close()
            told.close()
            for door in doors:
                _close(door)
        status.settimeout(START_SECONDS)
        answer = _next(status)
        if not answer or not answer.get("started"):
            self._lose(str((answer or {}).get("failed", "the sandbox could not be closed")))
        self._status = status
        self._peer = Peer(Wire(ours), trusting=False, during=self._timed)
        for source in self._cells:
            self._peer.call(("N", RUN_CELL), (source,), {})

    def _hang_up(self) -> dict[str, Any] | None:
        """End the process; how it ended, or None where that is not known."""
        if self._peer is None or self._status is None:
            return None
        self._peer.wire.close()
        with contextlib.suppress(OSError):
            self._status.shutdown(socket.SHUT_WR)
        self._status.settimeout(20.0)
        ended = _next(self._status)
        self._status.close()
        self._peer = self._status = None
        self._group.remove()
        if ended is None or "exit" not in ended:
            return None
        self.cpu = round(self.cpu + ended["cpu"], 3)
        self.peak_mib = max(self.peak_mib, ended["peak_mib"])
        return ended


def _close(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)


def _next(status: socket.socket) -> dict[str, Any] | None:
    try:
        data = status.recv(65_536)
    except OSError:
        return None
    return json.loads(data) if data else None
