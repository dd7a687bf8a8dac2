"""A Sphinx extension: what the book's theme and its extensions get wrong for a screen reader."""

from __future__ import annotations

from typing import Any

LIST_OF_PAPERS = ' role="list" class="citation-list"'
"""Its items are no list items for a screen reader, so that it must not call itself a list."""


def mend(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Mend a page's body before the theme's frame goes around it."""
    if "body" in context:
        context["body"] = context["body"].replace(LIST_OF_PAPERS, ' class="citation-list"')


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
