import ast
import json

import pytest

from genssl_utils.course import catalogue
from genssl_utils.course.mutants import mutants
from genssl_utils.course.source import (
    CourseError,
    Exercise,
    Unit,
    find_unit,
    project_root,
    without_hidden,
)

SOURCE = """with ex.check("one"):
    a
### BEGIN HIDDEN TESTS
with ex.hidden("two", hint="x"):
    b
### END HIDDEN TESTS
ex.report()"""


def test_checks_are_named_in_order_with_what_is_hidden():
    assert catalogue.named_checks(SOURCE) == [("one", False, 1.0), ("two", True, 1.0)]
    assert catalogue.named_checks(without_hidden(SOURCE)) == [("one", False, 1.0)]
    ast.parse(without_hidden(SOURCE))


def test_keys_that_differ_by_rounding_are_the_same():
    a = {"x": [1.0, 2.0], "n": 3, "w": "word"}
    same = json.dumps(a | {"x": [1.00001, 2.0]})
    assert catalogue.same_key(json.dumps(a), same)
    for other in ({"x": [1.01, 2.0]}, {"x": [1.0]}, {"w": "another"}, {"n": 4}, {"more": 1}):
        assert not catalogue.same_key(json.dumps(a), json.dumps(a | other))
    assert not catalogue.same_key("{", "{}")


def test_counts_may_differ_by_a_percent_of_all():
    def key(*counts):
        return json.dumps({"seen": {"kind": "frequencies", "counts": counts}})

    assert catalogue.same_key(key(500, 300, 200), key(505, 298, 197))
    for other in (key(480, 320, 200), key(500, 300), key(500, 300, 100, 100)):
        assert not catalogue.same_key(key(500, 300, 200), other)


def test_a_key_is_made_alike_twice():
    unit = find_unit(project_root(), "00")
    text = catalogue.make_key(unit)
    assert catalogue.make_key(unit) == text
    assert json.loads(text)["unit"] == "00_start_here"


def unit_with(tmp_path, mistakes, change=lambda text: text):
    real = find_unit(project_root(), "00")
    folder = tmp_path / "solutions" / real.name
    folder.mkdir(parents=True)
    (folder / "unit.py").write_text(change(real.source.read_text("utf-8")), "utf-8")
    if mistakes is not None:
        (folder / "mistakes.py").write_text(mistakes, "utf-8")
    return Unit(real.name, tmp_path)


@pytest.mark.parametrize(
    ("mistakes", "said"),
    [
        (None, "has no catalogue"),
        ("1 / 0", "division by zero"),
        (
            "from genssl_utils.course.catalogue import mistake\n"
            "@mistake('other', 'hint')\ndef f(x): return x",
            "unknown `other`",
        ),
    ],
)
def test_a_bad_catalogue_is_told_in_one_line(tmp_path, mistakes, said):
    with pytest.raises(CourseError, match=said):
        catalogue.load(unit_with(tmp_path, mistakes))


BLURRED = """from genssl_utils.course.catalogue import mistake, oracle
@oracle("standardise")
def expected(x): return (x - x.mean(0)) / x.std(0, correction=0)
@mistake("standardise", "one")
def first(x): return FIRST
@mistake("standardise", "two")
def second(x): return x * 3
"""


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("expected(x)", "`first` passes the visible checks"),
        ("x + x + x", "`second` looks to the visible checks just like `first`"),
    ],
)
def test_a_mistake_that_its_hint_cannot_reach_is_refused(tmp_path, first, said):
    unit = unit_with(tmp_path, BLURRED.replace("FIRST", first))
    with pytest.raises(CourseError, match=said):
        catalogue.make_key(unit)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def standardise(x):", "def standardise(x)", "the answer `standardise` stops with Syntax"),
        ("def standardise(x):", "def standard(x):", "defines no standardise"),
        ("import torch\n", "import torch\nraise SystemExit('no')\n", "setup cell that begins `"),
        ("ex.report()", "ex.report() / 0", "the check `check_standardise` stops with TypeError"),
        (', "points": ', ', "marks": ', "give it nbgrader's metadata"),
    ],
)
def test_a_cell_that_stops_is_named(tmp_path, old, new, said):
    def change(text):
        assert old in text
        return text.replace(old, new)

    unit = unit_with(tmp_path, "", change)
    with pytest.raises(CourseError, match=said) as caught:
        catalogue.Checker(unit).run(unit.exercises["standardise"])
    assert unit.name in str(caught.value)
    assert "\n" not in str(caught.value)


def exercise(source):
    cell = type("Cell", (), {"source": source})()
    return Exercise("f", cell, ())


def names(source):
    return {m.name.removeprefix("f: ") for m in mutants(exercise(source))}


def test_mutants_change_operators_constants_terms_signs_and_calls():
    made = names("def f(x):\n    return -(x + 2).detach().mean(dim=0)")
    for what in ("swap operator", "keep the left", "keep the right", "move the constant 2"):
        assert any(name.startswith(what) for name in made), what
    for what in ("drop the sign", "drop .detach()", "mean becomes sum", "drop dim="):
        assert any(name.startswith(what) for name in made), what


def test_mutants_drop_guards():
    made = names("def f(x):\n    if x <= 0:\n        raise ValueError\n    return x")
    assert "never `x <= 0`" in made
    assert "pass instead of raise" in made
    assert "swap comparison in `x <= 0`" in made


def test_every_mutant_compiles_and_differs():
    made = mutants(exercise("def f(a, b):\n    return a * b - a / (b + 1)"))
    sources = [m.source for m in made]
    assert len(set(sources)) == len(sources) > 8
    assert sum(m.function(exercise(""), {})(3.0, 5.0) != 14.5 for m in made) == len(made)
