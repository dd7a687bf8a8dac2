"""The same class on a Dask cluster of other processes, over TLS."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from genssl_utils.course.build import build
from genssl_utils.course.grade import farm
from genssl_utils.course.grade.keys import library, versions
from genssl_utils.course.grade.screen import grade
from genssl_utils.course.grade.unit_file import unit_for_judge
from genssl_utils.course.run import run
from genssl_utils.course.source import CourseError, find_unit
from small_class import (
    ANSWERS,
    PACKAGE,
    SCORES,
    hand_in,
    hand_in_many,
    kill,
    rows,
    start_genssl,
    start_grading,
    wait_for_verdicts,
)
from toy_course import write_course


@dataclass
class Cluster:
    """A scheduler and its workers, each a process of its own."""

    address: str
    env: dict[str, str]
    folder: Path
    processes: dict[str, subprocess.Popen]

    def start(self, name: str, *words: str) -> None:
        """Start one of them."""
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=self.folder, env=os.environ | self.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def start_scheduler(self) -> None:
        """Start the scheduler and wait until it listens."""
        port = self.address.rsplit(":", 1)[1]
        self.start(
            "scheduler", "distributed.cli.dask_scheduler", "--protocol", "tls", "--host",
            "127.0.0.1", "--port", port, "--no-dashboard",
        )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", int(port)), 1),
            ):
                return
            time.sleep(0.1)

    def start_worker(self, name: str) -> None:
        """Start a worker with two threads."""
        self.start(
            name, "distributed.cli.dask_worker", self.address, "--no-nanny", "--nthreads", "2",
            "--no-dashboard", "--name", name, "--local-directory", str(self.folder / name),
        )  # fmt: skip


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    """A scheduler and two workers on loopback that speak TLS and nothing else."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl here to make a certificate")
    folder = tmp_path / "cluster"
    folder.mkdir()
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = {"CA_FILE": cert}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        tls |= {f"{role}__CERT": cert, f"{role}__KEY": key}
    env = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(path) for name, path in tls.items()}
    env["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] = "true"
    env["PYTHONPATH"] = str(PACKAGE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Cluster(f"tls://127.0.0.1:{port}", env, folder, {})
    made.start_scheduler()
    for name in ("one", "two"):
        made.start_worker(name)
    try:
        yield made
    finally:
        for process in made.processes.values():
            if process.poll() is None:
                for child in psutil.Process(process.pid).children(recursive=True):
                    kill(child)
            process.kill()
            process.wait()


@pytest.fixture
def unit(tmp_path):
    root = tmp_path / "course"
    root.mkdir()
    write_course(root)
    unit = find_unit(root, "07")
    build([unit])
    return unit


def test_a_worker_dies_in_the_middle_and_the_class_is_graded_to_the_end(cluster, unit):
    scores = hand_in_many(unit, 60)
    run = start_grading(unit.root, "--scheduler", cluster.address, **cluster.env)
    wait_for_verdicts(unit.root, run, 10)
    assert run.poll() is None, run.stdout.read()
    cluster.processes["one"].kill()
    said, _ = run.communicate(timeout=200)
    assert run.returncode == 1, said  # those that ended Python are for a person to look at
    assert {r[0]: r[2] for r in rows(unit.root) if r[1] == "check_double"} == scores


def test_a_scheduler_that_dies_is_one_line_and_the_next_run_goes_on(cluster, unit):
    scores = hand_in_many(unit, 40)
    run = start_grading(unit.root, "--scheduler", cluster.address, **cluster.env)
    wait_for_verdicts(unit.root, run, 4)
    cluster.processes["scheduler"].kill()
    said, _ = run.communicate(timeout=200)
    assert run.returncode in (1, 2), said
    assert "Traceback" not in said
    done = start_grading(unit.root)  # on this machine
    said, _ = done.communicate(timeout=200)
    assert done.returncode == 1, said
    assert {r[0]: r[2] for r in rows(unit.root) if r[1] == "check_double"} == scores


def test_nobody_at_the_address_is_one_line(unit):
    hand_in(unit, "s0", ANSWERS[0])
    run = start_grading(unit.root, "--scheduler", "tcp://127.0.0.1:9")
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 2
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in said
    assert "Traceback" not in said


def test_a_worker_with_other_versions_refuses():
    job = {"topic": "toy", "library": "another", "versions": {}}
    assert "other versions" in farm.judge_on_worker("{}", job, True)["refused"]


def test_a_job_that_waited_when_grading_was_stopped_starts_no_lane(unit):
    """It would be warm seconds later, and nobody would end it."""
    job = {"topic": "toy", "library": library("toy"), "versions": versions()}
    file = json.dumps(unit_for_judge(unit))
    with farm.cluster(1):
        pass
    said = farm.judge_on_worker(file, job, False)
    farm.close_lanes()
    assert said == {"refused": "grading was stopped"}


def test_units_are_executed_on_the_farm(cluster, unit):
    words = ("run", "07", "--seeds", "2", "--scheduler", cluster.address)
    run = start_genssl(unit.root, *words, **cluster.env)
    said, _ = run.communicate(timeout=200)
    assert run.returncode == 0, said
    for name in ("07_toy.ipynb", "07_toy.seed1.ipynb"):
        assert (unit.root / "build" / "executed" / name).is_file()


def test_a_cluster_that_is_not_there_for_units_is_said(unit):
    with pytest.raises(CourseError, match="No Dask scheduler answers"):
        run([unit], scheduler="tcp://127.0.0.1:9")


def test_local_marks_are_those_of_the_answers(unit):
    for number, answer in enumerate(ANSWERS):
        hand_in(unit, f"s{number}", answer)
    assert [mark.total for mark in grade(unit, jobs=3)] == list(SCORES)
