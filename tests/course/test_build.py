"""A build gives the same bytes each time, tells what is stale, and lets no answer out."""

from __future__ import annotations

import nbformat
import pytest
from nbgrader.api import Gradebook

from genssl_utils.course.build import build, stray_notebooks
from genssl_utils.course.source import CourseError, all_units, find_unit
from toy_course import TOY, write_unit


def test_two_builds_are_one_file(toy):
    build([toy])
    first = toy.notebook.read_bytes()
    toy.notebook.unlink()
    build([find_unit(toy.root, "07")])
    assert toy.notebook.read_bytes() == first


def test_what_students_get_holds_no_answer_and_no_hidden_test(toy):
    build([toy])
    text = toy.notebook.read_text()
    assert "the_reference_answer" not in text
    assert "31337" not in text
    assert "BEGIN" not in text
    assert 'raise NotImplementedError(\\"Replace this line with your answer.\\")' in text


def test_the_students_notebook_is_clean_and_graded(toy):
    build([toy])
    nb = nbformat.read(toy.notebook, as_version=4)
    nbformat.validate(nb)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    graded = [cell["id"] for cell in code if "nbgrader" in cell.metadata]
    assert graded == ["double", "check_double"]
    assert sorted(path.name for path in toy.notebook.parent.iterdir()) == ["07_toy.ipynb"]


def test_the_gradebook_knows_the_points(toy):
    build([toy])
    with Gradebook(f"sqlite:///{toy.root}/gradebook.db") as book:
        assert book.find_assignment("07_toy").max_score == 2


def test_a_check_names_what_is_stale_and_writes_nothing(toy):
    build([toy])
    assert build([toy], check=True)[0].changed == ()
    before = sorted(path for path in toy.root.rglob("*") if path.is_file())
    toy.source.write_text(TOY.replace("twice a number do", "twice a number give"))
    stale = build([find_unit(toy.root, "07")], check=True)[0]
    assert stale.changed == (toy.notebook,)
    assert sorted(path for path in toy.root.rglob("*") if path.is_file()) == before


def test_a_rebuild_after_a_change_updates_notebook_and_gradebook(toy):
    build([toy])
    toy.source.write_text(TOY.replace('"points": 2', '"points": 5'))
    assert build([find_unit(toy.root, "07")])[0].changed == (toy.notebook,)
    with Gradebook(f"sqlite:///{toy.root}/gradebook.db") as book:
        assert book.find_assignment("07_toy").max_score == 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    ### END SOLUTION\n", ""),
        ("### END HIDDEN TESTS\n", ""),
        ('"grade": false, "grade_id": "double"', '"grade": true, "grade_id": "double"'),
        ("# # Doubling", "# # Doubling\n# ### BEGIN HIDDEN TESTS\n# secret"),
    ],
)
def test_a_source_that_would_leak_or_break_is_refused_whole(toy, old, new):
    assert old in TOY
    toy.source.write_text(TOY.replace(old, new))
    with pytest.raises(CourseError) as caught:
        build([find_unit(toy.root, "07")])
    assert "\n" not in str(caught.value)
    assert not toy.notebook.exists()


def test_a_file_beside_nbgraders_source_is_refused(toy):
    folder = toy.root / "build" / "source" / "07_toy"
    folder.mkdir(parents=True)
    (folder / "unit.py").write_text(TOY)
    with pytest.raises(CourseError, match=r"unit\.py"):
        build([toy])


def test_a_notebook_without_a_source_is_a_stray(course):
    (course / "notebooks" / "09_gone").mkdir()
    write_unit(course, "08_other", TOY)
    assert [p.name for p in stray_notebooks(course, all_units(course))] == ["09_gone"]
