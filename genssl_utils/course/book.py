"""The book: pages staged from sources and executed notebooks, then built strictly by Sphinx."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from rich.console import Console

from genssl_utils.course.build import release
from genssl_utils.course.bundle import refuse_answers
from genssl_utils.course.files import digest, files_under, installed, write_atomic
from genssl_utils.course.pages import page
from genssl_utils.course.print_edition import NAME, need_browser, print_book
from genssl_utils.course.run import Job, execute_all
from genssl_utils.course.source import CourseError, Unit
from genssl_utils.course.terms import link_first_uses, read_terms
from genssl_utils.course.ways import addresses, for_colab, ways
from genssl_utils.course.welcome import with_figures
from genssl_utils.course.written import filled, written

AMENDED = """
extensions.remove("sphinx_thebe")  # it would run cells on another host
extensions.append("genssl_utils.course.theme")
extensions.append("genssl_utils.course.published")
html_js_files = []  # Jupyter Book loads every script of the static folder on every page
html_show_search_summary = False  # a page opened from a folder may not read the others
html_baseurl = {book!r}
"""
"""What `genssl book` changes in the settings that Jupyter Book writes for Sphinx."""

MATHJAX = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions")
"""The parts of MathJax that a page can ask for."""


def build_book(
    units: Sequence[Unit], *, everything: bool = False, jobs: int = 0, pdf: bool = False,
    console: Console | None = None,
) -> Path:  # fmt: skip
    """Run what needs running, stage the pages, build them with warnings as errors.

    Args:
        units: every unit of the course.
        everything: build each page anew; only then is a page that did not change checked again.
        jobs: how many units run at once, one thread each; one a core when 0.
        pdf: print the book as well; its first page then has a link to that.
        console: where progress is shown.

    Returns:
        The book's first page.

    Raises:
        CourseError: a unit fails, is missing from the table of contents, Sphinx warns, or there is
            no browser to print with.
    """
    console = console or Console(quiet=True)
    root = units[0].root
    if pdf:
        need_browser()  # before minutes of work
    executed = [job.output for job in run_all(units, jobs, console)]
    stage(units, executed, pdf=pdf)
    console.print("Building the pages ...")
    html = sphinx(root, everything=everything or os.environ.get("CI", "").lower() in ("1", "true"))
    write_for_colab(units)
    if pdf:
        print_book(html, root / "book" / "_toc.yml", console=console)
    return html / "index.html"


def run_all(units: Sequence[Unit], jobs: int, console: Console) -> list[Job]:
    """Execute what changed, so many at once.

    Raises:
        CourseError: something failed; the line is the first failure.
    """
    wanted = [Job(unit) for unit in units]
    outcomes = execute_all(wanted, jobs=jobs or os.cpu_count() or 1, console=console)
    if failures := [line for outcome in outcomes for line in outcome.failures]:
        raise CourseError(failures[0])
    return wanted


def stage(units: Sequence[Unit], executed: Sequence[Path], *, pdf: bool = False) -> Path:
    """Write everything that Sphinx reads to `build/book-src`; unchanged files keep their time.

    Args:
        units: the units.
        executed: their executed notebooks, in the same order.
        pdf: whether the first page gets a link to the print edition.

    Returns:
        The folder.

    Raises:
        CourseError: a unit has no line in `book/_toc.yml`, or a page would show an answer.
    """
    root = units[0].root
    source, target = root / "book", root / "build" / "book-src"
    contents = (source / "_toc.yml").read_text(encoding="utf-8")
    wanted: dict[Path, bytes] = {}
    for path in files_under(source):
        wanted[target / path.relative_to(source)] = path.read_bytes()
    wanted[target / "_config.yml"] = (root / "_config.yml").read_bytes()
    for path in mathjax_files():
        wanted[target / "_static" / "mathjax" / path[0]] = path[1].read_bytes()
    chapters = {}
    for unit, notebook in zip(units, executed, strict=True):
        if not re.search(rf"file:\s*units/{unit.name}\s*$", contents, re.M):
            raise CourseError(f"Add a line to book/_toc.yml: `- file: units/{unit.name}`.")
        text = unit_page(unit, notebook)
        wanted[target / "units" / f"{unit.name}.ipynb"] = text.encode()
        chapters[unit.name] = nbformat.reads(text, as_version=4)
    parts = written(units, pdf=pdf)
    for path in sorted(source.glob("*.md")):
        text = filled(path.name, path.read_text(encoding="utf-8"), parts)
        wanted[target / path.name] = with_figures(path.name, text, chapters).encode()
    shown = {
        path.relative_to(target).as_posix(): data
        for path, data in wanted.items()
        if path.suffix in (".md", ".ipynb")
    }
    refuse_answers(units, shown, "the book was not built")
    for path, data in wanted.items():
        write_atomic(path, data)
    for path in files_under(target):
        if path not in wanted and path.name != "conf.py":
            path.unlink()
    return target


def unit_page(unit: Unit, notebook: Path) -> str:
    """A unit's chapter as a notebook, from its executed reference, with links to the glossary."""
    executed = nbformat.read(notebook, as_version=4)
    places = ways(unit, addresses(unit.root))
    nb = page(executed, handed_out(unit), places, number=unit.number)
    prose = [cell for cell in nb.cells if cell.cell_type == "markdown"]
    terms = read_terms(unit.root / "book" / "glossary.md")
    linked = link_first_uses([cell.source for cell in prose], terms, unit.name)
    for cell, source in zip(prose, linked, strict=True):
        cell.source = source
    return nbformat.writes(nb) + "\n"


