"""A browser, a page that takes notes, and a small local server."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import ipywidgets
import pytest
from filelock import FileLock

from genssl_utils.course.book import build_book
from genssl_utils.course.source import all_units
from static_page import write_page

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = {"127.0.0.1", "localhost"}


@dataclass
class Notes:
    """What a page did that a reader should never meet."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    responses: list = field(default_factory=list)
    """All that it loaded, as Playwright tells it."""

    def assert_clean(self) -> None:
        assert not self.errors, f"console errors: {self.errors}"
        assert not self.outside, f"requests to other hosts: {self.outside}"
        assert not self.missing, f"files that are not there: {self.missing}"


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """The folder of the book, every page built anew; once for all processes of a run of tests."""
    shared = tmp_path_factory.getbasetemp().parent
    done = shared / f"{testrun_uid}.book"
    with FileLock(shared / f"{testrun_uid}.lock"):
        if not done.is_file():
            done.write_text(str(build_book(all_units(PROJECT), everything=True).parent))
    return Path(done.read_text())


@pytest.fixture
def open_page(browser) -> Iterator[Callable]:
    """`open_page(url, width=…)` gives a page and its notes; both go when the test ends."""
    with ExitStack() as stack:

        def open_(url: str, **options: object) -> tuple:
            width = options.pop("width", 900)
            context = browser.new_context(viewport={"width": width, "height": 900}, **options)
            stack.callback(context.close)
            page, notes = context.new_page(), Notes()

            def note_request(request) -> None:
                where = urlparse(request.url)
                if where.scheme in ("http", "https", "ws", "wss") and where.hostname not in LOCAL:
                    notes.outside.append(request.url)

            def note_console(message) -> None:
                if message.type == "error":
                    notes.errors.append(message.text)

            page.on("request", note_request)
            page.on("console", note_console)
            page.on("pageerror", lambda error: notes.errors.append(str(error)))

            def note_response(response) -> None:
                notes.responses.append(response)
                if response.status >= 400:
                    notes.missing.append(response.url)

            page.on("response", note_response)
            page.goto(url)
            return page, notes

        yield open_


@pytest.fixture
def page(open_page):
    """A blank page that records console errors and requests to other hosts in `page.notes`."""
    blank, notes = open_page("about:blank")
    blank.notes = notes
    return blank


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve a folder under a sub-path, and nothing outside the sub-path."""

    def __init__(self, *args: object, base: str, **kwargs: object) -> None:
        self.base = base
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # asked for by the browser, not by the page
            self.send_response(204)
            self.end_headers()
        elif not self.path.startswith(self.base):
            self.send_error(404)
        else:
            self.path = "/" + self.path[len(self.base) :]
            super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def _serving(folder: Path, subpath: str) -> Iterator[str]:
    base = f"/{subpath.strip('/')}/" if subpath.strip("/") else "/"
    handler = functools.partial(_QuietHandler, directory=str(folder), base=base)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{base}"
        server.shutdown()
        thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """`serve(folder, subpath="")` gives the address, on a free port of this machine."""
    with ExitStack() as stack:
        yield lambda folder, subpath="": stack.enter_context(_serving(Path(folder), subpath))


@pytest.fixture
def site(tmp_path, serve, open_page):
    """Write a page with the widgets, serve it under a sub-path, open it."""

    def open_(*widgets: ipywidgets.Widget, theme: str = "light", **options: object):
        write_page(tmp_path, *widgets, theme=theme)
        page, notes = open_page(serve(tmp_path, "course/book"), **options)
        return page, notes

    return open_


@pytest.fixture
def module(page):
    """Call an exported function of a figure's module: `module(Figure, "name", *arguments)`."""

    def call(figure: type, name: str, *arguments: object) -> object:
        return page.evaluate(
            """async ([source, name, values]) => {
                const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
                return (await import(url))[name](...values);
            }""",
            [figure._esm, name, list(arguments)],
        )

    return call
