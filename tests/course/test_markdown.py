"""Formulas and markdown on nbgrader's pages: MathML, links, and nothing that runs."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import nbformat
import pytest
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from genssl_utils.course.formulas import ATTRIBUTES, LONGEST, mathml
from genssl_utils.course.gradebook import settings
from genssl_utils.course.markdown import Renderer, markdown_filter
from toy_course import PROJECT

BIBLIOGRAPHY = PROJECT / "book" / "references.bib"
ALARM = "alert(document.domain)"
HOSTILE = [
    rf"\href{{javascript:{ALARM}}}{{click}}",
    r"\style{background:url(//evil.example/x)}{x}",
    rf"\class{{x\" onmouseover={ALARM} y}}{{x}}",
    rf"\text{{<script>{ALARM}</script>}}",
    rf"\text{{&lt;img src=x onerror={ALARM}&gt;}}",
    rf"\mathrm{{</math><script>{ALARM}</script>}}",
    rf"<img src=x onerror={ALARM}>",
    rf"\color{{red\" onclick=\"{ALARM}}}x",
    rf"\textcolor{{\"><script>{ALARM}</script>}}{{x}}",
    rf"\hspace{{1em\" onclick=\"{ALARM}}}",
    rf"\verb|<script>{ALARM}</script>|",
    rf"\unicode{{x3c}}script>{ALARM}",
    r"\newcommand{\a}{xx}" + "".join(
        rf"\newcommand{{\{chr(98 + n)}}}{{\{chr(97 + n)}\{chr(97 + n)}}}" for n in range(24)
    ) + r"\y",
    r"\def\x{\x\x}\x",
    "{" * 1500, "}" * 1500, r"\left(" * 300, r"\frac" * 500, "^" * 500, "x_" * 500, r"\sqrt[" * 300,
    r"\begin{matrix}" * 200, r"\begin{array}{" + "c" * 3000, r"\end{x}", "\\", r"\right)",
    "&" * 900, "x" * (LONGEST + 1), "\x00\x1b", r"\hspace", r"\kern", r"\rule{9999999em}{99999em}x",
]  # fmt: skip
"""TeX by somebody who means harm, or who made a mistake."""


class Reading(HTMLParser):
    """What a browser would make of a page: its tags and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def harmless(page: str) -> bool:
    reading = Reading(page)
    calls = [name for name, value in reading.attributes if name.startswith("on")]
    links = [value or "" for name, value in reading.attributes if name in ("href", "src")]
    bad = {"script", "img", "iframe", "object", "style", "meta", "form", "svg", "link", "base"}
    return not (bad & set(reading.tags) or calls or any("script:" in link for link in links))


def rendered(source: str, **cell: object) -> str:
    return markdown_filter(BIBLIOGRAPHY)({"cell": cell}, source)


class Formulas(Renderer):
    """Keeps what it is asked to show."""

    found: list[str]

    def block_math(self, body: str) -> str:
        self.found.append(body)
        return ""

    inline_math = block_math

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")


def formulas() -> list[str]:
    """Every formula of the students' notebooks."""
    reader = Formulas()
    reader.found = []
    for path in sorted((PROJECT / "notebooks").glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                MarkdownWithMath(renderer=reader).render(cell.source)
    return reader.found


def test_every_formula_of_the_course_becomes_mathml():
    found = formulas()
    assert len(found) > 50
    for tex in found:
        made = mathml(tex)
        assert made.startswith("<math"), tex
        assert "\\" not in made, f"{tex} has a command that is not understood: {made}"


def test_what_a_formula_says_is_in_its_mathml():
    tex = r"\frac{a < b}{\sum_j \log x_j} \ge \arg\max_k"
    math = ElementTree.fromstring(mathml(tex, block=True))
    assert math.attrib == {"display": "block"}
    assert "".join(math.itertext()) == "a<b∑jlogxj≥argmaxk"
    (row,) = [e for e in math.iter("mrow") if [c.tag for c in e][-2:] == ["mspace", "msub"]]
    assert [c.text for c in row if c.tag == "mi"] == ["log"]  # and a space before what it is of


@pytest.mark.parametrize("tex", HOSTILE, ids=lambda tex: tex[:24].encode("unicode_escape"))
def test_hostile_tex_runs_nothing_and_stops_nothing(tex):
    made = mathml(tex)
    assert harmless(made)
    if made.startswith("<math"):
        assert {name for name, _ in Reading(made).attributes} <= ATTRIBUTES
    else:
        assert made.startswith("<code>$")
    page = rendered(f"# A $y$ title\n\n$${tex}$$\n\nand ${tex}$, then $z$")
    assert harmless(page)
    assert Reading(page).tags.count("math") + page.count("<pre>") >= 1


@pytest.mark.parametrize(
    "source",
    [
        f"<script>{ALARM}</script>",
        f"<img src=x onerror={ALARM}>",
        f"text <b onclick={ALARM}>bold</b>",
        f"[a](javascript:{ALARM})",
        f"[a](data:text/html,<script>{ALARM}</script>)",
        f"![$x$\" onerror={ALARM} y=\"](attachment:missing)",
        f"```mermaid\n</pre><script>{ALARM}</script>\n```",
        f"```\"><script>{ALARM}</script>\nx\n```",
        "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "[" * 5000, "> " * 2000 + "x", "* " * 2000, "$" * 3001,
        "{cite:p}`nobody_wrote_this`",
    ],
    ids=lambda source: source[:16].encode("unicode_escape"),
)  # fmt: skip
def test_hostile_markdown_runs_nothing_and_stops_nothing(source):
    page = rendered(source)
    assert harmless(page)
    assert page.strip()


def test_citations_are_links_as_in_the_notebook():
    page = rendered("A trick {cite:p}`jang2017categorical`.")
    assert re.search(r'\(<a href="https://arxiv.org/abs/1611.01144">Jang et al., 2017</a>\)', page)


def test_the_settings_are_the_same_whenever_they_are_read():
    """The formgrader, which reads them at each request, starts anew when they are not."""
    assert settings(PROJECT) == settings(PROJECT)
