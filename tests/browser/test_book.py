"""The real book, built with warnings as errors and read in a browser."""

from __future__ import annotations

import gzip
import html
import importlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from genssl_utils.course.bundle import secret_lines
from genssl_utils.course.catalogue import named_checks
from genssl_utils.course.source import all_units
from static_page import HELD, STATE, figures, pages, saved_figures, settle, shown

for test in sorted(Path(__file__).parent.glob("test_*_figure.py")):
    importlib.import_module(test.stem)  # each registers what its figure is held against

PROJECT = Path(__file__).resolve().parents[2]
UNITS = all_units(PROJECT)
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
each_teaching_unit = pytest.mark.parametrize(
    "unit", [u for u in UNITS if u.number], ids=lambda u: u.name
)
UNIT = "units/05_gumbel_softmax.html"


class _Marks(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.links += [told[name] for name in ("href", "src") if told.get(name)]
        self.anchors |= {told[name] for name in ("id", "name") if told.get(name)}


def links(page: Path) -> list[str]:
    return _Marks(page.read_text("utf-8")).links


def anchors(page: Path) -> set[str]:
    return _Marks(page.read_text("utf-8")).anchors


def test_every_page_is_served_from_its_own_host_and_is_light(book, serve, open_page):
    """Light: all that a first visit loads, with the scripts and fonts that other pages share.

    Text counts as a host sends it, compressed (GitHub Pages does so); of the page's own parts also
    the size on the disk, which is what a reader without a server opens.
    """
    address = serve(book, "course")
    assert UNIT in pages(book)
    for name in pages(book):
        page, notes = open_page(address + name)
        settle(page)
        notes.assert_clean()
        if name == "index.html":  # it only sends on
            continue
        came = {one.url: one.body() for one in notes.responses if one.url.startswith(address)}
        sent = sum(min(len(body), len(gzip.compress(body))) for body in came.values())
        own = [body for url, body in came.items() if "_static" not in url]
        assert sum(map(len, own)) >= (book / name).stat().st_size
        for weight in (sent, sum(map(len, own))):
            assert weight <= 3e6, f"{name} weighs {weight / 1e6:.2f} MB"
        page.context.close()


def test_every_page_opens_from_a_folder(book, open_page):
    for name in pages(book):
        page, notes = open_page((book / name).as_uri())
        settle(page)
        assert page.locator("h1").count(), f"{name} is empty"
        notes.assert_clean()
    page, _ = open_page((book / UNIT).as_uri())
    figure = figures(page).first
    figure.get_by_label("temperature").press("End")
    assert shown(figure)["tau"] == 10


def test_every_link_inside_the_book_leads_somewhere(book):
    targets = {name: anchors(book / name) for name in pages(book)}
    broken = []
    for name in targets:
        for link in links(book / name):
            where = urlparse(link)
            if where.scheme or where.netloc:
                continue
            path = (book / name).parent / unquote(where.path) if where.path else book / name
            goal = path.resolve().relative_to(book.resolve()).as_posix()
            here = targets.get(goal)
            if not path.is_file() or (where.fragment and here and where.fragment not in here):
                broken.append(f"{name}: {link}")
    assert not broken


def test_the_first_page_has_a_live_figure_above_the_fold(book, serve, open_page):
    page, notes = open_page(serve(book) + "welcome.html", width=1200)
    figure = figures(page).first
    before = shown(figure)
    steps = figure.get_by_label("training steps")
    box = steps.bounding_box()
    assert box["y"] + box["height"] < 900, "one must scroll to move it"
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    assert shown(figure) != before
    notes.assert_clean()


def test_the_map_leads_to_every_unit(book):
    found = set(links(book / "welcome.html"))
    for unit in UNITS:
        if unit.number:
            assert f"units/{unit.name}.html" in found


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
def test_every_live_figure_of_a_chapter_moves_by_keyboard_and_shows_torchs_numbers(
    unit, book, serve, open_page
):
    page, notes = open_page(serve(book) + f"units/{unit.name}.html")
    settle(page)
    count, saved = figures(page).count(), saved_figures(page)
    assert count == len(saved) > 0
    for i, (name, state) in enumerate(saved):
        figure = figures(page).nth(i)
        assert name in HELD, f"no test holds {name} against torch: see `holds` in static_page.py"
        controls = figure.locator("input[type=range], [role=slider]")
        assert controls.count(), f"{unit.name}: figure {i} has nothing to move"
        for control in controls.all():
            told = control.evaluate("n => n.ariaLabel ?? n.labels?.[0]?.textContent ?? ''")
            seen = []
            for key in (None, "Home", "End", "ArrowLeft", "Home", "ArrowUp"):
                if not control.is_visible():  # another choice of this figure needs it
                    break
                if key:
                    control.press(key)
                seen.append(shown(figure) | {"said": control.get_attribute("aria-valuetext")})
                assert len(seen[-1]) > 1, f"{unit.name}: figure {i} carries no numbers"
                HELD[name](shown(figure), state)
            moved = len({json.dumps(data) for data in seen}) > 1
            assert moved or not seen, f"{unit.name}: '{told}' of figure {i} did not move"
    notes.assert_clean()


@each_teaching_unit
def test_every_live_figure_of_a_chapter_moves_by_mouse(unit, book, serve, open_page):
    """And each leaves its picture in build/figures/, for whoever wants to look at a change."""
    page, notes = open_page(serve(book) + f"units/{unit.name}.html", width=1200)
    settle(page)
    assert figures(page).count() == len(saved_figures(page))
    for i in range(figures(page).count()):
        figure = figures(page).nth(i)
        figure.scroll_into_view_if_needed()
        kept = PROJECT / "build" / "figures" / f"{unit.name}-{i + 1}.png"
        kept.parent.mkdir(parents=True, exist_ok=True)
        figure.screenshot(path=kept)
        before = shown(figure)
        slider = figure.locator("input[type=range]").first
        handle = slider if slider.count() else figure.locator(".genssl-point").first
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if slider.count():
            for part in (0.1, 0.9):
                page.mouse.click(box["x"] + part * box["width"], down)
        else:
            page.mouse.move(across, down)
            page.mouse.down()
            page.mouse.move(across + 40, down + 30, steps=4)
            page.mouse.up()
        assert shown(figure) != before, f"{unit.name}: figure {i} did not move"
    notes.assert_clean()


@each_teaching_unit
def test_every_figure_says_in_words_what_it_shows(unit, book, serve, open_page):
    page, _ = open_page(serve(book) + f"units/{unit.name}.html")
    settle(page)
    for i in range(figures(page).count()):
        described = figures(page).nth(i).get_attribute("aria-describedby")
        told = page.locator(f"[id='{described}']").text_content()
        assert len(told.split()) >= 8, f"{unit.name}: figure {i} says only '{told}'"
    for picture in page.locator(".bd-article img").all():
        told = picture.get_attribute("alt") or ""
        shown_only = len(told.split()) < 4 or re.match(r"<?Figure (size|\d)", told)
        assert not shown_only, f"{unit.name}: a picture says only '{told}'"


@pytest.mark.parametrize("served", [True, False], ids=["served", "from a folder"])
def test_a_search_finds_a_chapter(book, serve, open_page, served):
    address = serve(book, "course") if served else f"{book.as_uri()}/"
    page, notes = open_page(address + "search.html?q=temperature")
    page.wait_for_selector("#search-results li a")
    found = [a.get_attribute("href") for a in page.locator("#search-results li a").all()]
    assert any(link.split("?")[0].split("#")[0].endswith(UNIT) for link in found)
    notes.assert_clean()


def test_every_figures_state_is_light_enough(book):
    for name in pages(book):
        text = (book / name).read_text("utf-8")
        for state in re.findall(rf'<script type="{re.escape(STATE)}">(.*?)</script>', text, re.S):
            for model in json.loads(state)["state"].values():
                assert len(json.dumps(model)) <= 1e6, f"{name}: {model['model_name']}"


def said(path: Path) -> str:
    """What a file of the book says, without spaces: a page without its tags, a notebook's cells."""
    text = path.read_text("utf-8", "replace")
    if path.suffix == ".html":
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    elif path.suffix == ".ipynb":
        text += "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return "".join(text.split())


def test_no_page_holds_an_answer_or_a_hidden_test(book):
    files = [p for p in book.rglob("*") if p.suffix in (".html", ".ipynb", ".js", ".txt", ".md")]
    texts = {path: said(path) for path in files}
    stub = 'raiseNotImplementedError("Replacethislinewithyouranswer.")'
    assert stub in texts[book / UNIT], "code is found through the tags that colour it"
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
