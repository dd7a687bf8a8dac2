"""What the class got wrong: every count right, no student named, nothing fetched from outside."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from html import unescape
from urllib.parse import unquote

import nbformat
import pytest

from genssl_utils.course.build import build
from genssl_utils.course.grade import intake, sandbox
from genssl_utils.course.grade.journal import Journal, only_grader
from genssl_utils.course.grade.screen import grade
from genssl_utils.course.report import table, write_report
from genssl_utils.course.report.anonymous import bare, labels, names_one_of, without_names
from genssl_utils.course.report.standing import standing
from genssl_utils.course.report.wrong import misled, recognised, same, unrecognised
from genssl_utils.course.source import CourseError
from toy_course import copy_unit

NAME = "05_gumbel_softmax"
HINT = "You squared it: <two> times is not a square."


# --- a made class on the toy unit ---------------------------------------------------------------


def number(*data, check="twice two"):
    """What a check saw, as the judge keeps it."""
    seen = {"kind": "value", "shape": [len(data)], "dtype": "float", "data": list(data)}
    return {"check": check, "seen": seen}


def verdict(twice=True, hidden=True, *, mistake="", unknown=(), trouble="", unanswered=False):
    """A verdict on `double`, which has a visible and a hidden check."""
    checks = [
        {"name": "twice two", "hidden": False, "passed": twice, "mistake": mistake,
         "hint": HINT if mistake else "", "message": "", "weight": 1.0},
        {"name": "a negative one", "hidden": True, "passed": hidden, "mistake": "", "hint": "",
         "message": "", "weight": 1.0},
    ]  # fmt: skip
    passed = twice and hidden
    some = "partly" if twice or hidden else "failed"
    status = "unanswered" if unanswered else "passed" if passed else some
    return {
        "cells": {"check_double": {"status": status, "points": 0, "checks": checks}},
        "unknown": list(unknown), "trouble": trouble, "seconds": 0.5,
        "submission": {"box_seconds": 2.0, "peak_mib": 300, "restarts": int(bool(trouble))},
    }  # fmt: skip


CODE = "def double(x):  # by {who}\n    '''Made by {who}.'''\n    return x + 1"
CLASS = {
    "ada.lovelace": (verdict(), 2.0),
    "ben": (verdict(), 2.0),
    "cyd": (verdict(False, False, unknown=[number(3.0, 0.5)]), 0.0),
    "dov": (verdict(False, False, unknown=[number(3.0000001, 0.5)]), 0.0),
    "eva": (verdict(False, False, unknown=[number(2.9999999, 0.5)]), 0.0),
    "fay": (verdict(False, False, unknown=[number(3.1, 0.5)]), 0.0),
    "gus": (verdict(False, True, mistake="squared"), 1.0),
    "hal": (verdict(False, False, mistake="squared"), 0.0),
    "ida": (verdict(True, False), 1.0),
    "jon": (verdict(False, False, unanswered=True), 0.0),
    "kim": (verdict(False, False, trouble="ended Python (exit code 3)"), 0.0),
    "lea": (None, None),
}


def hand_in(unit, student, code):
    """A submission and its evidence, as the recorder leaves it."""
    folder = unit.root / "submitted" / student / unit.name
    folder.mkdir(parents=True)
    (folder / f"{unit.name}.ipynb").write_text(code)
    cell = {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": "double"}}, "source": code}
    cells, remarks = [cell], [f"the notebook was called {student} again.ipynb"]
    if CLASS.get(student, (1,))[0] is None:
        note = f"**Nothing could be run:** {student} is a link, and links are not followed. "
        note += "A person has to look at it."
        cells.insert(0, {"cell_type": "markdown", "id": "not-read", "source": note})
    noted = remarks if student == "ben" else []
    nb = {"cells": cells, "metadata": {"genssl": {"remarks": noted}}}
    folder = unit.root / "build" / "autograded" / student / unit.name
    folder.mkdir(parents=True)
    (folder / f"{unit.name}.ipynb").write_text(json.dumps(nb))


def graded(unit, students):
    """Put students with their verdicts into the journal."""
    journal = Journal.open(unit.root, unit.name)
    for name in students:
        told, points = CLASS[name]
        hand_in(unit, name, CODE.format(who=name))
        if told:
            journal.keep({f"old {name}": verdict(False, False, mistake="an_old_one")})
            journal.keep({f"key {name}": told})
        entry = {"sha256": intake.fingerprint(unit, name), "points": {"double": points}}
        keys = {"double": f"key {name}"} if told else {}
        journal.record(name, {"keys": {"double": f"old {name}"}, "points": {"double": 0.0}})
        journal.record(name, {"keys": keys} | entry)
    return journal


@pytest.fixture
def made(toy):
    """The toy unit with the whole class graded."""
    graded(toy, CLASS)
    return toy


def texts(page):
    """Everything a reader could find in a page: pictures decoded, entities resolved."""
    return unescape(unquote(page))


def alts(page):
    return [unescape(alt) for alt in re.findall(r'<img alt="([^"]*)"', page)]


def test_everyone_is_counted_once_as_last_graded(made):
    stands = standing(made)
    assert Counter(result.status for result in stands.results("double")) == {
        "passed": 2, "partly": 2, "failed": 6, "unanswered": 1, "no verdict": 1,
    }  # fmt: skip
    assert (stands.handed_in, len(stands.graded), stands.waiting) == (12, 11, 0)
    assert stands.median == 0.0
    assert stands.most == 2.0
    assert sorted(work.student for work in stands.flagged) == ["ben", "kim", "lea"]


def test_recognised_mistakes_are_counted_with_their_hint(made):
    (known,) = recognised(standing(made).results("double"))
    assert (known.name, known.count, known.hint) == ("squared", 2, HINT)


def test_equal_values_make_a_group(made):
    groups = unrecognised(standing(made), "double")
    members = [sorted(work.student for work in group.works) for group in groups]
    assert members[0] == ["cyd", "dov", "eva"]
    assert sorted(members[1:]) == [["fay"], ["ida"], ["kim"]]


def test_the_page_tells_the_numbers_in_words(made):
    page = write_report(made)[0].read_text("utf-8")
    assert len(alts(page)) == page.count("<img") == page.count("<figcaption>") >= 6
    told = "\n".join(alts(page))
    assert "double: 2 passed, 2 partly, 6 failed, 1 unanswered, 1 no verdict" in told
    assert "a negative one (hidden): 7" in told
    assert f"squared: 2 ({HINT})" in told
    assert "no hint, group A: 3 (float tensor (2): 3, 0.5)" in told
    assert "<h4>Group A: 3 answers</h4>" in page
    assert "solutions/07_toy/mistakes.py" in page
    assert "It was stopped, and 2 checks failed." in page
    assert "an_old_one" not in page


def test_the_page_fetches_nothing(made):
    page = write_report(made)[0].read_text("utf-8")
    assert "default-src 'none'" in page
    used = re.findall(r"""(?:src|href|action|poster)\s*=\s*["']([^"']*)""", page)
    assert used
    assert all(where.startswith(("#", "data:image/svg+xml,")) for where in used)
    assert not re.search(r"<script|<link|@import|<iframe", page)
    bare_page = texts(page).replace("http://www.w3.org/", "")
    assert "http:" not in bare_page
    assert "https:" not in bare_page
    assert all(where.startswith("#") for where in re.findall(r"url\(([^)]*)", bare_page))


def test_nobody_is_named_unless_asked(made):
    paths = write_report(made)
    assert [path.name for path in paths] == ["07_toy.html", "07_toy.csv"]
    for path in paths:
        text = texts(path.read_text("utf-8"))
        assert not [n for n in CLASS if re.search(rf"(?<![a-z]){re.escape(n)}(?![a-z])", text)]
        assert "Lovelace" not in text.title()
    named = [texts(path.read_text("utf-8")) for path in write_report(made, names=True)]
    assert "<b>kim</b>" in named[0]
    assert all("ada.lovelace" in text for text in named[1:])


def test_examples_have_no_comment_and_no_markup_of_the_students(made):
    hand = made.root / "build" / "autograded"
    for name in ("cyd", "dov", "eva"):
        path = hand / name / made.name / f"{made.name}.ipynb"
        nb = json.loads(path.read_text())
        nb["cells"][-1]["source"] = (
            f"def double(x):  # {name}\n    if x < 0 > -1:\n"
            "        raise ValueError('<b>Eve</b>')\n    return x.mean('ij') + 1"
        )
        path.write_text(json.dumps(nb))
    page = write_report(made)[0].read_text("utf-8")
    assert "if x &lt; 0 &gt; -1:" in page
    assert "Eve" not in page
    assert "mean(&#x27;ij&#x27;)" in page


def test_the_table_has_a_row_a_submission_and_exercise(made):
    rows = list(csv.DictReader(io.StringIO(write_report(made)[1].read_text("utf-8"))))
    assert len(rows) == 12
    assert sorted(row["student"] for row in rows) == [f"s{n:02}" for n in range(1, 13)]
    assert {row["exercise"] for row in rows} == {"double"}
    by_name = csv.DictReader(io.StringIO(table(standing(made, names=True))))
    rows = {row.pop("student"): row for row in by_name}
    assert rows["gus"] == {
        "exercise": "double", "points": "1", "max": "2", "status": "partly",
        "failed checks": "twice two", "recognised mistakes": "squared", "trouble": "",
        "seconds": "0.5",
    }  # fmt: skip
    assert rows["kim"]["trouble"] == "ended Python (exit code 3)"
    assert rows["ida"]["failed checks"] == "a negative one (hidden)"
    assert (rows["jon"]["status"], rows["jon"]["failed checks"]) == ("unanswered", "")
    assert (rows["lea"]["status"], rows["lea"]["points"]) == ("no verdict", "")


def test_no_cell_of_the_table_is_a_formula(toy):
    hand_in(toy, "@SUM(A1)", "")
    entry = {"keys": {}, "points": {"double": None}, "sha256": "", "reasons": ["odd"]}
    Journal.open(toy.root, toy.name).record("@SUM(A1)", entry)
    assert table(standing(toy, names=True)).splitlines()[1].startswith("'@SUM(A1),")


def test_the_same_class_gives_the_same_bytes(made):
    first = [path.read_bytes() for path in write_report(made)]
    assert [path.read_bytes() for path in write_report(made)] == first


# --- bad states ---------------------------------------------------------------------------------


def test_a_unit_that_was_never_graded_is_one_line(toy, genssl):
    before = sorted(toy.root.rglob("*"))
    code, _, err = genssl(toy.root, "report", "07")
    assert code == 2
    assert err == "genssl: Nobody is graded in 07_toy yet. Run: genssl grade 07_toy\n"
    assert sorted(toy.root.rglob("*")) == before


def test_a_journal_without_a_submission_is_as_never_graded(toy):
    Journal.open(toy.root, toy.name).keep({"key": verdict()})
    with pytest.raises(CourseError, match="genssl grade 07_toy"):
        write_report(toy)


def test_the_command_names_what_it_wrote(made, genssl):
    code, out, _ = genssl(made.root, "report", "07")
    assert code == 0
    assert out.split() == ["build/report/07_toy.html", "build/report/07_toy.csv"]


def test_a_running_grader_is_not_disturbed(made):
    with only_grader(made.root):
        assert write_report(made)[0].is_file()


@pytest.mark.parametrize("student", CLASS)
def test_a_class_of_one(toy, student):
    graded(toy, [student])
    page = write_report(toy)[0].read_text("utf-8")
    assert "<dd>1</dd>" in page


def test_an_exercise_that_all_passed_has_nothing_to_look_at(toy):
    graded(toy, ["ada.lovelace", "ben"])
    page = write_report(toy)[0].read_text("utf-8")
    assert "There is no wrong answer to look at." in page
    assert "Every answer to every exercise passed." in page


def test_damaged_lines_and_later_work_are_told(made):
    path = made.root / "grading" / f"{made.name}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lost = next(n for n, line in enumerate(lines) if b'"key":"key cyd"' in line)
    lines[lost] = lines[lost].replace(b"verdict", b"verdikt")
    path.write_bytes(b"".join(lines))
    (made.root / "submitted" / "dov" / made.name / f"{made.name}.ipynb").write_text("newer")
    hand_in(made, "mia", "late")
    page = write_report(made)[0].read_text("utf-8")
    assert "1 line of the journal cannot be read, and 1 verdict is not there." in page
    assert "2 submissions are not graded as handed in now." in page
    assert "<h4>Group A: 2 answers</h4>" in page


def test_long_names_are_kept_inside(toy):
    long = "a_name_" * 17
    hand_in(toy, long, CODE)
    told = verdict(False, False, mistake="m" * 200, unknown=[number(*[1e-30] * 400)])
    told["cells"]["check_double"]["checks"][0]["name"] = "check " * 60
    journal = Journal.open(toy.root, toy.name)
    journal.keep({"key": told})
    entry = {"keys": {"double": "key"}, "points": {"double": 0.0}, "reasons": ["why " * 90]}
    journal.record(long, entry | {"sha256": ""})
    assert long in write_report(toy, names=True)[0].read_text("utf-8")


# --- parts --------------------------------------------------------------------------------------


def test_labels_cannot_be_told_without_the_secret():
    students = [f"student{n}" for n in range(30)]
    one, other = labels(students, b"one"), labels(students, b"other")
    assert one == labels(reversed(students), b"one")
    assert sorted(one.values()) == sorted(other.values())
    assert one != other


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ({"dtype": "integer", "data": [1, 2]}, {"dtype": "integer", "data": [1, 2]}, True),
        ({"dtype": "integer", "data": [1, 2]}, {"dtype": "float", "data": [1.0, 2.0]}, False),
        ({"dtype": "float", "data": [1.0, "nan"]}, {"dtype": "float", "data": [1.0, "nan"]}, True),
        ({"dtype": "float", "data": [1.0, "inf"]}, {"dtype": "float", "data": [1.0, 9.0]}, False),
        ({"dtype": "complex", "data": [1.0, 2.0, 3.0, 4.0]},
         {"dtype": "complex", "data": [1.0, 2.0000001, 3.0, 4.0]}, True),
        ({"dtype": "boolean", "data": [1, 0]}, {"dtype": "boolean", "data": [1, 1]}, False),
    ],
)  # fmt: skip
def test_values_are_equal_up_to_rounding(a, b, equal):
    value = {"kind": "value", "shape": [2]}
    assert same(value | a, value | b) is equal


