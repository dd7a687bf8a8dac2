"""The attack corpus: no submission gains by it, none reaches another, the class goes on.

All files of `attacks/` are one class, each with an honest neighbour behind it. It is graded in one
run of two at once, and its feedback is written. Then each file is held to what it says.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from class_of import ALL, NAME, POINTS, Class, Paper, needs_sandbox, papers
from genssl_utils.course.feedback import write_feedback
from genssl_utils.course.grade import sandbox
from genssl_utils.course.source import without_hidden

ATTACKS = papers("attacks")
MARK = "escaped-from-the-box"
OUTSIDE = ("/tmp", "/dev/shm", "/var/tmp", "/", "/run", "/dev", "/home", str(Path.home()))

pytestmark = needs_sandbox


def neighbour(paper: Paper) -> str:
    """Who sits behind an attacker and is graded right after."""
    return f"{paper.name}_neighbour"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """The class, graded from within an attacker's own folder, with what was there before."""
    told = Class.at(tmp_path_factory.mktemp("attacked"))
    for paper in ATTACKS:
        told.hand_in(paper.name, paper)
        told.hand_in_honest(neighbour(paper))
    before = {"handed in": digests(told.root / "submitted"), "library": digests(sandbox.PACKAGE),
              "solutions": digests(told.root / "solutions"), "children": children()}  # fmt: skip
    here = os.getcwd()
    os.chdir(told.folder("shipped_modules"))
    try:
        told.grade(jobs=2)
    finally:
        os.chdir(here)
    return told, before


def digests(folder: Path) -> dict[str, str]:
    """Every file under a folder with a digest of what is in it; links as links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or "__pycache__" in path.parts:
            continue
        if path.is_file() and path.stat().st_size < 1 << 30:
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def children() -> set[int]:
    """Processes that this one started, and that are there still."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.add(int(path.parent.name))
    return found


@pytest.mark.parametrize("paper", ATTACKS, ids=lambda paper: paper.name)
def test_an_attack_gains_nothing(attacked, paper):
    told, _ = attacked
    mark = told.marks[paper.name]
    assert sum(POINTS[name] for name in paper.honest) <= paper.worth
    assert mark.total <= paper.worth + 0.005
    for name in paper.honest:  # honest work keeps its points, whatever stands beside it
        assert mark.points[name] == POINTS[name], mark


@pytest.mark.parametrize("paper", ATTACKS, ids=lambda paper: paper.name)
def test_an_attack_has_a_verdict_or_a_reason(attacked, paper):
    told, _ = attacked
    mark = told.marks[paper.name]
    assert set(mark.points) == set(POINTS)
    assert mark.reasons or None not in mark.points.values()
    assert not any("not judged" in why or "kept changing" in why for why in mark.reasons), mark
    assert paper.reason in "\n".join(mark.reasons)
    for wanted in re.findall(r"^Prints: (.*)$", paper.text, re.M):
        assert re.search(wanted, told.printed(paper.name)), told.printed(paper.name)


@pytest.mark.parametrize("paper", ATTACKS, ids=lambda paper: paper.name)
def test_the_neighbour_gets_what_is_due(attacked, paper):
    told, _ = attacked
    mark = told.marks[neighbour(paper)]
    assert (mark.points, mark.reasons) == (POINTS, [])
    assert told.rows[neighbour(paper)] == {name: (points, None) for name, points in POINTS.items()}


def test_no_score_was_written_by_anybody_else(attacked):
    told, _ = attacked
    assert all(by_hand is None for row in told.rows.values() for _, by_hand in row.values())
    for student, mark in told.marks.items():
        if student in told.rows:
            assert {name: auto for name, (auto, _) in told.rows[student].items()} == mark.points
        else:  # no student's folder
            assert set(mark.points.values()) == {None}


def test_an_odd_folder_is_refused_with_its_reason(attacked):
    told, _ = attacked
    known = {paper.name for paper in ATTACKS} | {neighbour(paper) for paper in ATTACKS}
    odd = {name: mark for name, mark in told.marks.items() if name not in known}
    assert len(odd) > 5
    for name, mark in odd.items():
        assert mark.reasons or mark.total == ALL, name


