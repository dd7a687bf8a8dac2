"""The gradebook on a real PostgreSQL, started on a free port by the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from genssl_utils.course.build import build
from genssl_utils.course.doctor import POSTGRES
from genssl_utils.course.grade.screen import grade
from genssl_utils.course.source import find_unit
from small_class import ANSWERS, SCORES, hand_in

pytestmark = pytest.mark.usefixtures("warm_lanes")


def program(name: str) -> str:
    """A program of PostgreSQL: Debian keeps them away from PATH."""
    found = sorted(Path(POSTGRES).glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if not path:
        pytest.skip("no PostgreSQL server here; Debian: apt-get install postgresql")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of an empty database."""
    initdb, server, ctl = program("initdb"), program("postgres"), program("pg_ctl")
    with tempfile.TemporaryDirectory(prefix="genssl-pg-", dir="/tmp") as folder:
        who = {}
        if os.geteuid() == 0:  # the server refuses to be root
            for name in ("postgres", "nobody"):
                try:
                    user = pwd.getpwnam(name)
                    break
                except KeyError:
                    continue
            os.chown(folder, user.pw_uid, user.pw_gid)
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data, port = f"{folder}/data", free_port()
        quiet = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "HOME": folder}, **who}
        subprocess.run(
            [initdb, "-D", data, "-U", "course", "-A", "trust", "--no-sync", "--locale=C"],
            check=True, capture_output=True, **quiet,
        )  # fmt: skip
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        subprocess.run(
            [ctl, "-D", data, "-l", f"{folder}/log", "-o", options, "-w", "-p", server, "start"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **quiet,
        )  # fmt: skip
        try:
            yield f"postgresql+psycopg2://course@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run(
                [ctl, "-D", data, "-m", "immediate", "stop"],
                check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **quiet,
            )  # fmt: skip


@pytest.fixture
def unit(course, url):
    """The made-up course with its gradebook on that server."""
    settings = course / "nbgrader_config.py"
    settings.write_text(settings.read_text() + f'\nc.CourseDirectory.db_url = "{url}"\n')
    unit = find_unit(course, "07")
    build([unit])
    return unit


def test_a_class_is_graded_and_graded_again(unit, url):
    from nbgrader.api import Gradebook

    for number, answer in enumerate(ANSWERS):
        hand_in(unit, f"s{number}", answer)
    marks = grade(unit)
    assert [mark.total for mark in marks] == list(SCORES)
    with Gradebook(url) as book:
        grades = [book.find_grade("check_double", "07_toy", "07_toy", m.student) for m in marks]
        assert [grade.score for grade in grades] == list(SCORES)
        grades[2].manual_score, grades[2].needs_manual_grade = 1.0, False
        book.db.commit()
    again = grade(unit, force=True)
    assert [mark.total for mark in again] == [2.0, 1.0, 1.0, *SCORES[3:]]
    assert not (unit.root / "gradebook.db").exists()


def test_a_server_that_is_gone_is_said_in_one_line(unit):
    from genssl_utils.course.source import CourseError

    hand_in(unit, "s0", ANSWERS[0])
    settings = unit.root / "nbgrader_config.py"
    settings.write_text(settings.read_text().replace("127.0.0.1:", "127.0.0.1:1"))
    with pytest.raises(CourseError, match="cannot be used") as caught:
        grade(unit)
    assert "\n" not in str(caught.value)
    assert "db_url" in str(caught.value)
