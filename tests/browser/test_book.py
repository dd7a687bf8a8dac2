"""The real book, built with warnings as errors and read in a browser."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from genssl_utils.course.book import build_book
from genssl_utils.course.bundle import secret_lines
from genssl_utils.course.catalogue import named_checks
from genssl_utils.course.source import all_units
from static_page import figures, shown

PROJECT = Path(__file__).resolve().parents[2]
UNITS = all_units(PROJECT)
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
each_teaching_unit = pytest.mark.parametrize(
    "unit", [u for u in UNITS if u.number], ids=lambda u: u.name
)
UNIT = "units/05_gumbel_softmax.html"


@pytest.fixture(scope="module")
def book() -> Path:
    """The folder of the book, every page built anew."""
    return build_book(all_units(PROJECT), everything=True).parent


def pages(book: Path) -> list[str]:
    return sorted(
        path.relative_to(book).as_posix()
        for path in book.rglob("*.html")
        if "_static" not in path.parts
    )


def test_every_page_is_served_from_its_own_host(book, serve, open_page):
    address = serve(book, "course")
    assert UNIT in pages(book)
    for name in pages(book):
        page, notes = open_page(address + name)
        page.wait_for_load_state("networkidle")
        notes.assert_clean()


def test_formulas_are_set_by_the_books_own_mathjax(book, serve, open_page):
    page, notes = open_page(serve(book) + UNIT)
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-container").count() > 5
    notes.assert_clean()


def test_a_figure_of_the_page_moves(book, serve, open_page):
    page, notes = open_page(serve(book, "some/where") + UNIT)
    figure = figures(page).first
    before = shown(figure)
    figure.get_by_label("temperature").press("End")
    assert shown(figure)["tau"] == 10
    assert shown(figure) != before
    notes.assert_clean()


@each_teaching_unit
def test_every_live_figure_of_a_chapter_moves_by_keyboard(unit, book, serve, open_page):
    page, notes = open_page(serve(book) + f"units/{unit.name}.html")
    for i in range(figures(page).count()):
        figure = figures(page).nth(i)
        controls = figure.locator("input[type=range], [role=slider]")
        assert controls.count(), f"{unit.name}: figure {i} has nothing to move"
        before = shown(figure)
        assert before, f"{unit.name}: figure {i} carries no numbers"
        controls.first.press("Home")
        low = shown(figure)
        controls.first.press("End")
        controls.first.press("ArrowLeft")
        assert not before == low == shown(figure), f"{unit.name}: figure {i} did not move"
    notes.assert_clean()


@each_unit
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(unit, book, serve, open_page, scheme):
    page, _ = open_page(serve(book) + f"units/{unit.name}.html", width=360, color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@each_unit
def test_a_chapter_is_light_enough(unit, book):
    """With its pictures; the scripts and fonts that all pages share come once."""
    own = [book / "units" / f"{unit.name}.html", *(book / "_images").glob("*")]
    text = own[0].read_text("utf-8")
    used = [own[0], *(path for path in own[1:] if path.name in text)]
    assert sum(path.stat().st_size for path in used) <= 3e6


def test_no_page_holds_an_answer_or_a_hidden_test(book):
    files = [p for p in book.rglob("*") if p.suffix in (".html", ".ipynb", ".js", ".txt", ".md")]
    texts = {path: "".join(path.read_text("utf-8", "replace").split()) for path in files}
    for unit in all_units(PROJECT):
        for line in secret_lines(unit):
            for path, text in texts.items():
                assert line not in text, f"{path.relative_to(book)} holds {line}"


def test_no_page_names_a_hidden_check(book):
    files = [p for p in book.rglob("*") if p.suffix in (".html", ".ipynb", ".md")]
    texts = {path: path.read_text("utf-8", "replace") for path in files}
    for unit in all_units(PROJECT):
        seen = unit.notebook.read_text("utf-8")
        for exercise in unit.exercises.values():
            for cell in exercise.checks:
                for name, hidden, _ in named_checks(cell.source):
                    for path, text in texts.items():
                        shown = not hidden or name in seen or name not in html.unescape(text)
                        assert shown, f"{path.relative_to(book)} names {name}"


def test_the_book_can_be_published_as_it_is(book):
    assert (book / ".nojekyll").is_file()
    assert (book / "index.html").is_file()
    assert not list(book.rglob("unit.py"))
