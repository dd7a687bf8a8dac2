"""The page of symbols and the units' text say the same."""

from __future__ import annotations

import re

import pytest

from genssl_utils.course.source import all_units
from toy_course import PROJECT

TEACHING = {unit.name[:2]: unit for unit in all_units(PROJECT) if unit.number}
PAGE = (PROJECT / "book" / "symbols.md").read_text("utf-8")
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| $")]
GREEK = {r"\pi": "π", r"\tau": "τ", r"\theta": "θ", r"\lambda": "λ", r"\alpha": "α", r"\sigma": "σ"}
CASES = [
    (symbol, number.strip())
    for row in ROWS
    for symbol in re.findall(r"\$([^$]+)\$", row[0])
    for number in row[3].split(",")
]


def symbols_of(unit) -> tuple[str, str]:
    """The formulas of a unit, and its prose without them and without code."""
    text = "\n".join(c.source for c in unit.nb.cells if c.cell_type == "markdown")
    formulas = re.findall(r"\$\$.*?\$\$|\$[^$]*\$", text, re.S)
    return " ".join(formulas), re.sub(r"`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.S)


def uses(unit, symbol: str) -> bool:
    formulas, prose = symbols_of(unit)
    # A letter in a formula stands for itself: not inside the name of a command or of a word.
    ahead = r"(?<![A-Za-z\\])" if symbol[0].isalpha() else ""
    after = r"(?![A-Za-z])" if symbol[-1].isalpha() else ""
    bare = re.sub(r"\\(?:text|mathrm)\{(?!KL)[^}]*\}", " ", formulas)
    if re.search(f"{ahead}{re.escape(symbol)}{after}", bare):
        return True
    plain = GREEK.get(symbol, symbol if symbol.isalpha() else "\0")
    return bool(re.search(rf"(?<![\w'’]){plain}(?![\w'’])", prose))


@pytest.mark.parametrize(("symbol", "number"), CASES, ids=[f"{n}-{s}" for s, n in CASES])
def test_each_unit_named_uses_the_symbol(symbol, number):
    assert number in TEACHING, f"there is no unit {number}"
    assert uses(TEACHING[number], symbol), f"unit {number} has no {symbol}"


def test_a_symbol_that_a_unit_lacks_is_noticed():
    assert not uses(TEACHING["05"], r"\odot")
    assert not uses(TEACHING["08"], r"\lambda")
    assert not uses(TEACHING["05"], r"\sigma")


@pytest.mark.parametrize("symbol", sorted(GREEK))
def test_a_greek_letter_is_listed_for_each_unit_that_has_it(symbol):
    listed = {number for known, number in CASES if known == symbol}
    assert {number for number, unit in TEACHING.items() if uses(unit, symbol)} == listed


def test_every_unit_is_on_the_page_and_no_row_comes_twice():
    assert {number for _, number in CASES} == set(TEACHING)
    heads = [row[0].strip() for row in ROWS]
    assert len(heads) == len(set(heads)) > 30
