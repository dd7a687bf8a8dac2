"""The skeleton on the page *Add a unit* builds, and keeps the contract that every unit keeps."""

from __future__ import annotations

import ast
import json
import re

import pytest
import test_units as contract

import genssl_utils
from genssl_utils.course import catalogue
from genssl_utils.course.build import build
from genssl_utils.course.bundle import secret_lines
from genssl_utils.course.source import all_units, find_unit
from toy_course import PROJECT

PAGE = (PROJECT / "book" / "contribute.md").read_text("utf-8")
UNIT = "20_squares"


def block(name: str) -> str:
    """The code of the page's block of this name."""
    opened = rf"^```\{{code-block\}} python\n:name: {name}\n"
    return re.search(rf"{opened}(.*?)^```$", PAGE, re.M | re.S)[1]


@pytest.fixture
def skeleton(course, monkeypatch):
    """The unit of the page, written as the page says and built."""
    for path, text in {
        f"solutions/{UNIT}/unit.py": block("skeleton-unit"),
        f"solutions/{UNIT}/mistakes.py": block("skeleton-mistakes"),
        "genssl_utils/squares/__init__.py": '"""How long a row is."""\n',
    }.items():
        (course / path).parent.mkdir(parents=True, exist_ok=True)
        (course / path).write_text(text, "utf-8")
    monkeypatch.setattr(
        genssl_utils, "__path__", [*genssl_utils.__path__, str(course / "genssl_utils")]
    )
    unit = find_unit(course, UNIT)
    build([unit])
    return unit


def test_it_builds_and_the_page_says_what_is_written(skeleton):
    assert skeleton.notebook.is_file()
    for path in (skeleton.notebook, skeleton.key):
        assert str(path.relative_to(skeleton.root)) in PAGE
    assert build([skeleton], check=True)[0].changed == ()
    shown = skeleton.notebook.read_text("utf-8")
    assert "NotImplementedError" in shown
    assert "x.square().sum(dim=1)" not in shown
    assert "other rows" not in shown


def test_it_keeps_the_contract(skeleton):
    made = catalogue.Checker(skeleton)
    given = {
        "unit": skeleton, "name": "mean_square", "checker": lambda unit: made,
        "key": lambda unit: json.loads(unit.key.read_text("utf-8"))["exercises"],
    }  # fmt: skip
    for test in (
        contract.test_every_code_cell_has_one_role,
        contract.test_the_map_of_the_course_knows_it,
        contract.test_no_wall_of_text,
        contract.test_parameters_are_papermills,
        contract.test_experiments_fail_loudly_when_unanswered,
        contract.test_half_of_the_checks_are_hidden,
        contract.test_hidden_tests_stand_in_blocks_alone,
        contract.test_checks_call_no_other_answer,
        contract.test_the_answer_gets_full_points_twenty_times,
        contract.test_spoiling_the_inputs_gains_nothing,
        contract.test_an_empty_answer_is_told_to_be_written,
        contract.test_every_mistake_gets_its_own_hint,
        contract.test_every_unusual_right_answer_gets_full_points,
        contract.test_the_catalogue_is_rich_enough,
        contract.test_the_checks_reject_mutants_of_the_answer,
        contract.test_the_key_holds_numbers_and_hints_only,
    ):
        code = test.__code__
        test(**{name: given[name] for name in code.co_varnames[: code.co_argcount]})


def test_its_cells_run_from_the_top(skeleton):
    scope: dict = {"__name__": "__main__"}
    for cell in skeleton.nb.cells:
        if cell.cell_type == "code":
            exec(compile(ast.parse(cell.source), "<skeleton>", "exec"), scope)
    assert 1 < float(scope["largest"]) < 3


def test_every_path_and_role_that_the_page_names_is_there():
    for name in re.findall(r"`((?:genssl_utils|tests|solutions|book)/[\w./]+)`", PAGE):
        if "squares" not in name:
            assert (PROJECT / name.rstrip("/")).exists(), name
    from genssl_utils.course.source import ROLES

    for role in ROLES:
        assert f"`{role}`" in PAGE


def test_the_skeleton_shows_no_line_that_a_unit_hides():
    shown = "".join(PAGE.split())
    for unit in all_units(PROJECT):
        for line in secret_lines(unit):
            assert line not in shown, f"{unit.name}: {line}"
        seen = unit.notebook.read_text("utf-8")
        for exercise in unit.exercises.values():
            for cell in exercise.checks:
                for name, hidden, _ in catalogue.named_checks(cell.source):
                    assert not hidden or name in seen or name not in PAGE, f"{unit.name}: {name}"