def handed_out(unit: Unit) -> nbformat.NotebookNode:
    """The student's notebook, made afresh."""
    with tempfile.TemporaryDirectory(prefix="genssl-") as folder:
        return nbformat.reads(release(unit, Path(folder)).decode(), as_version=4)


def write_for_colab(units: Sequence[Unit]) -> Path:
    """Put Colab's copies of the notebooks into `build/colab`, to be pushed to their branch.

    Returns:
        The folder; there is none where Colab can open no notebook.
    """
    root = units[0].root
    folder, where = root / "build" / "colab", addresses(root)
    shutil.rmtree(folder, ignore_errors=True)
    copies = {
        f"{unit.name}.ipynb": nbformat.writes(for_colab(handed_out(unit), where)).encode() + b"\n"
        for unit in (units if where.github else ())
    }
    refuse_answers(units, copies, "Colab's copies were not written")
    for name, data in copies.items():
        write_atomic(folder / name, data)
    return folder


def mathjax_files() -> list[tuple[str, Path]]:
    """MathJax's own files by their names under `_static/mathjax`, from an installed package.

    Raises:
        CourseError: the package is missing.
    """
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None:
        raise CourseError("MathJax is missing. Install it: pip install sphinx-mathjax-offline")
    home = Path(found.origin).parent / "static" / "mathjax"
    files = files_under(*(home / part for part in MATHJAX))
    return [(path.relative_to(home).as_posix(), path) for path in files]


def sphinx(root: Path, *, everything: bool) -> Path:
    """Turn the staged pages into `build/book`, with every warning an error.

    Nothing is done when neither the pages, what builds them, nor the book itself has changed. Else
    all is built anew: each page has the names of all in its margin, and what an incremental build
    forgets (a page that went, a paper's year, a warning of a build that was killed) costs more than
    the seconds that it saves.

    Raises:
        CourseError: Sphinx warned or failed; the whole log is in `build/book.log`.
    """
    source, html = root / "build" / "book-src", root / "build" / "book"
    seen = root / "build" / "book.sha256"
    before = seen.read_text(encoding="utf-8").splitlines() if seen.is_file() else []
    now = digest(source, _but("conf.py", source), AMENDED, addresses(root).book, _builders())
    if before == [now, digest(html, _but(NAME, html))] and not everything:
        return html
    seen.unlink(missing_ok=True)
    made = root / "build" / "book.new"  # until it is whole, the book before it stays
    shutil.rmtree(made, ignore_errors=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    given = ["--toc", str(source / "_toc.yml"), "--config", str(source / "_config.yml")]
    _tool([*jupyter_book, "config", "sphinx", *given, str(source)], root)
    with (source / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write(AMENDED.format(book=addresses(root).book))
    # -P: the folder that it runs in holds no modules for it.
    build = [sys.executable, "-P", "-m", "sphinx", "-W", "-n", "--keep-going", "-b", "html"]
    build += ["-E", "-d", str(root / "build" / "book-doctrees")]
    _tool([*build, str(source), str(made)], root)
    write_atomic(made / ".nojekyll", "")
    shutil.rmtree(html, ignore_errors=True)
    made.rename(html)
    write_atomic(seen, f"{now}\n{digest(html, _but(NAME, html))}\n")
    return html


def _but(name: str, folder: Path) -> list[Path]:
    """The files of a folder without the one that is made there by another step."""
    return [path for path in files_under(folder) if path != folder / name]


def _builders() -> tuple[str, ...]:
    """What builds the pages: our own modules and the version of every package."""
    here = Path(__file__).parent
    return digest(here, files_under(here)), *installed()


def _tool(command: list[str], root: Path) -> None:
    """Run a tool and keep its log; a failure is told by its first warning or error."""
    done = subprocess.run(
        command, cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"},
    )  # fmt: skip
    log = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    write_atomic(root / "build" / "book.log", log)
    if done.returncode:
        told = [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line]
        line = (told or log.strip().splitlines() or ["no reason given"])[0 if told else -1]
        line = line.replace(f"{root}/build/book-src/", "")
        more = f" ({len(told) - 1} more)" if len(told) > 1 else ""
        raise CourseError(f"The book was not built: {line}{more}. See build/book.log.")


def serve_book(folder: Path, port: int, *, console: Console) -> None:
    """Serve the built book on this machine until Ctrl-C; the next free port if it is taken."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

    handler = functools.partial(Quiet, directory=str(folder))
    for candidate in range(port, port + 50):
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError:
            continue
        console.print(f"The book is at http://127.0.0.1:{candidate}/ (Ctrl-C ends it).")
        with server:
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return
    raise CourseError(f"No free port between {port} and {port + 49}. Try --port.")