def test_nothing_was_written_outside_of_the_box(attacked):
    told, before = attacked
    assert digests(told.root / "submitted") == before["handed in"]
    assert digests(told.root / "solutions") == before["solutions"]
    assert digests(sandbox.PACKAGE) == before["library"]
    for folder in map(Path, OUTSIDE):
        if folder.is_dir():
            names = os.listdir(folder)
            assert not [name for name in names if MARK in name or "left-for-the" in name], folder
    found = [path for path in told.root.rglob("*") if MARK in path.name]
    assert not found


def test_nobody_imports_what_lies_beside_a_notebook(attacked):
    told, _ = attacked
    assert not (told.folder("shipped_modules") / "imported").exists()


def test_no_process_outlives_the_run(attacked):
    _, before = attacked
    left = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children()}
    new = {pid: words for pid, words in left.items() if pid not in before["children"]}
    assert not [words for words in new.values() if b"resource_tracker" not in words], new
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert b"sleep\x0098765" not in path.read_bytes()
        except OSError:
            continue


# --- what students read -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(attacked):
    """The feedback of the attackers: student → HTML."""
    told, _ = attacked
    for paper in ATTACKS:  # a page takes a while, and those of the honest are nothing new
        shutil.rmtree(told.root / "build" / "autograded" / neighbour(paper))
    return {page.parent.parent.name: page.read_text("utf-8") for page in write_feedback(told.unit)}


def hidden_lines(told: Class) -> list[str]:
    """Lines that no student may see: of hidden tests, and of our own answers."""
    secret = []
    for exercise in told.unit.exercises.values():
        secret += re.findall(r".*our_own_answer.*", exercise.answer.source)
        for cell in exercise.checks:
            shown = without_hidden(cell.source).splitlines()
            secret += [line for line in cell.source.splitlines() if line not in shown]
    return ["".join(line.split()) for line in secret if len(line.strip()) > 25]


def test_feedback_is_written_for_all(pages):
    assert {paper.name for paper in ATTACKS} <= set(pages)


@pytest.mark.parametrize("paper", ATTACKS, ids=lambda paper: paper.name)
def test_feedback_tells_no_secret_and_runs_no_script(attacked, pages, paper):
    told, _ = attacked
    page = pages[paper.name]
    text = html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", "", page, flags=re.S))
    flat = "".join(text.split())
    assert not [line for line in hidden_lines(told) if line in flat]
    assert "LEAKED[[" not in flat
    assert str(told.root) not in page
    assert "SQLite format" not in page
    assert not re.search(r"<script[^>]*>[^<]*alert\(", page)
    assert not re.search(r"<(?:img|svg|iframe)[^>]*\bon\w+\s*=", page)
    assert not re.search(r"href\s*=\s*[\"']?\s*javascript:", page, re.I)
    secret = (told.root / "grading" / "secret").read_text()
    assert secret not in page


def test_the_graded_notebooks_can_be_read(attacked):
    told, _ = attacked
    for path in (told.root / "build" / "autograded").glob(f"*/{NAME}/{NAME}.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))


# --- folders that are no student's ----------------------------------------------------------------


# Half a character in such a name would stop the gradebook; a line break, nbgrader's feedback.
@pytest.mark.parametrize("name", ["line\nbreak", os.fsdecode(b"\xff"), "<b>bold<"], ids=ascii)
def test_a_folder_that_is_no_students_stops_nobody(tmp_path, name):
    told = Class.at(tmp_path)
    told.hand_in_honest("honest")
    told.hand_in_honest(name)
    told.grade()
    assert told.marks["honest"].points == POINTS
    assert "no student id" in "".join(told.marks[name].reasons)
    assert set(told.rows) == {"honest"}
    assert [page.parent.parent.name for page in write_feedback(told.unit)] == ["honest"]
