"""The formgrader's lightning bolt: nbgrader's own API, and yet our grader in its sandbox."""

from __future__ import annotations

import nbformat
import pytest
from nbgrader.apps.api import NbGraderAPI

from genssl_utils.course.gradebook import settings
from small_class import hand_in, rows


@pytest.fixture
def press(small, monkeypatch):
    """`press(student)` does what the formgrader does when the bolt is pressed."""
    monkeypatch.chdir(small.root)
    return lambda student: NbGraderAPI(config=settings(small.root)).autograde(small.name, student)


def test_the_bolt_grades_one_student_in_the_sandbox(small, press):
    trace = small.root / "trace"
    hand_in(small, "s1", f"open({str(trace)!r}, 'w').close()\ndef double(x):\n    return 2 * x")
    told = press("s1")
    assert told["success"], told
    assert "│ s1      │  0 │     0 │" in told["log"]
    assert not trace.exists()
    hand_in(small, "s1", "def double(x):\n    return 2 * x")
    told = press("s1")
    assert told["success"], told
    assert "│ s1      │  2 │     2 │" in told["log"]
    assert {row[0]: row[2] for row in rows(small.root) if row[1] == "check_double"} == {"s1": 2.0}
    graded = small.root / "build" / "autograded" / "s1" / small.name / f"{small.name}.ipynb"
    assert "sha256" in nbformat.read(graded, as_version=4).metadata.genssl  # written by ours


def test_without_a_sandbox_the_bolt_says_so_and_leaves_all_as_it_was(small, press, monkeypatch):
    assert press("s0")["success"]
    before = rows(small.root)
    monkeypatch.setenv("PATH", "/nowhere")
    told = press("s0")
    assert not told["success"]
    assert "genssl: There is no sandbox here" in told["error"].splitlines()[-1]
    assert rows(small.root) == before
    assert (small.root / "build" / "autograded" / "s0" / small.name).is_dir()


def test_a_name_is_never_an_option(small, press):
    hand_in(small, "--no-sandbox", "def double(x):\n    return 2 * x")
    told = press("--no-sandbox")
    assert told["success"], told
    assert "│ --no-sandbox │  2 │" in told["log"]
    assert "NO SANDBOX" not in told["log"]
