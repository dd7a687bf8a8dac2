"""Whatever is killed, filled up or locked while a class is graded: no score is lost or stale."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import time

import psutil
import pytest

from genssl_utils.course.build import build
from genssl_utils.course.grade import lane, recorder
from genssl_utils.course.grade.journal import Journal, only_grader, secret
from genssl_utils.course.grade.run import SECOND_LOOK
from genssl_utils.course.grade.screen import grade
from genssl_utils.course.source import CourseError, find_unit
from small_class import (
    ANSWERS,
    hand_in,
    rows,
    start_grading,
)
from toy_course import TOY, write_unit

pytestmark = pytest.mark.usefixtures("warm_lanes")


@pytest.fixture
def graded(genssl):
    """One whole run of `genssl grade 07`: its exit code and all that it said."""

    def run(root, *words):
        code, out, err = genssl(root, "grade", "07", *words)
        return code or 0, out + err

    return run


def scores_of(root):
    return {row[0]: row[2] for row in rows(root) if row[1] == "check_double"}


def test_two_graders_at_once(small, graded):
    with only_grader(small.root):
        code, said = graded(small.root)
    assert code == 2
    assert "Another `genssl grade` is at work" in said
    assert str(os.getpid()) in said
    both = [start_grading(small.root) for _ in range(2)]
    codes = [run.wait(100) for run in both]
    assert 0 in codes
    assert set(codes) <= {0, 2}
    assert scores_of(small.root) == {"s0": 2.0, "s1": 1.0, "s2": 0.0}


def test_a_locked_gradebook_is_waited_for_and_then_said(small, monkeypatch):
    monkeypatch.setattr(recorder, "LOCK_SECONDS", 0.05)
    book = sqlite3.connect(small.root / "gradebook.db", timeout=0.1)
    book.execute("begin exclusive")
    with pytest.raises(CourseError, match=r"locked.*Try again.*is kept"):
        grade(small)
    book.rollback()
    book.close()
    marks = grade(small)
    assert {mark.student: mark.total for mark in marks} == {"s0": 2.0, "s1": 1.0, "s2": 0.0}


def test_a_damaged_gradebook_comes_back_from_the_journal(small, graded):
    assert graded(small.root)[0] == 0
    good = rows(small.root)
    path = small.root / "gradebook.db"
    path.write_bytes(b"no database at all" * 100)
    code, said = graded(small.root)
    assert code == 2
    assert "damaged" in said
    assert "Traceback" not in said
    path.unlink()
    code, said = graded(small.root)
    assert code == 0, said
    assert rows(small.root) == good


@pytest.mark.parametrize("writes", range(5))
def test_a_disk_that_is_full_at_some_point_loses_nothing(small, monkeypatch, writes):
    """The journal of a verdict, the evidence, the journal of a score: whichever finds no space."""
    real, left = os.fsync, [writes]

    def full(handle: int) -> None:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        real(handle)

    secret(small.root)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(CourseError, match="free some space"):
            grade(small)
    assert {mark.student: mark.total for mark in grade(small)} == {"s0": 2.0, "s1": 1.0, "s2": 0.0}
    assert scores_of(small.root) == {"s0": 2.0, "s1": 1.0, "s2": 0.0}


def test_a_full_disk_is_one_line(small, graded):
    """A real one, of 12 KiB; only root may make it, and then it is made."""
    if os.geteuid() != 0:
        return
    folder = small.root / "grading"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        code, said = graded(small.root)
        assert code == 2, said
        assert "free some space" in said
        assert "Traceback" not in said
        subprocess.run(["mount", "-o", "remount,size=10m", str(folder)], check=True)
        code, said = graded(small.root)
        assert code == 0, said
        assert scores_of(small.root) == {"s0": 2.0, "s1": 1.0, "s2": 0.0}
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_work_handed_in_during_the_run_is_the_work_that_counts(small):
    """The notebook is replaced while its first version is judged."""
    slow = "import time\ndef double(x):\n    time.sleep(1.5)\n    return x"
    hand_in(small, "s0", slow)
    run = start_grading(small.root)
    journal = small.root / "grading" / "lock"
    until = time.monotonic() + 60
    while not (journal.is_file() and journal.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(2.5)  # it has been read, and is being judged
    hand_in(small, "s0", ANSWERS[0])
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 0, said
    assert scores_of(small.root)["s0"] == 2.0


def test_a_mended_check_is_judged_again_and_nothing_else(small, graded):
    assert graded(small.root)[0] == 0
    before = len(Journal.open(small.root, "07_toy").verdicts)
    code, said = graded(small.root)
    assert "3 submissions had not changed" in said
    assert len(Journal.open(small.root, "07_toy").verdicts) == before
    # The hidden check asks for a negative number; mended, it asks for a positive one.
    write_unit(small.root, "07_toy", TOY.replace("double(-31337) == -62674", "double(3) == 6"))
    build([find_unit(small.root, "07")])
    code, said = graded(small.root)
    assert code == 0, said
    assert scores_of(small.root) == {"s0": 2.0, "s1": 2.0, "s2": 0.0}
    assert len(Journal.open(small.root, "07_toy").verdicts) == 2 * before


def test_a_grade_given_by_hand_outlives_every_regrade(small, graded):
    from nbgrader.api import Gradebook

    assert graded(small.root)[0] == 0
    with Gradebook(f"sqlite:///{small.root / 'gradebook.db'}") as book:
        given = book.find_grade("check_double", "07_toy", "07_toy", "s2")
        given.manual_score, given.needs_manual_grade = 1.5, False
        comment = book.find_comment("double", "07_toy", "07_toy", "s2")
        comment.manual_comment = "Nearly."
        book.db.commit()
    for words in ((), ("--force",)):
        assert graded(small.root, *words)[0] == 0
        (row,) = (r for r in rows(small.root) if r[:2] == ("s2", "check_double"))
        assert row[2:5] == (0.0, 1.5, 0)
        assert ("s2", "double", None, "Nearly.") in rows(small.root)
    write_unit(small.root, "07_toy", TOY.replace("double(-31337) == -62674", "double(3) == 3"))
    code, said = graded(small.root)
    (row,) = (r for r in rows(small.root) if r[:2] == ("s2", "check_double"))
    assert row[2:5] == (1.0, 1.5, 1)  # the checks changed their mind: a person looks again
    assert code == 1
    assert f"s2: {SECOND_LOOK}" in said


def test_a_journal_line_that_was_cut_short_is_judged_again(small, graded):
    assert graded(small.root)[0] == 0
    good = rows(small.root)
    path = small.root / "grading" / "07_toy.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (small.root / "gradebook.db").unlink()
    assert graded(small.root)[0] == 0
    assert rows(small.root) == good


def test_identical_work_is_judged_once(small, graded):
    for number in range(6):
        hand_in(small, f"t{number}", ANSWERS[0])
    assert graded(small.root)[0] == 0
    assert len(Journal.open(small.root, "07_toy").verdicts) == 3
    assert [s for n, s in scores_of(small.root).items() if n.startswith("t")] == [2.0] * 6


def test_a_judge_that_is_killed_while_it_warms_up_is_started_again(small, monkeypatch):
    real, killed = lane.Lane._await_ready, []

    def once(self):
        if not killed:
            killed.append(self._judge.pid)
            os.kill(self._judge.pid, signal.SIGKILL)
        real(self)

    monkeypatch.setattr(lane.Lane, "_await_ready", once)
    assert [mark.total for mark in grade(small)] == [2.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("import os; assert os.environ.get('HOME') == '/box'", "the judge did not start (Assert"),
        ("import os; assert os.environ.get('HOME') != '/box'", "the sandbox did not start (Assert"),
        ("no_such_name", "did not start (NameError: name 'no_such_name' is not defined)"),
    ],
)
def test_setup_cells_that_fail_are_said_and_nobody_is_left_without_a_verdict(
    small, line, told, graded
):
    text = TOY.replace("results.begin(", f"{line}\nresults.begin(")
    write_unit(small.root, "07_toy", text)
    build([find_unit(small.root, "07")])
    began = time.monotonic()
    code, said = graded(small.root)
    assert time.monotonic() - began < 25, "a job waited for what had said that it cannot start"
    assert code == 2
    assert "Traceback" not in said
    assert told in said
    assert scores_of(small.root) == {}


def test_a_grading_that_is_stopped_ends_at_once_and_says_so(small):
    hand_in(small, "s0", "import time\ntime.sleep(25)\ndef double(x):\n    return 2 * x")
    run = start_grading(small.root)
    journal = small.root / "grading" / "07_toy.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and not journal.is_file():
        time.sleep(0.1)  # until the first verdict, so that the judge is warm
    parts = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "Stopped. What was graded is kept" in said
    assert not psutil.wait_procs(parts, timeout=10)[1]
