"""The instructor's round trip through nbgrader's own commands, with no flags, from the root."""

import csv
import html
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from genssl_utils.course.build import build
from genssl_utils.course.source import without_hidden
from toy_course import copy_unit

NAME = "05_gumbel_softmax"

WRONG = {
    "sample_gumbel": "def sample_gumbel(shape, generator=None):\n"
    "    return torch.rand(shape, generator=generator)",
    "gumbel_max": "def gumbel_max(log_pi, generator=None):\n    return log_pi.argmax(0)",
    "gumbel_softmax": "def gumbel_softmax(log_pi, tau, generator=None):\n    return log_pi",
    "straight_through": "def straight_through(y):\n    return y.argmax(-1)",
    "reinforce_loss": "def reinforce_loss(log_prob, reward, baseline=0.0):\n"
    "    return log_prob * reward",
}
HALF = {
    # Right, but noisy on stderr and stdout: that costs nothing.
    "gumbel_max": "import sys, warnings\n{answer}\n_right = gumbel_max\n"
    "def gumbel_max(log_pi, generator=None):\n"
    "    warnings.warn('slow'); print('hello', file=sys.stderr)\n"
    "    return _right(log_pi, generator)",
    # Right but for the ValueError: one of 28 weights of 6 points.
    "gumbel_softmax": "def gumbel_softmax(log_pi, tau, generator=None):\n"
    "    noise = sample_gumbel(log_pi.shape, generator).to(log_pi)\n"
    "    return torch.softmax((log_pi + noise) / tau, -1)",
    "straight_through": None,
    # Detaches nothing: one visible and one hidden check of weight 1 out of 10, of 3 points.
    "reinforce_loss": "def reinforce_loss(log_prob, reward, baseline=0.0):\n"
    "    return -((reward - baseline) * log_prob).mean()",
}
EXPECTED = {
    "blank": dict.fromkeys(WRONG, 0.0),
    "right": {
        "sample_gumbel": 4.0,
        "gumbel_max": 3.0,
        "gumbel_softmax": 6.0,
        "straight_through": 4.0,
        "reinforce_loss": 3.0,
    },
    "half": {
        "sample_gumbel": 4.0,
        "gumbel_max": 3.0,
        "gumbel_softmax": 5.79,
        "straight_through": 0.0,
        "reinforce_loss": 2.4,
    },
    # Uniform noise has a shape, obeys its generator and is finite: 5 of 25 weights of 4 points.
    "wrong": {
        "sample_gumbel": 0.8,
        "gumbel_max": 0.0,
        "gumbel_softmax": 0.0,
        "straight_through": 0.0,
        "reinforce_loss": 0.0,
    },
}


def nbgrader(root, *words, check=True):
    """One nbgrader command as an instructor types it."""
    scripts = str(Path(sys.executable).parent)
    env = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course with four submissions, graded and with feedback."""
    root = tmp_path_factory.mktemp("course")
    unit = copy_unit(root, NAME)
    build([unit])
    right = {name: e.answer.source for name, e in unit.exercises.items()}
    half = right | {n: s and s.replace("{answer}", right[n]) for n, s in HALF.items()}
    for student, answers in {"blank": {}, "right": right, "half": half, "wrong": WRONG}.items():
        nb = nbformat.read(unit.notebook, as_version=4)
        for cell in nb.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if answers.get(grade_id):
                cell.source = answers[grade_id]
        folder = root / "submitted" / student / NAME
        folder.mkdir(parents=True)
        nbformat.write(nb, folder / f"{NAME}.ipynb")
    nbgrader(root, "autograde", NAME)
    nbgrader(root, "generate_feedback", NAME)
    nbgrader(root, "export")
    return root, unit


@pytest.mark.parametrize("student", EXPECTED)
def test_scores_are_exact(graded, student):
    from nbgrader.api import Gradebook

    root, _ = graded
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        submission = book.find_submission(NAME, student)
        seen = {
            grade.name.removeprefix("check_"): grade.score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
        assert not any(g.needs_manual_grade for n in submission.notebooks for g in n.grades)
    assert seen == EXPECTED[student]


def test_the_export_has_the_same_totals(graded):
    root, _ = graded
    with open(root / "grades.csv") as file:
        totals = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert totals == {s: pytest.approx(sum(e.values())) for s, e in EXPECTED.items()}


@pytest.mark.parametrize("student", EXPECTED)
def test_feedback_holds_no_hidden_test_and_no_answer_of_ours(graded, student):
    root, unit = graded
    (page,) = (root / "build/feedback" / student / NAME).glob("*.html")
    text = html.unescape(
        re.sub(r"<style.*?</style>|<[^>]+>", "", page.read_text("utf-8"), flags=re.S)
    )
    flat = "".join(text.split())
    for exercise in unit.exercises.values():
        (cell,) = exercise.checks
        hidden = cell.source.split("### BEGIN HIDDEN TESTS")[1].split("### END HIDDEN TESTS")[0]
        visible = without_hidden(cell.source)
        for line in filter(lambda line: len(line.strip()) > 25, hidden.split("\n")):
            if line.strip() in visible:
                continue
            assert "".join(line.split()) not in flat, line
        secret = exercise.answer.source.split("### BEGIN SOLUTION")[1].split("### END")[0]
        for line in filter(lambda line: len(line.strip()) > 25, secret.split("\n")):
            if student in ("blank", "wrong"):
                assert "".join(line.split()) not in flat, line
    assert "HIDDEN TESTS" not in text
    assert "Traceback (most" not in text
    assert "sample_gumbel" in text


def test_feedback_tells_the_wrong_student_which_mistake_it_is(graded):
    root, _ = graded
    (page,) = (root / "build/feedback/wrong" / NAME).glob("*.html")
    assert "You return the uniform itself." in page.read_text("utf-8")


def test_validate_tells_right_from_wrong(graded):
    root, _ = graded
    for student, said in (("right", "Success"), ("wrong", "VALIDATION FAILED")):
        path = f"submitted/{student}/{NAME}/{NAME}.ipynb"
        assert said in nbgrader(root, "validate", path), student
