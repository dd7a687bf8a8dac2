"""The parts of the book's pages that are not written by hand, but from sources and records.

A page asks for one by a comment of its own, `<!-- NAME: written by genssl book -->`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from genssl_utils.course.print_edition import NAME
from genssl_utils.course.results_page import recorded_tables, table_line
from genssl_utils.course.source import CourseError, Unit
from genssl_utils.course.ways import Addresses, addresses
from genssl_utils.course.welcome import course_map

MARK = re.compile(r"<!-- (?P<name>\w+): written by genssl book -->")

PRINT_LINK = f'The whole book is also <a href="{NAME}">one PDF</a>, for paper.'


def written(units: Sequence[Unit], *, pdf: bool = False) -> dict[str, str]:
    """Every part that a page can ask for: its name → Markdown.

    Args:
        units: every unit of the course.
        pdf: whether there is a print edition to link to.
    """
    return {
        "get": where_it_is(addresses(units[0].root)),
        "map": course_map(units),
        "printed": PRINT_LINK if pdf else "",
        "tables": recorded_tables(units),
        "units": table_of_units(units),
    }


def filled(page: str, text: str, parts: Mapping[str, str]) -> str:
    """A page with the parts that it asks for.

    Args:
        page: its file's name.
        text: as written by hand.
        parts: from `written`.

    Raises:
        CourseError: it asks for a part that nobody writes.
    """

    def part(mark: re.Match[str]) -> str:
        if mark["name"] not in parts:
            raise CourseError(
                f"book/{page} asks for '{mark['name']}'; there are {', '.join(sorted(parts))}."
            )
        return parts[mark["name"]]

    return MARK.sub(part, text)


def where_it_is(where: Addresses) -> str:
    """How to get the course, for the page for students."""
    if not where.repository:
        return (
            "This copy of the book names no place on the web: the course is the file "
            "`genssl-students.zip`, from whoever gave you the book. Unpack it."
        )
    return (
        f"The course lies at [{where.repository}]({where.repository}): "
        f"`git clone {where.repository}`, or download it there and unpack it."
    )


def table_of_units(units: Sequence[Unit]) -> str:
    """What an instructor plans a term by."""
    rows = [
        [
            f"{{doc}}`{unit.label} <units/{unit.name}>`",
            f"{unit.about.hours:g}",
            unit.about.needs,
            str(len(unit.exercises)),
            f"{sum(one.points for one in unit.exercises.values()):g}",
        ]
        for unit in units
        if unit.number
    ]
    heads = ["unit", "hours", "students know", "exercises", "points"]
    return "\n".join(map(table_line, [heads, ["---"] * len(heads), *rows]))
