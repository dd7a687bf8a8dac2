"""A unit is found, read and understood from its one source."""

from __future__ import annotations

import pytest

from genssl_utils.course.source import (
    CLAIM,
    REPORT,
    STUB,
    CourseError,
    all_units,
    find_unit,
    project_root,
)
from toy_course import CHECK, PROJECT, TOY, write_unit


def test_a_unit_has_one_name_in_every_room(toy):
    rooms = [toy.source, toy.notebook, toy.package, toy.key, toy.mistakes]
    assert [str(path.relative_to(toy.root)) for path in rooms] == [
        "solutions/07_toy/unit.py",
        "notebooks/07_toy/07_toy.ipynb",
        "genssl_utils/toy",
        "genssl_utils/toy/key.json",
        "solutions/07_toy/mistakes.py",
    ]
    assert (toy.number, toy.topic, toy.title) == (7, "toy", "Doubling")


def test_an_exercise_is_its_answer_and_its_checks(toy):
    exercise = toy.exercises["double"]
    assert exercise.points == 2
    assert "the_reference_answer" in exercise.answer.source
    assert ["BEGIN HIDDEN" in check.source for check in exercise.checks] == [True]


def test_cell_ids_depend_on_content_alone(course):
    one, two = write_unit(course, "08_a", TOY), write_unit(course, "09_b", TOY)
    ids = [cell["id"] for cell in one.nb.cells]
    assert ids == [cell["id"] for cell in two.nb.cells]
    assert len(set(ids)) == len(ids)
    changed = write_unit(course, "10_c", TOY.replace("# # Doubling", "# # Tripling"))
    assert [a == b["id"] for a, b in zip(ids, changed.nb.cells, strict=True)].count(False) == 1


def test_cells_of_the_same_text_keep_ids_of_their_own(course):
    unit = write_unit(
        course, "08_twice", TOY + '\n# %% tags=["setup"]\n1\n\n# %% tags=["setup"]\n1\n'
    )
    ids = [cell["id"] for cell in unit.nb.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"grade_id": "check_double"', '"grade_id": "check_triple"', "check_double"),
        ('tags=["exercise"]', 'tags=["setup"]', "without an answer: double"),
    ],
)
def test_an_answer_without_a_check_or_a_check_without_an_answer_is_named(course, old, new, told):
    with pytest.raises(CourseError, match=told):
        _ = write_unit(course, "08_odd", TOY.replace(old, new)).exercises


def test_an_exercise_may_end_in_a_number(course):
    unit = write_unit(course, "08_two", TOY.replace('double"', 'double_2"'))
    assert list(unit.exercises) == ["double_2"]
    counted = write_unit(course, "09_n", TOY.replace('"check_double"', '"check_double_2"'))
    assert list(counted.exercises) == ["double"]


def test_a_check_without_nbgraders_metadata_is_named(course):
    unit = write_unit(course, "08_bare", TOY.replace(f" nbgrader={CHECK}", ""))
    with pytest.raises(CourseError, match=r"08_bare.*ex = check\.exercise"):
        _ = unit.exercises


def test_the_mime_types_are_those_of_the_kit():
    from genssl_utils.kit import check, results

    assert (REPORT, CLAIM) == (check.MIME, results.CLAIM)


def test_the_stub_is_that_of_the_kit_and_of_nbgrader():
    from genssl_utils.kit.check.exercise import STUB as KITS

    assert STUB == KITS
    assert f'NotImplementedError("{STUB}")' in (PROJECT / "nbgrader_config.py").read_text()


def test_units_come_in_the_order_of_the_course(course):
    for name in ("21_last", "00_first"):
        write_unit(course, name, TOY)
    assert [unit.name for unit in all_units(course)] == ["00_first", "07_toy", "21_last"]


def test_a_students_copy_finds_its_units_by_their_notebooks(tmp_path):
    (tmp_path / "notebooks" / "03_vae").mkdir(parents=True)
    (tmp_path / "notebooks" / "03_vae" / "03_vae.ipynb").write_text("{}")
    assert find_unit(tmp_path, "vae").name == "03_vae"


def test_the_course_is_found_from_any_folder_in_it(course):
    assert project_root(course / "solutions" / "07_toy") == course.resolve()
    with pytest.raises(CourseError, match="not inside the course"):
        project_root(course.parent)
