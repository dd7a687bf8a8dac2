"""What a published page tells search engines and link previews; an extension of Sphinx.

Each page describes itself in its head (Open Graph). Where the book's address is known
(`html_baseurl`), the tags name the page's own address and a picture, and `sitemap.xml` lists all
pages. Nothing is asked of any other host.
"""

from __future__ import annotations

import html
import textwrap
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx

CARD = "_static/card.png"
CARD_TEXT = "GenSSL: five words with their probabilities, a temperature slider, and one soft sample"
"""The picture of a link preview, 1200 × 630, and what it shows."""

LONGEST = 200
"""Characters of a description; previews cut what is longer."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Join Sphinx."""
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def add_tags(
    app: Sphinx, name: str, template: str, context: dict[str, Any], page: nodes.document | None
) -> None:
    """Put the tags into the head of a page that somebody wrote."""
    if page is None:  # the index, the search
        return
    title = next((found.astext() for found in page.findall(nodes.title)), app.config.project)
    told = {
        "og:type": "article",
        "og:site_name": app.config.project,
        "og:title": title,
        "og:description": describe(page),
    }
    if app.config.html_baseurl:
        base = app.config.html_baseurl.rstrip("/")
        told |= {
            "og:url": f"{base}/{app.builder.get_target_uri(name)}",
            "og:image": f"{base}/{CARD}",
            "og:image:alt": CARD_TEXT,
        }
    tags = [
        f'<meta property="{key}" content="{html.escape(text)}" />' for key, text in told.items()
    ]
    tags.append(f'<meta name="description" content="{html.escape(told["og:description"])}" />')
    if app.config.html_baseurl:
        tags.append('<meta name="twitter:card" content="summary_large_image" />')
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def describe(page: nodes.document) -> str:
    """The beginning of the first paragraph that is more than a row of links."""
    for paragraph in page.findall(nodes.paragraph):
        rest = [
            part.astext() for part in paragraph.children if not isinstance(part, nodes.reference)
        ]
        if "".join(rest).strip(" ·\n"):
            return textwrap.shorten(paragraph.astext(), LONGEST, placeholder=" ...")
    return ""


def write_sitemap(app: Sphinx, failed: Exception | None) -> None:
    """List the address of every page, where the book's own is known."""
    path, base = Path(app.outdir) / "sitemap.xml", app.config.html_baseurl.rstrip("/")
    if failed or not base:
        path.unlink(missing_ok=True)
        return
    pages = [app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    lines = [f"<url><loc>{escape(f'{base}/{page}')}</loc></url>" for page in pages]
    opening = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    text = ['<?xml version="1.0" encoding="utf-8"?>', opening, *lines, "</urlset>", ""]
    path.write_text("\n".join(text), encoding="utf-8")
