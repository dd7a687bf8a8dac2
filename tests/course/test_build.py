"""A build gives the same bytes each time, tells what is stale, and lets no answer out."""

from __future__ import annotations

import re
import shutil

import nbformat
import pytest
from nbgrader.api import Gradebook

from genssl_utils.course.build import build, stray_notebooks
from genssl_utils.course.citations import with_links
from genssl_utils.course.source import CourseError, all_units, find_unit
from toy_course import PROJECT, TOY, write_unit


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
    assert [path.name for path in folder.iterdir()] == ["unit.py"]


def test_what_editors_leave_beside_nbgraders_source_stops_nothing(toy):
    folder = toy.root / "build" / "source" / "07_toy"
    (folder / ".ipynb_checkpoints").mkdir(parents=True)
    (folder / ".DS_Store").write_text("")
    build([toy])
    assert sorted(p.name for p in toy.notebook.parent.iterdir()) == ["07_toy.ipynb"]


def cite(course, *keys):
    """The toy course with a bibliography, and a unit that cites these keys."""
    (course / "book").mkdir()
    shutil.copy(PROJECT / "book" / "references.bib", course / "book")
    cited = TOY.replace(
        "# # Doubling", "# # Doubling\n#\n# As known {cite}`" + ",".join(keys) + "`."
    )
    return write_unit(course, "08_cites", cited)


WILLIAMS = "[Williams, 1992](https://doi.org/10.1007/BF00992696)"


def test_citations_are_links_in_the_students_notebook(course):
    unit = cite(course, "jang2017categorical", "kusner2016gans", "williams1992simple")
    build([unit])
    text = nbformat.read(unit.notebook, as_version=4).cells[0].source
    assert text.endswith(
        "As known ([Jang et al., 2017](https://arxiv.org/abs/1611.01144); "
        "[Kusner and Hernández-Lobato, 2016](https://arxiv.org/abs/1611.04051); "
        f"{WILLIAMS})."
        "\n\nWhat does twice a number do?"
    )
    assert build([unit], check=True)[0].changed == ()


@pytest.mark.parametrize(
    ("role", "written"),
    [
        ("as {cite:t}`williams1992simple` found", f"as {WILLIAMS} found"),
        ("The paper: {cite}`williams1992simple`.", f"The paper: {WILLIAMS}."),
        ("a trick {cite:p}`williams1992simple`.", f"a trick ({WILLIAMS})."),
    ],
)
def test_a_citation_is_in_brackets_unless_the_sentence_needs_it(role, written):
    assert with_links(role, PROJECT / "book" / "references.bib") == written


def test_a_reference_without_an_address_is_no_link(tmp_path):
    bib = tmp_path / "references.bib"
    bib.write_text("@book{old1900, author = {Old, Ada}, title = {A}, year = {1900}}", "utf-8")
    assert with_links("a trick {cite}`old1900`.", bib) == "a trick (Old, 1900)."


def test_a_citation_of_nothing_is_refused(course):
    with pytest.raises(CourseError, match="`nobody1900` is cited"):
        build([cite(course, "nobody1900")])


def test_without_a_bibliography_a_role_stays(course):
    unit = cite(course, "jang2017categorical")
    (course / "book" / "references.bib").unlink()
    build([unit])
    assert "{cite}`jang2017categorical`" in unit.notebook.read_text("utf-8")


def test_a_key_that_differs_by_rounding_is_kept(course):
    real = find_unit(PROJECT, "00")
    shutil.copytree(real.source.parent, course / "solutions" / real.name)
    unit = find_unit(course, "00")
    build([unit])
    made = unit.key.read_text("utf-8")
    number = next(re.finditer(r"\b\d\.\d{6,}", made)).group()
    nearly = made.replace(number, f"{float(number) * (1 + 1e-6):.9f}")
    assert nearly != made
    unit.key.write_text(nearly, "utf-8")
    assert build([unit])[0].changed == ()
    assert unit.key.read_text("utf-8") == nearly
    unit.key.write_text("{}", "utf-8")
    assert build([unit])[0].changed == (unit.key,)
    assert unit.key.read_text("utf-8") == made


def test_a_notebook_without_a_source_is_a_stray(course):
    (course / "notebooks" / "09_gone").mkdir()
    write_unit(course, "08_other", TOY)
    assert [p.name for p in stray_notebooks(course, all_units(course))] == ["09_gone"]
