"""The ways in: links appear where an address is given, and none where nobody gave one."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from fnmatch import fnmatch
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from genssl_utils.course.book import handed_out, sphinx, stage, unit_page, write_for_colab
from genssl_utils.course.lab import WELCOME
from genssl_utils.course.run import Job, run
from genssl_utils.course.source import CourseError, Unit, all_units
from genssl_utils.course.ways import COLAB_BRANCH, Addresses, addresses, for_colab, run_line, ways
from toy_course import PROJECT, write_unit

GITHUB = "https://github.com/an-owner/a-course"
ELSEWHERE = "https://git.example.org/group/a-course"
HUB = "https://hub.example.org"
BOOK = "https://book.example.org/course"


@pytest.fixture(autouse=True)
def nobody_says(monkeypatch):
    """The machine that runs the tests may be one that publishes the book."""
    for field in fields(Addresses):
        monkeypatch.delenv(f"GENSSL_{field.name.upper()}", raising=False)


def say(root, **told):
    lines = [f'{name} = "{value}"' for name, value in told.items()]
    (root / "pyproject.toml").write_text("\n".join(["[tool.genssl]", *lines]))


def links(text):
    return dict(re.findall(r"\[([^\]]+)\]\(([^)]+)\)", text))


def test_the_course_gives_no_address_of_its_own():
    assert addresses(PROJECT, {}) == Addresses()
    assert ways(all_units(PROJECT)[0], addresses(PROJECT, {})) == []


def test_the_environment_comes_before_the_file(course):
    assert addresses(course, {}) == Addresses()
    say(course, repository=f"{GITHUB}.git/", branch="work", hub=HUB)
    assert addresses(course, {}) == Addresses(GITHUB, "work", hub=HUB)
    found = addresses(course, {"GENSSL_REPOSITORY": ELSEWHERE, "GENSSL_BOOK": f"{BOOK}/"})
    assert found == Addresses(ELSEWHERE, "work", hub=HUB, book=BOOK)
    assert addresses(course, {"GENSSL_REPOSITORY": ""}).repository == GITHUB


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository", "git@github.com:an-owner/a-course"),
        ("repository", "https://github.com/an-owner/a-course; rm -r x"),
        ("book", "https://example.org/) [click](https://example.com"),
        ("branch", "main && ls"),
        ("commit", "main"),
        ("hub", "hub.example.org"),
    ],
)
def test_what_is_no_address_is_refused_by_name(course, name, value):
    """It would stand in links of every page, and in a command that Colab runs."""
    say(course, **{name: value})
    with pytest.raises(CourseError, match=f"no {name}"):
        addresses(course, {})


def test_each_place_opens_the_units_own_notebook():
    unit = Unit("05_gumbel_softmax", PROJECT)
    colab, binder, hub = ways(unit, Addresses(GITHUB, "main", hub=HUB))
    assert colab.address == (
        "https://colab.research.google.com/github/an-owner/a-course/blob/colab/"
        "05_gumbel_softmax.ipynb"
    )
    assert colab.to("gumbel_max") == f"{colab.address}#scrollTo=gumbel_max"
    notebook = unit.notebook.relative_to(PROJECT).as_posix()
    assert unit.notebook.is_file()
    asked = urlsplit(binder.address)
    assert (asked.netloc, asked.path) == ("mybinder.org", "/v2/gh/an-owner/a-course/main")
    assert parse_qs(asked.query) == {"urlpath": [f"lab/tree/{notebook}"]}
    assert binder.to("gumbel_max") == binder.address
    asked = urlsplit(hub.address)
    assert (asked.netloc, asked.path) == ("hub.example.org", "/hub/user-redirect/git-pull")
    assert parse_qs(asked.query) == {
        "repo": [GITHUB], "branch": ["main"], "urlpath": [f"lab/tree/a-course/{notebook}"],
    }  # fmt: skip


def test_a_repository_that_colab_cannot_read_has_no_link_there():
    (binder,) = ways(Unit("05_gumbel_softmax", PROJECT), Addresses(ELSEWHERE))
    path = urlsplit(binder.address).path
    assert path == "/v2/git/https%3A%2F%2Fgit.example.org%2Fgroup%2Fa-course/main"
    assert "olab" not in run_line([binder])


def test_a_hub_alone_has_nothing_to_pull():
    assert ways(Unit("05_gumbel_softmax", PROJECT), Addresses(hub=HUB)) == []


@pytest.mark.parametrize("repository", ["", GITHUB])
def test_a_chapter_leads_to_its_notebook_and_each_exercise_too(toy, repository):
    say(toy.root, repository=repository)
    run([toy])
    cells = nbformat.reads(unit_page(toy, Job(toy).output), as_version=4).cells
    under_title = links(cells[0].source.split("\n\n")[1])
    at = next(i for i, cell in enumerate(cells) if cell.id == "double")
    below = links(cells[at + 1].source)
    assert "What does twice a number do?" in cells[0].source
    if repository:
        assert list(under_title) == [
            "Run this unit in Colab", "Run this unit in Binder", "Run this unit on your machine",
        ]  # fmt: skip
        assert list(below) == ["Write `double` in Colab", "Write `double` in Binder"]
        assert below["Write `double` in Colab"].endswith("/07_toy.ipynb#scrollTo=double")
    else:
        assert under_title == {"Run this unit on your machine": "../students.md"}
        assert below == {"Write `double` in the notebook": "../students.md"}


def test_colabs_copy_differs_by_one_cell_and_the_notebook_by_none(toy):
    release = handed_out(toy)
    before = nbformat.writes(release)
    nb = for_colab(release, Addresses(GITHUB, "work"))
    assert nbformat.writes(release) == before
    assert [c.source for c in nb.cells[1:]] == [c.source for c in release.cells]
    assert [c.metadata.get("nbgrader") for c in nb.cells[1:]] == [
        c.metadata.get("nbgrader") for c in release.cells
    ]
    assert [c.metadata.id for c in nb.cells[1:]] == [c.id for c in release.cells]
    nbformat.validate(nb)


@pytest.mark.parametrize("in_colab", [False, True])
def test_colabs_first_cell_installs_the_library_there_alone(toy, monkeypatch, in_colab):
    source = for_colab(handed_out(toy), Addresses(GITHUB, "work")).cells[0].source
    done = []

    class Shell:
        def system(self, line):
            done.append(line)

        def run_line_magic(self, name, line):
            done.append(f"%{name} {line}")

    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    if in_colab:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    exec(TransformerManager().transform_cell(source), {"get_ipython": Shell})
    if not in_colab:
        assert done == []
        return
    clone, install, environment = done
    assert clone.endswith(f"git clone -q --depth 1 -b work {GITHUB} /content/genssl")
    assert install == "%pip install --quiet /content/genssl"
    assert environment == "%env GENSSL_RESULTS=/content/genssl/book/results"


@pytest.mark.parametrize("pinned", [False, True])
def test_colabs_library_is_the_commit_that_built_the_book(toy, tmp_path, pinned):
    """Its git command, run here on a repository that went on after the book was built."""
    origin = tmp_path / "origin"
    git = ["git", "-C", str(origin), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(origin)], check=True)
    for text in ("as built", "as it is now"):
        (origin / "a.txt").write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", text], check=True)
        if text == "as built":
            told = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True)
    commit = told.stdout.decode().strip() if pinned else ""
    where = Addresses("https://example.org/here", "main", commit=commit)
    source = for_colab(handed_out(toy), where).cells[0].source
    (line,) = [line.strip() for line in source.splitlines() if line.strip().startswith("!")]
    library = tmp_path / "library"
    line = line[1:].replace("https://example.org/here", origin.as_uri())
    line = line.replace("/content/genssl", shlex.quote(str(library)))
    for _ in range(2):  # in one session the second notebook finds it there
        subprocess.run(["bash", "-ec", line], check=True)
    assert (library / "a.txt").read_text() == ("as built" if pinned else "as it is now")


def test_colabs_copies_are_written_where_an_address_is_given_and_gone_without(toy):
    say(toy.root, repository=GITHUB)
    folder = write_for_colab([toy])
    text = (folder / "07_toy.ipynb").read_text()
    assert GITHUB in text
    assert "the_reference_answer" not in text
    for told in ({}, {"repository": ELSEWHERE}):
        say(toy.root, **told)
        write_for_colab([toy])
        assert not folder.exists()


def test_whatever_a_notebook_needs_comes_with_the_package():
    """Colab installs the package and has nothing of the course beside it."""
    told = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = told["package-data"]["*"]
    library = PROJECT / "genssl_utils"
    needed = [p for s in ("js", "css", "json", "npz") for p in library.rglob(f"*.{s}")]
    assert len(needed) > 10
    for path in needed:
        package = next(folder for folder in path.parents if (folder / "__init__.py").is_file())
        inside = path.relative_to(package).as_posix()
        packed = any(
            fnmatch(inside, pattern) and inside.count("/") == pattern.count("/")
            for pattern in patterns
        )
        assert packed, f"{path.relative_to(PROJECT)} is in no package"
    for path in library.rglob("*.py"):
        assert (path.parent / "__init__.py").is_file(), f"{path.parent} is no package"


def test_the_students_page_tells_every_way_in():
    text = (PROJECT / "book" / "students.md").read_text()
    for way in ways(Unit("05_gumbel_softmax", PROJECT), Addresses(GITHUB, "main", hub=HUB)):
        assert f"*Run this unit {way.place}*" in text
    for place in ("your laptop", "a codespace", "containers/student.Dockerfile"):
        assert place in text
    assert (PROJECT / WELCOME).is_file()


def test_the_instructors_page_tells_every_setting():
    text = (PROJECT / "book" / "instructors.md").read_text()
    for field in fields(Addresses):
        assert f"`{field.name}`" in text
        assert f"`GENSSL_{field.name.upper()}`" in text
    assert f"branch `{COLAB_BRANCH}`" in text


# --- the book, with an address and without --------------------------------------------------------


@pytest.fixture
def small_book(toy):
    """The real pages around one made-up unit, staged; what builds them."""
    shutil.copytree(PROJECT / "book", toy.root / "book", ignore=shutil.ignore_patterns("results"))
    shutil.copy(PROJECT / "_config.yml", toy.root)
    for path in (toy.root / "book").glob("*.md"):
        text = re.sub(r"<!-- figure: .*-->", "", path.read_text())
        path.write_text(re.sub(r"units/\d\d_\w+", "units/07_toy", text))
    toc = toy.root / "book" / "_toc.yml"
    real = toc.read_text()
    *others, last = re.findall(r"^ *- file: units/\w+\n", real, re.M)
    for line in others:
        real = real.replace(line, "")
    toc.write_text(real.replace(last, "      - file: units/07_toy\n"))
    run([toy])

    def build(*, pdf=False, **told):
        say(toy.root, **told)
        stage([toy], [Job(toy).output], pdf=pdf)
        return sphinx(toy.root, everything=False)

    return build


def test_a_published_book_names_its_pages_and_the_same_book_at_home_does_not(small_book):
    html = small_book(repository=GITHUB, book=BOOK)
    pages = {
        path.relative_to(html).as_posix()
        for path in html.rglob("*.html")
        if "_static" not in path.parts
    } - {"genindex.html", "search.html", "index.html"}
    listed = re.findall(r"<loc>(.*?)</loc>", (html / "sitemap.xml").read_text())
    assert set(listed) == {f"{BOOK}/{page}" for page in pages}
    assert f"{BOOK}/units/07_toy.html" in listed
    chapter = (html / "units" / "07_toy.html").read_text()
    tags = dict(re.findall(r'<meta property="(og:[\w:]+)" content="([^"]*)"', chapter))
    assert tags["og:title"] == "07 Doubling"
    assert tags["og:description"] == "What does twice a number do?"
    assert tags["og:url"] == f"{BOOK}/units/07_toy.html"
    picture = tags["og:image"].removeprefix(f"{BOOK}/")
    assert (html / picture).read_bytes().startswith(b"\x89PNG")
    assert (
        '<link rel="canonical" href="https://book.example.org/course/units/07_toy.html"' in chapter
    )
    assert ">Run this unit in Colab</a>" in chapter
    assert 'href="../students.html"' in chapter

    html = small_book()
    chapter = (html / "units" / "07_toy.html").read_text()
    assert not (html / "sitemap.xml").exists()
    for text in ("og:url", "og:image", "canonical", "example.org", "Colab", "mybinder"):
        assert text not in chapter
    assert 'property="og:title" content="07 Doubling"' in chapter


def test_a_change_in_the_contents_reaches_every_page(small_book, toy):
    html = small_book()
    assert "Another name" not in (html / "students.html").read_text()
    toc = toy.root / "book" / "_toc.yml"
    toc.write_text(toc.read_text().replace("caption: About", "caption: Another name"))
    assert "Another name" in (small_book() / "students.html").read_text()
    before = (html / "students.html").stat().st_mtime_ns
    assert (small_book() / "students.html").stat().st_mtime_ns == before, "nothing changed"


def test_a_page_that_went_and_a_paper_that_changed_are_seen_by_the_next_build(small_book, toy):
    html = small_book()
    (html / "left-over.html").write_text("a page of an earlier book")
    papers = toy.root / "book" / "references.bib"
    first = re.search(r"title\s*=\s*\{(.*)\}", papers.read_text())[1]
    papers.write_text(papers.read_text().replace(first, "A Title of Another Kind"))
    cited = toy.root / "book" / "reading.md"
    key = re.search(r"@\w+\{(\w+),", papers.read_text())[1]
    cited.write_text(cited.read_text() + f"\n{{cite}}`{key}`\n")
    small_book()
    assert "itle of another kind" in (html / "bibliography.html").read_text()
    assert not (html / "left-over.html").exists()


def test_a_build_that_fails_leaves_the_book_that_there_was(small_book, toy):
    html = small_book()
    before = (html / "students.html").read_bytes()
    page = toy.root / "book" / "students.md"
    page.write_text(page.read_text() + "\n[](no-such-page.md)\n")
    with pytest.raises(CourseError, match="was not built"):
        small_book()
    assert (html / "students.html").read_bytes() == before
    assert (html / ".nojekyll").is_file()


def test_a_printed_book_is_linked_from_its_first_page_and_only_then(small_book, toy):
    html = small_book(pdf=True)
    assert 'href="genssl.pdf"' in (html / "welcome.html").read_text()
    for page in html.glob("*.html"):
        assert "written by genssl book" not in page.read_text()
    staged = stage([toy], [Job(toy).output]) / "welcome.md"
    assert "genssl.pdf" not in staged.read_text()


def test_an_answer_in_an_output_stops_the_book(toy):
    """As when a cell of the story prints the source of a function."""
    show = """
# %% tags=["figure"]
import inspect

print(inspect.getsource(double))
"""
    unit = write_unit(
        toy.root, "07_toy", (toy.root / "solutions/07_toy/unit.py").read_text() + show
    )
    shutil.copytree(PROJECT / "book", toy.root / "book", ignore=shutil.ignore_patterns("results"))
    shutil.copy(PROJECT / "_config.yml", toy.root)
    (toy.root / "book" / "_toc.yml").write_text("root: welcome\nchapters:\n- file: units/07_toy\n")
    (toy.root / "book" / "welcome.md").write_text("# Welcome\n")
    assert run([unit]) == []
    with pytest.raises(CourseError, match=r"07_toy.ipynb holds .* the book was not built"):
        stage([unit], [Job(unit).output])


def test_a_build_that_failed_fails_again(small_book, toy):
    small_book()
    page = toy.root / "book" / "students.md"
    page.write_text(page.read_text() + "\n[](nowhere.md)\n")
    for _ in range(2):
        with pytest.raises(CourseError, match="nowhere"):
            small_book()
    assert not (toy.root / "build" / "book.sha256").exists()
