"""The book's first page: the map of the course, and a live figure taken from a chapter."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape

from nbformat import NotebookNode

from genssl_utils.course.pages import STATE, VIEW, reachable
from genssl_utils.course.source import PARTS, CourseError, Unit

FIGURE = re.compile(r"^<!-- figure: (?P<unit>\w+) (?P<number>\d+) -->$", re.M)
"""Where a page gets the live figure of a chapter, counted from 1."""


def with_figures(page: str, text: str, chapters: Mapping[str, NotebookNode]) -> str:
    """A page with the live figures that it asks for.

    Args:
        page: its file's name.
        text: as written.
        chapters: a unit's name → its chapter, from `pages.page`.

    Raises:
        CourseError: a figure is asked for that the chapter does not have.
    """
    return FIGURE.sub(
        lambda found: _figure(page, chapters, found["unit"], int(found["number"])), text
    )


def course_map(units: Sequence[Unit]) -> str:
    """The units of each part as cards: what one can do afterwards, how long, what comes before."""
    labels = {unit.name: unit.label for unit in units}
    lines = []
    for number, part in enumerate(PARTS, 1):
        cards = [_card(unit, labels) for unit in units if unit.number and unit.about.part == part]
        if not cards:
            continue
        lines += [f"### Part {number}: {part}", "", "::::{grid} 1 1 2 2", ":gutter: 3"]
        lines += ["", *cards, "::::", ""]
    return "\n".join(lines)


def _card(unit: Unit, labels: Mapping[str, str]) -> str:
    about = unit.about
    needs = "; ".join([*(labels[name] for name in about.after), about.needs])
    return "\n".join([
        f":::{{grid-item-card}} {unit.label}",
        f":link: units/{unit.name}",
        ":link-type: doc",
        f":link-alt: {unit.title}",
        "",
        f"You will be able to {about.learn}.",
        "",
        f"*About {about.hours:g} hours. You need: {needs}.*",
        ":::",
    ])  # fmt: skip


def _figure(page: str, chapters: Mapping[str, NotebookNode], name: str, number: int) -> str:
    """A chapter's live figure as raw HTML: its state, its place, and the script that starts it."""
    cells = chapters[name].cells if name in chapters else []
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    views = [output.data[VIEW] for output in outputs if VIEW in output.get("data", {})]
    if not 1 <= number <= len(views):
        raise CourseError(f"book/{page} asks for figure {number} of {name}: there is none.")
    view = views[number - 1]
    state = chapters[name].metadata.widgets[STATE]["state"]
    kept = reachable([view["model_id"]], state)
    saved = {"version_major": 2, "version_minor": 0, "state": kept}
    return "\n".join([
        "```{raw} html",
        '<div class="cell_output">',
        _script(VIEW, view),
        "</div>",
        _script(STATE, saved),
        '<script src="_static/figure-host.js"></script>',
        "```",
    ])  # fmt: skip


def _script(kind: str, content: object) -> str:
    """A script tag that holds JSON; with no `<` in it, nothing in there can end or hide the tag."""
    text = json.dumps(content, ensure_ascii=True).replace("<", r"\u003c")
    return f'<script type="{escape(kind)}">{text}</script>'
