"""The commands of the page on a JupyterHub: out through nbgrader's exchange, and back again."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import sys

import pytest
from nbgrader.utils import parse_utc

from genssl_utils.course.grade.intake import exchange_secret
from toy_course import PROJECT

PAGE = (PROJECT / "book" / "jupyterhub.md").read_text()


@pytest.fixture
def nbgrader(tmp_path_factory, monkeypatch):
    """Run a command of nbgrader's in a folder, with an exchange and a home of its own."""
    exchange, home = tmp_path_factory.mktemp("exchange"), tmp_path_factory.mktemp("home")
    exchange.chmod(0o777)
    monkeypatch.setenv("HOME", str(home))

    def call(folder, *words):
        assert re.search(rf"^(\$ )?nbgrader {words[0]} ", PAGE, re.M), "the page does not say that"
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words, f"--Exchange.root={exchange}"],
            cwd=folder, env=os.environ | {"JUPYTER_DATA_DIR": str(home / "data")},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    return call


def test_a_unit_goes_out_and_points_come_back(
    built, nbgrader, genssl, tmp_path_factory, warm_lanes
):
    student = tmp_path_factory.mktemp("student")
    nbgrader(built.root, "release_assignment", built.name)
    nbgrader(student, "fetch_assignment", built.name, "--course", "genssl")
    notebook = student / built.name / f"{built.name}.ipynb"
    assert notebook.read_bytes() == built.notebook.read_bytes()

    text = notebook.read_text()
    stub = re.search(r"raise NotImplementedError\([^)]*\)", text)[0]
    notebook.write_text(text.replace(stub, "return 2 * x"))
    nbgrader(student, "submit", built.name, "--course", "genssl")
    nbgrader(built.root, "collect", built.name, "--update")
    handed_in = built.root / "submitted" / getpass.getuser() / built.name
    assert {path.name for path in handed_in.iterdir()} >= {f"{built.name}.ipynb", "timestamp.txt"}

    code, out, err = genssl(built.root, "grade", "07", "--jobs", "1")
    assert code == 0, out + err
    assert genssl(built.root, "feedback", "07")[0] == 0
    nbgrader(built.root, "release_feedback", built.name)
    nbgrader(student, "fetch_feedback", built.name, "--course", "genssl")
    (page,) = (student / built.name / "feedback").rglob("*.html")
    assert "Score: 2.0 / 2.0" in page.read_text()


SECRET = "0123456789abcdef" * 8


@pytest.mark.parametrize(
    ("stamp", "secret", "told"),
    [
        ("2026-11-02 10:00:00 UTC", SECRET, SECRET),
        ("2026-11-02 10:00:01 UTC", SECRET, ""),  # handed in again since it was graded
        ("2026-11-02 10:00:00 UTC", "../../gradebook", ""),
        ("2026-11-02 10:00:00 UTC", "x" * 10_000, ""),
        (None, SECRET, ""),
    ],
)
def test_feedback_goes_to_the_one_whose_work_it_is_on(tmp_path, stamp, secret, told):
    if stamp:
        (tmp_path / "timestamp.txt").write_text(stamp)
    (tmp_path / "submission_secret.txt").write_text(secret)
    assert exchange_secret(tmp_path, parse_utc("2026-11-02 10:00:00 UTC")) == told


def test_no_link_leads_to_another_students_secret(tmp_path):
    (tmp_path / "theirs").write_text(SECRET)
    (tmp_path / "timestamp.txt").write_text("2026-11-02 10:00:00 UTC")
    (tmp_path / "submission_secret.txt").symlink_to(tmp_path / "theirs")
    assert exchange_secret(tmp_path, parse_utc("2026-11-02 10:00:00 UTC")) == ""
