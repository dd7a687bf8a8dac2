"""The skeleton that *Add a unit* begins with builds, and keeps the contract of all units."""

from __future__ import annotations

import ast
import json
import re
import shutil
from dataclasses import asdict

import pytest
import test_units as contract
import yaml

import genssl_utils
from genssl_utils.course import catalogue
from genssl_utils.course.build import build
from genssl_utils.course.bundle import secret_lines
from genssl_utils.course.source import MARKERS, ROLES, all_units, find_unit
from toy_course import PROJECT

PAGE = (PROJECT / "book" / "contribute.md").read_text("utf-8")
UNIT = "20_squares"


@pytest.fixture
def skeleton(course, monkeypatch):
    """The skeleton, copied as the page says and built."""
    assert f"cp -r solutions/skeleton solutions/{UNIT}" in PAGE
    shutil.copytree(PROJECT / "solutions" / "skeleton", course / "solutions" / UNIT)
    package = course / "genssl_utils" / "squares"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""How long a row is."""\n', "utf-8")
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
    assert not any(line in "".join(shown.split()) for line in secret_lines(skeleton))


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
    for role in ROLES:
        assert f"`{role}`" in PAGE


def test_no_page_shows_an_answer_or_a_hidden_test(skeleton):
    secret = {line: u.name for u in (skeleton, *all_units(PROJECT)) for line in secret_lines(u)}
    for path in (PROJECT / "book").rglob("*.md"):
        text = path.read_text("utf-8")
        assert not any(marker in text for marker in MARKERS), path.name
        shown = "".join(text.split())
        for line, name in secret.items():
            assert line not in shown, f"{path.name} shows of {name}: {line}"


def test_the_page_shows_the_header_that_the_skeleton_has(skeleton):
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    told = yaml.safe_load(shown)["genssl"]
    assert told == asdict(skeleton.about) | {"after": list(skeleton.about.after)}
