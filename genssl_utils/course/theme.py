"""A Sphinx extension: what the book's theme and its extensions get wrong for our readers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels import BaseLabelStyle

from genssl_utils.course.citations import author_year

LIST_OF_PAPERS = ' role="list" class="citation-list"'
"""Its items are no list items for a screen reader, so that it must not call itself a list."""

ICONS_TWICE = re.compile(
    r'\s*<script[^>]* src="[^"]*_static/scripts/fontawesome\.js[^"]*"></script>'
)
"""The theme draws its icons by a font, and again by a script that is half of what a page weighs."""


class AuthorYearLabels(BaseLabelStyle):
    """The list of papers names them as the text does: "Jang et al. 2017"."""

    def format_labels(self, sorted_entries: Iterable[Entry]) -> Iterator[str]:
        """One label an entry; those of one name get a, b, c."""
        labels = [author_year(entry, " ") for entry in sorted_entries]
        often, letters = Counter(labels), {label: count(ord("a")) for label in labels}
        for label in labels:
            yield label + (chr(next(letters[label])) if often[label] > 1 else "")


class AuthorYearStyle(Style):
    """Entries as Sphinx writes them, in the order of their authors."""

    default_label_style = AuthorYearLabels
    default_sorting_style = "author_year_title"


def mend(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Mend a page's body before the theme's frame goes around it."""
    if "body" in context:
        context["body"] = context["body"].replace(LIST_OF_PAPERS, ' class="citation-list"')


def lighten(app: Any, failed: Exception | None) -> None:
    """Take the icons' script out of every page, and away."""
    if failed:
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        lighter = ICONS_TWICE.sub("", text)
        if lighter != text:
            path.write_text(lighter, encoding="utf-8")
    (out / "_static" / "scripts" / "fontawesome.js").unlink(missing_ok=True)


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    register_plugin("pybtex.style.formatting", "genssl", AuthorYearStyle)
    app.config.bibtex_default_style = "genssl"
    app.connect("html-page-context", mend)
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
