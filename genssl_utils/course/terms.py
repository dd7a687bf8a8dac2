"""Glossary terms in a chapter: the first use of each becomes a link to its entry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genssl_utils.course.source import CourseError

GLOSSARY = re.compile(r"^```\{glossary\}\n(?P<body>.*?)^```$", re.M | re.S)
NAMED_UNIT = re.compile(r"<units/(\w+)>")

NO_PROSE = re.compile(
    r"""
    \\[^\w\s]                                                  # an escaped sign
  | ^[ ]{0,3}(?P<fence>`{3,}|~{3,}).*?(?:^[ ]{0,3}(?P=fence)[`~]*[ \t]*$|\Z)  # a block of code
  | \$\$.*?(?:\$\$|\Z)                                         # a formula of its own
  | ^\\begin\{(?P<env>\w+\*?)\}.*?(?:\\end\{(?P=env)\}|\Z)
  | (?:\{[\w:+-]+\})?(?P<tick>`+)(?!`).*?(?<!`)(?P=tick)(?!`)  # code, or a role
  | \$(?:\\.|[^$\\])+\$                                        # a formula in the line
  | ^[ ]{0,3}\#{1,6}(?:[ \t].*?)?$                             # a heading, and the other kind:
  | ^[^\n]+\n[ ]{0,3}(?:=+|-+)[ \t]*$
  | ^(?:[ ]{4}|\t)[^\n]*$                                      # code by its indent
  | ^[ ]{0,3}(?::{3,}|\([^()\n]*\)=|\[[^\]\n]*\]:)[^\n]*$      # a directive's line, a target
  | ^[ ]{0,3}<[a-zA-Z/!].*?(?=\n[ \t]*\n|\Z)                   # a block of HTML
  | !?\[[^\[\]]*\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\{[^{}]*\})?             # a link, a picture
  | <[^<>\n]+>
  | https?://\S+
    """,
    re.X | re.M | re.S,
)
"""Where no link may go. The order matters: what opens first wins, as in a reader of markdown."""


@dataclass(frozen=True)
class Term:
    """One entry of the glossary.

    Args:
        name: as the entry is headed.
        forms: other ways to write it: plurals, abbreviations, other parts of speech.
        only: the units whose text means this by the word; all when empty.
        taught: the units that the definition names.
    """

    name: str
    forms: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    taught: tuple[str, ...] = ()


def read_terms(glossary: Path) -> list[Term]:
    """The entries of a glossary page; none where there is no page.

    Above a term may stand two comments, each a list with commas: `.. forms:` and `.. only:`.

    Args:
        glossary: a MyST page with a `{glossary}` directive.

    Returns:
        The terms in the order of the page.

    Raises:
        CourseError: one way of writing belongs to two terms.
    """
    if not glossary.is_file():
        return []
    terms: list[Term] = []
    owners: dict[str, list[Term]] = {}
    text = glossary.read_text(encoding="utf-8")
    for body in GLOSSARY.finditer(text):
        # A blank line ends an entry, unless what follows is still indented: its next paragraph.
        for entry in re.split(r"\n\s*\n(?=\S)", body["body"].strip("\n")):
            terms.append(_term(entry))
    for term in terms:
        for form in (term.name, *term.forms):
            for other in owners.setdefault(form.casefold(), []):
                if not term.only or not other.only or set(term.only) & set(other.only):
                    raise CourseError(
                        f"{glossary.name}: '{form}' belongs to '{other.name}' and '{term.name}'."
                    )
            owners[form.casefold()].append(term)
    return terms


def _term(entry: str) -> Term:
    told: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in entry.splitlines():
        if comment := re.match(r"\.\. (forms|only): (.+)$", line):
            told[comment[1]] = tuple(part.strip() for part in comment[2].split(","))
        elif line.strip() and not line[0].isspace():
            name = line.strip()
    taught = tuple(dict.fromkeys(NAMED_UNIT.findall(entry)))
    return Term(name, told.get("forms", ()), told.get("only", ()), taught)


def link_first_uses(texts: Sequence[str], terms: Sequence[Term], unit: str) -> list[str]:
    """A chapter's texts with Sphinx's `{term}` role at the first use of each term.

    Code, formulas, headings, links, citations and HTML stay as they are. Of two terms that begin
    at one place the longer one counts.

    Args:
        texts: the markdown of a chapter, cell by cell, in order.
        terms: the glossary.
        unit: the chapter's unit.

    Returns:
        As many texts.
    """
    names = {
        form: term.name
        for term in terms
        if not term.only or unit in term.only
        for form in (term.name, *term.forms)
    }
    if not names:
        return list(texts)
    pattern = re.compile(
        r"(?<![\w-])(?:" + "|".join(map(_written, sorted(names, key=len, reverse=True)))
        + r")(?![\w-])"
    )  # fmt: skip
    by_form = {form.casefold(): name for form, name in names.items()}
    seen: set[str] = set()

    def linked(use: re.Match[str]) -> str:
        words = re.sub(r"\s+", " ", use[0])
        name = by_form[words.casefold()]
        if name in seen:
            return use[0]
        seen.add(name)
        return f"{{term}}`{words}`" if words == name else f"{{term}}`{words} <{name}>`"

    done = []
    for text in texts:
        parts, at = [], 0
        for kept in NO_PROSE.finditer(text):
            parts += [pattern.sub(linked, text[at : kept.start()]), kept[0]]
            at = kept.end()
        done.append("".join([*parts, pattern.sub(linked, text[at:])]))
    return done


def _written(form: str) -> str:
    """The form as a pattern: a capital may begin it, and a line may break in it."""
    first = re.escape(form[0])
    if form[0].islower():
        first = f"[{form[0]}{form[0].upper()}]"
    rest = re.escape(form[1:]).replace(r"\ ", r"[ \t]*[ \n][ \t]*")
    return first + rest
