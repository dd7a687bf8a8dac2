"""Citations as links: JupyterLab shows MyST's roles raw, so a student's notebook gets links."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from genssl_utils.course.source import CourseError

if TYPE_CHECKING:
    from pybtex.database import Entry, Person

ROLE = re.compile(r"\{cite(?::(?P<style>[a-z]+))?\}`(?P<keys>[^`]+)`")


def with_links(text: str, bibliography: Path) -> str:
    """A markdown text with its citation roles written out as links.

    `{cite:t}`, and a role that a colon announces, stand as they are; the others go into brackets.

    Args:
        text: MyST markdown.
        bibliography: the BibTeX file that the book uses; where it is missing the roles stay.

    Returns:
        Plain markdown.

    Raises:
        CourseError: a key is not in the bibliography, or that is not readable.
    """
    if not bibliography.is_file():
        return text

    def written(role: re.Match[str]) -> str:
        keys = [key.strip() for key in role["keys"].split(",")]
        links = "; ".join(_link(key, bibliography) for key in keys)
        bare = role["style"] == "t" or text[: role.start()].endswith(": ")
        return links if bare else f"({links})"

    return ROLE.sub(written, text)


def _link(key: str, bibliography: Path) -> str:
    entries = _entries(bibliography, bibliography.stat().st_mtime_ns)
    if key not in entries:
        raise CourseError(f"`{key}` is cited, but is not in {bibliography.name}.")
    entry = entries[key]
    name = author_year(entry, ", ")
    address = _address(entry)
    return f"[{name}]({address})" if address else name


@cache
def _entries(bibliography: Path, changed: int) -> dict[str, Entry]:
    from pybtex.database import parse_file
    from pybtex.exceptions import PybtexError

    try:
        return dict(parse_file(str(bibliography), "bibtex", encoding="utf-8").entries.items())
    except PybtexError as error:
        first = str(error).splitlines()[0]
        raise CourseError(f"{bibliography.name} is not readable: {first}") from error


def author_year(entry: Entry, between: str) -> str:
    """Who wrote (or edited) a work and when, as a text names it.

    Example:
        >>> from pybtex.database import Entry, Person
        >>> two = [Person("Ho, J."), Person("Jain, A.")]
        >>> author_year(Entry("article", {"year": "2020"}, {"author": two}), ", ")
        'Ho and Jain, 2020'
    """
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [_family(person) for person in people] or ["Anonymous"]
    who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return f"{who}{between}{entry.fields.get('year', 'undated')}"


def _family(person: Person) -> str:
    return " ".join(map(str, [*person.rich_prelast_names, *person.rich_last_names]))


def _address(entry: Entry) -> str:
    """Where the paper can be read: its arXiv page, else its DOI."""
    if number := entry.fields.get("eprint", ""):
        return f"https://arxiv.org/abs/{number}"
    doi = entry.fields.get("doi", "").removeprefix("https://doi.org/")
    return f"https://doi.org/{doi}" if doi else ""
