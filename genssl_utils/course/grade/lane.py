"""A warm judge and a warm box for one unit, and the way a job takes through them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

from genssl_utils.course.grade import sandbox
from genssl_utils.course.grade.limits import Limits

WARM_UP_SECONDS = 180.0
TRIES = 3
"""How often a submission is judged when the sandbox or the judge went away under it."""


class LaneFailed(Exception):
    """The judge or the sandbox does not start, or does not stay."""


class Refused(LaneFailed):
    """It said itself why it cannot start: it would say the same again."""


class Lane:
    """Judges submissions of one unit; several at once, each from a thread of its own.

    Args:
        unit: what judge and box need of the unit, from `unit_file.unit_for_judge`.
        walls: False leaves the sandbox out.
    """

    def __init__(self, unit: dict[str, Any], *, walls: bool = True) -> None:
        self._unit, self._walls = unit, walls
        self._lock = threading.Lock()
        self._generation = 0
        self._closed = False
        self._refusal = ""
        self.warm_up_seconds = 0.0
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        boxes, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        known = {"setup": self._unit["setup"], "exercises": list(self._unit["exercises"])}
        with _as_file(known) as for_box, _as_file(self._unit) as for_judge:
            walls = "walls" if self._walls else "open"
            self._box = sandbox.start(
                "genssl_utils.course.grade.box", [str(server.fileno()), str(for_box), walls],
                [server.fileno(), for_box], walls=self._walls,
            )  # fmt: skip
            arguments = ["-m", "genssl_utils.course.grade.judge", theirs.fileno()]
            self._judge = subprocess.Popen(
                [sys.executable, *map(str, [*arguments, boxes.fileno(), for_judge])],
                pass_fds=[theirs.fileno(), boxes.fileno(), for_judge], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,  # what is wrong is sent
                env=os.environ | {
                    "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg",
                    "PYTHONPATH": str(sandbox.PACKAGE.parent),
                },
                start_new_session=True,
                cwd="/",  # Python looks for modules where it is started
            )  # fmt: skip
        for end in (theirs, server):
            end.close()
        self._jobs, self._boxes = ours, boxes
        self._ready = False
        self._began = time.monotonic()

    def _await_ready(self) -> None:
        if self._ready:
            return
        for name, end in (("sandbox", self._boxes), ("judge", self._jobs)):
            end.settimeout(WARM_UP_SECONDS)
            said = b""
            with contextlib.suppress(OSError):
                said = end.recv(4096)
            if said != b"ready":
                why = said.decode("utf-8", "replace") or "no reason is known"
                if said:
                    self._refusal = f"the {name} did not start ({why})"
                    self._end()
                    raise Refused(self._refusal)
                raise LaneFailed(f"the {name} did not start ({why})")
        self._ready = True
        self._boxes.close()  # from here on the judge alone asks for boxes
        self._jobs.settimeout(None)
        self.warm_up_seconds = time.monotonic() - self._began

    def judge(self, job: dict[str, Any]) -> dict[str, Any]:
        """Judge one submission; when judge or sandbox went away under it, judge it again.

        Args:
            job: `cells`, `exercises`, `seed` and `limits`, as `judge.judge` has it.

        Returns:
            The verdicts, or `{"broken": why}` after the last try.

        Raises:
            LaneFailed: judge or sandbox does not start, or the lane was closed.
        """
        verdict: dict[str, Any] = {}
        for number in range(TRIES):
            generation = self._started()
            verdict = self._once(job | {"last_try": number == TRIES - 1})
            if "exercises" in verdict:
                return verdict
            with self._lock:
                if generation == self._generation and verdict.get("stuck"):
                    self._restart()
        return {"broken": verdict.get("broken") or verdict.get("lost") or "it gave no verdict"}

    def _started(self) -> int:
        """See to it that both are there; gives the number of their start."""
        for number in range(TRIES):
            with self._lock:
                if self._refusal:
                    raise Refused(self._refusal)
                if self._judge.poll() is not None or self._box.poll() is not None:
                    self._restart()
                try:
                    self._await_ready()
                    break
                except Refused:
                    raise
                except LaneFailed:
                    if number == TRIES - 1:
                        raise
                    self._restart()  # it may have been killed on its way
        return self._generation

    def _once(self, job: dict[str, Any]) -> dict[str, Any]:
        limits = Limits(**job["limits"])
        reply, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            socket.send_fds(self._jobs, [b"job"], [theirs.fileno()])
            theirs.close()
            reply.settimeout(limits.seconds * 4 + 120)
            reply.sendall(json.dumps(job).encode() + b"\n")
            data = bytearray()
            while part := reply.recv(1 << 20):
                data += part
        except TimeoutError:
            return {"lost": "the judge gave no verdict in time", "stuck": True}
        except OSError as error:
            return {"lost": f"the judge went away ({error})", "stuck": True}
        finally:
            theirs.close()
            reply.close()
        if not data:
            return {"lost": "the judge ended without a verdict"}
        try:
            return json.loads(data)
        except ValueError:  # killed while it told
            return {"lost": "the judge ended in the middle of its verdict"}

    def _restart(self) -> None:
        if self._closed:
            raise LaneFailed("grading was stopped")
        self._end()
        self._generation += 1
        self._start()

    def processes(self) -> dict[str, int]:
        """The process ids of the two warm parents."""
        return {"judge": self._judge.pid, "box": self._box.pid}

    def close(self) -> None:
        """End both, and everything in them, for good."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        self._jobs.close()
        self._boxes.close()
        for process in (self._judge, self._box):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if process is self._judge or not self._walls:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()


@contextlib.contextmanager
def _as_file(what: Any) -> Any:
    """A file descriptor from which this can be read as JSON; it leaves no file behind."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(what).encode())
        file.flush()
        file.seek(0)
        yield file.fileno()
