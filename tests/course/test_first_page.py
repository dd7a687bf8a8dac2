"""The first page's map and figure, and the header that the map is made of."""

from __future__ import annotations

import json
import re

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from genssl_utils.course.pages import STATE, VIEW
from genssl_utils.course.source import CourseError, Unit, all_units
from genssl_utils.course.welcome import course_map, with_figures
from toy_course import PROJECT

UNITS = all_units(PROJECT)


def chapter(*names: str) -> NotebookNode:
    """A chapter with a live figure by each name; the state holds a text that ends a script."""
    nb = new_notebook()
    for name in names:
        view = {VIEW: {"model_id": name}}
        nb.cells.append(new_code_cell("", outputs=[new_output("display_data", data=view)]))
    state = {
        name: {"model_name": "AnyModel", "state": {"t": "</script><!-- <script>"}} for name in names
    }
    nb.metadata["widgets"] = {STATE: {"state": state}}
    return nb


def test_the_second_figure_comes_with_its_own_state_alone():
    text = with_figures("a.md", "<!-- figure: 07_a 2 -->", {"07_a": chapter("one", "two")})
    view, state = re.findall(r"<script type=[^>]*>(.*?)</script>", text, re.S)
    assert json.loads(view)["model_id"] == "two"
    assert list(json.loads(state)["state"]) == ["two"]
    assert json.loads(state)["state"]["two"]["state"]["t"] == "</script><!-- <script>"
    assert "<" not in state, "a comment that opens in it would hide the tag that ends it"


@pytest.mark.parametrize("asked", ["07_a 0", "07_a 3", "08_b 1"])
def test_a_figure_that_is_not_there_is_told(asked):
    with pytest.raises(CourseError, match="there is none"):
        with_figures("a.md", f"<!-- figure: {asked} -->", {"07_a": chapter("one", "two")})


def test_the_map_names_every_unit_once():
    text = course_map(UNITS)
    for unit in UNITS:
        assert text.count(f":link: units/{unit.name}\n") == (1 if unit.number else 0)
        assert not unit.number or f"You will be able to {unit.about.learn}." in text


HEADER = """\
# ---
# jupyter:
#   genssl:
#     part: {part}
#     hours: 2
#     after: [05_first]
#     needs: nothing
#     learn: count
# ---
"""


def test_a_units_header_is_read(tmp_path):
    unit = Unit("07_second", tmp_path)
    unit.source.parent.mkdir(parents=True)
    unit.source.write_text(HEADER.format(part="generative models"))
    assert unit.about.after == ("05_first",)
    assert unit.about.hours == 2


@pytest.mark.parametrize(
    "text", ["", HEADER.format(part="another"), "# ---\n# jupyter:\n#   genssl: {part: 1}\n# ---\n"]
)
def test_a_header_that_says_too_little_is_told(tmp_path, text):
    unit = Unit("07_second", tmp_path)
    unit.source.parent.mkdir(parents=True)
    unit.source.write_text(text)
    with pytest.raises(CourseError, match=r"07_second.*hours.*generative models"):
        _ = unit.about
