"""Judging as Dask tasks: on this machine, or on any Dask cluster by its address.

A worker needs this package, torch and the sandbox, and nothing else: a job carries the checks and
the answers with it. Each worker keeps one warm lane a unit.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from genssl_utils.course.grade.keys import library, versions
from genssl_utils.course.grade.lane import Lane, LaneFailed
from genssl_utils.course.source import CourseError

KILLED = 3
"""A submission under which so many workers died is reported, and not tried again."""

_lanes: dict[str, Lane] = {}
_users: Counter[str] = Counter()
"""How many jobs are in each lane; another class on the same cluster does not end it then."""
_lock = threading.Lock()
_stopped = threading.Event()
"""The cluster of this process is coming to its end: a job that waited starts no lane any more."""


def judge_on_worker(unit: str, job: dict[str, Any], walls: bool) -> dict[str, Any]:
    """The one task of the farm: judge a submission in this worker's warm lane.

    Args:
        unit: what judge and box need of the unit, as JSON.
        job: for `Lane.judge`; `topic`, `library` and `versions` say what it was made with.
        walls: whether in the sandbox.

    Returns:
        The verdicts, or `{"broken": why}`, or `{"refused": why}` where this worker cannot judge.
    """
    here = {"library": library(job["topic"]), "versions": versions()}
    if any(here[what] != job[what] for what in here):
        return {"refused": "a worker has other versions of the course or of its libraries"}
    name = hashlib.sha256(f"{unit} {walls}".encode()).hexdigest()
    try:
        with _lock:
            if _stopped.is_set():
                return {"refused": "grading was stopped"}
            if name not in _lanes:
                for other in [one for one in _lanes if not _users[one]]:
                    _lanes.pop(other).close()
                _lanes[name] = Lane(json.loads(unit), walls=walls)
            lane = _lanes[name]
            _users[name] += 1
        try:
            return lane.judge(job)
        finally:
            with _lock:
                _users[name] -= 1
    except CourseError as error:
        return {"refused": str(error)}
    except LaneFailed as error:  # no submission's fault
        return {"refused": f"{error}. Do the unit's cells run? Try: genssl run"}


def warm_up_seconds() -> float:
    """How long the lanes of this process took until they were ready."""
    return max((lane.warm_up_seconds for lane in _lanes.values()), default=0.0)


def close_lanes() -> None:
    """End what this process keeps warm."""
    with _lock:
        for name in list(_lanes):
            _lanes.pop(name).close()


@dataclass(frozen=True)
class Done:
    """A job that came back."""

    number: int
    verdict: dict[str, Any]


@contextlib.contextmanager
def cluster(jobs: int, scheduler: str = "") -> Iterator[Any]:
    """A Dask client: of a cluster on this machine, or of the scheduler at an address.

    Args:
        jobs: submissions at once on this machine.
        scheduler: `tcp://HOST:PORT` or `tls://HOST:PORT`; Dask's own configuration
            (`distributed.comm.tls`) says which certificates are used.

    Raises:
        CourseError: nobody answers at the address.
    """
    import dask
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.scheduler.allowed-failures": KILLED - 1,
        "distributed.worker.daemon": False,
        "distributed.logging.distributed": "critical",
        "distributed.comm.timeouts.connect": "10s",
    }
    with dask.config.set(quiet):
        _silence()
        if scheduler:
            try:
                client = Client(scheduler, timeout=10)
            except (OSError, ValueError, RuntimeError) as error:
                raise CourseError(
                    f"No Dask scheduler answers at {scheduler} ({type(error).__name__}). Is it "
                    "running, and is the address right?"
                ) from error
            with client:
                yield client
            return
        _stopped.clear()
        with (
            LocalCluster(
                n_workers=1, threads_per_worker=jobs, processes=False, memory_limit=0,
                dashboard_address="127.0.0.1:0", silence_logs="CRITICAL",
            ) as local,
            Client(local) as client,
        ):  # fmt: skip
            try:
                yield client
            finally:
                _stopped.set()
                close_lanes()


def _silence() -> None:
    """Dask's log is for those who run a cluster; what matters here is said in our own words."""
    known = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    for name in (*known, "distributed", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def judged(
    client: Any, unit: dict[str, Any], jobs: Sequence[dict[str, Any]], *, walls: bool = True
) -> Iterator[Done]:
    """Judge jobs on a cluster; they come back as they are done.

    Args:
        client: from `cluster`.
        unit: from `unit_file.unit_for_judge`.
        jobs: for `Lane.judge`.
        walls: whether in the sandbox.

    Raises:
        CourseError: a worker cannot judge at all.
    """
    from distributed import as_completed

    topic = unit["name"].split("_", 1)[-1]
    about = {"topic": topic, "library": library(topic), "versions": versions()}
    try:
        (blob,) = client.scatter([json.dumps(unit)], broadcast=True, hash=True)
    except OSError as error:
        raise CourseError(
            "The scheduler has no workers: start some with `dask worker ADDRESS`, then run the "
            "same command."
        ) from error
    futures = {}
    for number, job in enumerate(jobs):
        name = hashlib.sha256(json.dumps([job, number, os.getpid()]).encode()).hexdigest()
        future = client.submit(
            judge_on_worker, blob, job | about, walls, key=f"judge-{name}", pure=False
        )
        futures[future] = number
    for future in as_completed(futures):
        number = futures.pop(future)
        yield Done(number, _result(future))


def _result(future: Any) -> dict[str, Any]:
    from distributed import KilledWorker

    try:
        verdict = future.result()
    except KilledWorker:
        return {"broken": f"{KILLED} workers died under it"}
    except (CancelledError, OSError) as error:
        raise CourseError(
            "The cluster lost what it had been given: is its scheduler still there? What was "
            "graded is kept; run the same command."
        ) from error
    except Exception as error:
        return {"broken": f"a worker failed ({type(error).__name__})"}
    if refused := verdict.get("refused"):
        raise CourseError(f"Nothing more is graded: {refused.rstrip('.')}.")
    return verdict
