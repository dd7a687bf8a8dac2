"""The book as one PDF, printed by the browser that is here."""

from __future__ import annotations

import pytest
from pypdf import PdfReader

from genssl_utils.course import doctor
from genssl_utils.course.print_edition import NAME, pages_in_order, print_book
from genssl_utils.course.source import CourseError

CONTENTS = """\
format: jb-book
root: welcome
parts:
  - caption: Units
    chapters:
      - file: units/05_small
  - caption: About
    chapters:
      - file: end
"""
PAGE = "<!doctype html><title>{title} &#8212; GenSSL</title><h1>{title}</h1><p>{text}</p>"


@pytest.fixture
def built(tmp_path):
    """A book of three pages, in the order of its contents."""
    contents = tmp_path / "_toc.yml"
    contents.write_text(CONTENTS)
    html = tmp_path / "html"
    (html / "units").mkdir(parents=True)
    for name, title in (
        ("welcome", "Hello"),
        ("units/05_small", "Small &amp; whole"),
        ("end", "End"),
    ):
        text = "<script>document.write('drawn by a script')</script>"
        (html / f"{name}.html").write_text(PAGE.format(title=title, text=text))
    return html, contents


def test_every_page_is_printed_in_order_with_a_bookmark(built, browser):
    html, contents = built
    assert pages_in_order(contents) == ["welcome", "units/05_small", "end"]
    (html / NAME).write_text("an older one")
    made = PdfReader(print_book(html, contents))
    assert [mark.title for mark in made.outline] == ["Hello", "Small & whole", "End"]
    assert [page.extract_text().split("\n")[0] for page in made.pages] == [
        "Hello", "Small & whole", "End"
    ]  # fmt: skip
    assert all("drawn by a script" in page.extract_text() for page in made.pages)
    assert not list(html.glob("tmp*"))


def test_every_shape_of_a_table_of_contents_is_read(tmp_path):
    contents = tmp_path / "_toc.yml"
    contents.write_text(
        "format: jb-book\nroot: a.md\nchapters:\n- file: b\n  sections:\n  - file: c\n"
        "  - url: https://example.org/\n    title: elsewhere\n- file: d.ipynb\n"
    )
    assert pages_in_order(contents) == ["a", "b", "c", "d"]


def test_without_a_browser_it_says_what_to_do(built, monkeypatch):
    monkeypatch.setattr(doctor, "BROWSERS", ("no-such-browser",))
    with pytest.raises(CourseError, match="genssl doctor --install"):
        print_book(*built)


def test_a_browser_that_does_not_print_is_told(built, monkeypatch):
    monkeypatch.setattr(doctor, "BROWSERS", ("true",))
    with pytest.raises(CourseError, match="was not printed"):
        print_book(*built)
    assert not (built[0] / NAME).exists()