def test_laws_are_equal_up_to_chance():
    import numpy as np

    from genssl_utils.kit.check.observe import Fact, Frequencies, Law

    draws = np.random.default_rng(0)
    a, b = (Law(draws.gumbel(size=5000)).to_json() for _ in range(2))
    assert same(a, b)
    assert not same(a, Law(draws.gumbel(size=5000) + 0.3).to_json())
    assert not same(a, Law(draws.standard_normal(5000)).to_json())
    infinite = Law(np.where(draws.random(5000) < 0.3, np.inf, draws.random(5000))).to_json()
    assert same(infinite, dict(infinite))
    assert not same(infinite, a)
    assert not same(infinite, Law(np.array([np.nan])).to_json())
    counts = [Frequencies(np.array(c)).to_json() for c in ([50, 50], [52, 48], [90, 10])]
    assert same(counts[0], counts[1])
    assert not same(counts[0], counts[2])
    assert not same(counts[0], Fact("raised KeyError").to_json())


def test_code_without_texts_still_reads():
    source = 'x = f"by {x} Ada"  # Ada\nclass A:\n    """Ada."""\nimport os\nb"Ada"\ny = "mean"'
    assert bare(source) == "x = f'…{x}…'\n\nclass A:\n    pass\nimport os\ny = 'mean'"
    with pytest.raises(SyntaxError):
        bare("%magic by Ada")


