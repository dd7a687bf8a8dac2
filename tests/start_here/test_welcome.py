"""The welcome notebook tells of the units that there are, in order, and of no other."""

import re

import pytest

from genssl_utils.course.source import all_units, find_unit, project_root

ROOT = project_root()
TEACHING = [unit.name for unit in all_units(ROOT) if unit.number > 0]


def listed(text: str) -> list[str]:
    """Names of units in the rows of a table, in order."""
    return re.findall(r"^(?:# )?\| `(\d\d_\w+)` \|", text, re.M)


@pytest.mark.parametrize("page", ["solutions/00_start_here/unit.py", "README.md"])
def test_every_unit_is_listed_in_order(page):
    assert listed((ROOT / page).read_text("utf-8")) == TEACHING


def test_the_practice_exercise_is_two_lines_and_alone():
    welcome = find_unit(ROOT, "00")
    (exercise,) = welcome.exercises.values()
    answer = exercise.answer.source.split("### BEGIN SOLUTION")[1].split("### END")[0]
    assert len(answer.strip().splitlines()) == 2


def test_the_last_line_leads_to_the_first_unit():
    last = find_unit(ROOT, "00").nb.cells[-1].source
    assert f"{TEACHING[0]}/{TEACHING[0]}.ipynb" in last.splitlines()[-1]
