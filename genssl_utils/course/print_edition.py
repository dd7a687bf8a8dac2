"""The whole book as one PDF: each page printed by a browser, put together in the book's order."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from genssl_utils.course import doctor
from genssl_utils.course.source import CourseError

NAME = "genssl.pdf"
SECONDS = 120
"""For one page; MathJax and the figures have long been drawn by then."""


def print_book(html: Path, contents: Path, *, console: Console | None = None) -> Path:
    """Print the built book to `genssl.pdf` beside its pages, with a bookmark a page.

    Args:
        html: the folder of the built book.
        contents: its `_toc.yml`.
        console: where progress is shown.

    Raises:
        CourseError: no Chromium or Chrome is installed, or it does not print a page.
    """
    from pypdf import PdfWriter

    browser = need_browser()
    console = console or Console(quiet=True)
    book = PdfWriter()
    with tempfile.TemporaryDirectory(prefix="genssl-") as folder:
        for name in pages_in_order(contents):
            console.print(f"Printing {name} ...")
            sheet = Path(folder) / f"{name.replace('/', '-')}.pdf"
            _print(browser, html / f"{name}.html", sheet, Path(folder) / "profile")
            book.append(sheet, outline_item=_title(html / f"{name}.html"))
    book.add_metadata({"/Title": "GenSSL"})
    target = html / NAME
    with tempfile.NamedTemporaryFile(dir=html, suffix=".pdf", delete=False) as file:
        book.write(file)
    os.replace(file.name, target)
    target.chmod(0o644)
    return target


def need_browser() -> str:
    """The path of a browser to print with.

    Raises:
        CourseError: none is installed.
    """
    browser = doctor.find_browser()
    if browser is None:
        raise CourseError("Printing needs Chromium: run `genssl doctor --install`.")
    return browser


def pages_in_order(contents: Path) -> Sequence[str]:
    """The pages of a table of contents, without their endings; other addresses are none.

    Any shape that Jupyter Book takes: parts or chapters, with sections inside of sections.
    """
    told = yaml.safe_load(contents.read_text(encoding="utf-8"))

    def under(entry: dict[str, Any]) -> Iterator[str]:
        name = entry.get("root", entry.get("file"))
        if name:
            yield re.sub(r"\.(md|ipynb)$", "", name)
        for inside in ("parts", "subtrees", "chapters", "sections", "entries"):
            for one in entry.get(inside) or ():
                yield from under(one)

    return list(under(told))


def _title(page: Path) -> str:
    found = re.search(r"<title>(.*?)(?: &#8212;.*)?</title>", page.read_text("utf-8"), re.S)
    return unescape(found.group(1)).strip() if found else page.stem


def _print(browser: str, page: Path, sheet: Path, profile: Path) -> None:
    command = [
        browser, "--headless", "--disable-gpu", f"--user-data-dir={profile}",
        "--no-pdf-header-footer", "--virtual-time-budget=10000", f"--print-to-pdf={sheet}",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # the administrator may not make the browser's own
    try:
        subprocess.run([*command, page.as_uri()], capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise CourseError(f"{page.name} was not printed in {SECONDS} s.") from error
    if not sheet.is_file():
        raise CourseError(f"{page.name} was not printed: does {browser} start on this machine?")