def test_an_id_in_code_or_in_a_reason_is_seen():
    assert names_one_of("def ada_loss(x): pass", "ben", ["ada"])
    assert names_one_of("lovelace = 1", "ada.lovelace", [])
    assert not names_one_of("adaptive = 1", "ada", ["ada"])
    assert without_names("ada.ipynb is a hard link to another file", "ada").startswith("what was")
    assert without_names("oops: ada did it", "ada") == "oops: the student did it"


# --- a real class -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A small real class, graded."""
    root = tmp_path_factory.mktemp("course")
    unit = copy_unit(root, NAME)
    build([unit])
    right = {name: exercise.answer.source for name, exercise in unit.exercises.items()}
    noise = "def sample_gumbel(shape, generator=None):\n    return torch.randn(shape, generator="
    halved = "def reinforce_loss(log_prob, reward, baseline=0.0):\n    return -(torch.as_tensor("
    halved += "reward - baseline).detach() * log_prob).mean() {how}"
    thrice = right["sample_gumbel"].replace("-torch", "-3 * torch", 1)
    classes = {
        "anna": right,
        "bert": right | {"sample_gumbel": noise + "generator)"},
        "cora": right | {"reinforce_loss": halved.format(how="/ 2")},
        "dora": right | {"reinforce_loss": halved.format(how="* 0.5")},
        "emil": {},
        "finn": right | {"sample_gumbel": thrice},
    }
    for student, answers in classes.items():
        nb = nbformat.read(unit.notebook, as_version=4)
        for cell in nb.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(grade_id, cell.source)
        folder = root / "submitted" / student / NAME
        folder.mkdir(parents=True)
        nbformat.write(nb, folder / f"{NAME}.ipynb")
    grade(unit, walls=not sandbox.why_not_here())
    return unit


def test_a_real_class(real):
    stands = standing(real, names=True)
    assert (stands.handed_in, len(stands.graded), stands.waiting, stands.flagged) == (6, 6, 0, [])
    (known,) = recognised(stands.results("sample_gumbel"))
    assert (known.name, known.count) == ("normal_noise", 1)
    (halved,) = unrecognised(stands, "reinforce_loss")
    assert [work.student for work in halved.works] == ["cora", "dora"]
    for work in stands.works:
        assert work.box_seconds > 0
        assert work.peak_mib > 50
        assert work.restarts == 0


def test_an_answer_that_leans_on_a_wrong_one_is_told(real):
    stands = standing(real, names=True)
    (finn,) = unrecognised(stands, "gumbel_softmax")
    assert misled(stands, finn) == {"sample_gumbel": 1}
    assert "<code>sample_gumbel</code>, which is wrong there" in texts(
        write_report(real)[0].read_text("utf-8")
    )


def test_the_page_in_a_browser(real, browser):
    path = write_report(real)[0]
    for width in (360, 1200):
        page = browser.new_page(viewport={"width": width, "height": 900})
        asked, said = [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto(path.as_uri())
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert said == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        page.close()
