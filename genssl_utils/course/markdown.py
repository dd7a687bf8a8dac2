"""Markdown as nbgrader's pages show it: formulas, citations as links, and no HTML of anybody's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from genssl_utils.course.citations import with_links
from genssl_utils.course.formulas import mathml
from genssl_utils.course.source import CourseError

TEMPLATES = Path(__file__).parent / "templates"
"""Our parts of nbgrader's pages; `nbgrader_config.py` puts them before its own."""


class Renderer(IPythonRenderer):
    """nbconvert's, with formulas as MathML; HTML is shown as text, and no link runs anything."""

    def __init__(self, **options: Any) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False, **options)

    def block_math(self, body: str) -> str:
        """`$$...$$`."""
        return mathml(body, block=True)

    def inline_math(self, body: str) -> str:
        """`$...$`."""
        return mathml(body)

    def latex_environment(self, name: str, body: str) -> str:
        r"""`\begin{align}...\end{align}`."""
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", block=True)

    def block_mermaidjs(self, code: str) -> str:
        """A diagram that a script from another host would draw: its text."""
        return self.block_code(code)


@cache  # the formgrader starts anew when its settings are not the same as before
def markdown_filter(bibliography: Path) -> Callable[[Context, str], str]:
    """What stands in for nbconvert's filter `markdown2html`.

    Args:
        bibliography: where the papers are that a text cites.

    Returns:
        A filter for Jinja. It stops on no text: one that cannot be rendered is shown as it is.
    """

    @pass_context
    def markdown2html(context: Context, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        try:
            text = _cited(source, bibliography)
            return MarkdownWithMath(renderer=Renderer(attachments=attachments)).render(text)
        except Exception:  # whatever a student's text makes of the parser, the class goes on
            return f"<pre>{escape(source)}</pre>"

    return markdown2html


def _cited(source: str, bibliography: Path) -> str:
    try:
        return with_links(source, bibliography)
    except CourseError:
        return source  # a role that is no citation of ours
