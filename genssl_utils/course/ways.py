"""The ways in: where the course lies on the web, and links that open a unit there.

Nothing here knows an address of its own. `[tool.genssl]` in `pyproject.toml` gives them, or the
environment (`GENSSL_REPOSITORY`, ...), which wins: so a fork's pages lead to the fork. Where no
address is given there is no link, and a chapter says how to start on a laptop.
"""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from urllib.parse import quote, urlencode

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from genssl_utils.course.source import CourseError, Unit

COLAB_BRANCH = "colab"
"""The branch of the repository on which Colab's copies of the notebooks lie, side by side."""

LAPTOP = "../students.md"
"""The page on starting without any of these places, as seen from a chapter."""

COLAB_CELL = """\
# Only in Colab, once for each session: the course's library and its recorded results.
import sys

if "google.colab" in sys.modules:
    !test -d /content/genssl || {fetch}
    %pip install --quiet /content/genssl
    %env GENSSL_RESULTS=/content/genssl/book/results"""
"""A clone, because a notebook also shows what was recorded in `book/results`, which is in no
package. The package itself names its torch; Colab's other libraries stay as they are."""

CLONE = "git clone -q --depth 1 -b {branch} {repository} /content/genssl"
FETCH = (
    "(git init -q /content/genssl && cd /content/genssl && "
    "git fetch -q --depth 1 {repository} {commit} && git checkout -q FETCH_HEAD)"
)
"""How the library comes there: the branch as it is now, or the very commit that built the book."""


PATTERNS = {"branch": r"[\w./-]+", "commit": "[0-9a-f]{40}"}
"""What is no address of the web looks like this."""


@dataclass(frozen=True)
class Addresses:
    """Where the course lies; each is empty where nobody said.

    Args:
        repository: the git repository that students may read, `https://HOST/OWNER/NAME`.
        branch: its branch.
        commit: the commit of it that the book is built from, 40 hexadecimal digits; then Colab's
            copies take their library from that and not from whatever the branch holds later.
        hub: a JupyterHub with nbgitpuller.
        book: the folder under which the book is published.
    """

    repository: str = ""
    branch: str = "main"
    commit: str = ""
    hub: str = ""
    book: str = ""

    @property
    def github(self) -> str:
        """`OWNER/NAME` of a repository on GitHub; empty for any other."""
        found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", self.repository)
        return found[1] if found else ""


@dataclass(frozen=True)
class Way:
    """One place where a unit can be run.

    Args:
        place: its name, as it ends the sentence "Run this unit ...".
        address: opens the unit there.
        scrolls: whether the place goes to a cell that the address names.
    """

    place: str
    address: str
    scrolls: bool = False

    def to(self, cell: str) -> str:
        """The address of a cell, by its id, where the place has such; else that of the unit."""
        return f"{self.address}#scrollTo={quote(cell)}" if self.scrolls else self.address


def addresses(root: Path, environment: Mapping[str, str] = os.environ) -> Addresses:
    """What `pyproject.toml` and the environment say.

    Raises:
        CourseError: something is no address, no name of a branch or no commit.

    Example:
        >>> addresses(Path("nowhere"), {"GENSSL_HUB": "https://hub.example.org/"}).hub
        'https://hub.example.org'
    """
    path, given = root / "pyproject.toml", {}
    if path.is_file():
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        given = told.get("tool", {}).get("genssl", {})
    found = {}
    for field in fields(Addresses):
        variable = f"GENSSL_{field.name.upper()}"
        value = environment.get(variable) or given.get(field.name) or field.default
        pattern = PATTERNS.get(field.name, r"https?://[\w.:-]+(/[\w.~%/-]*)?")
        if value and not (isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII)):
            raise CourseError(
                f"{value!r} is no {field.name}. Mend `{field.name}` under [tool.genssl] in "
                f"pyproject.toml, or {variable}."
            )
        found[field.name] = value.rstrip("/").removesuffix(".git")
    return Addresses(**found)


def ways(unit: Unit, where: Addresses) -> list[Way]:
    """Every place where the unit can be run, the quickest to start first.

    Colab reads GitHub alone, and opens the copy that `for_colab` made. Binder and the hub open the
    notebook itself.
    """
    if not where.repository:
        return []
    notebook = unit.notebook.relative_to(unit.root).as_posix()
    found = []
    if where.github:
        address = f"https://colab.research.google.com/github/{where.github}/blob/{COLAB_BRANCH}"
        found.append(Way("in Colab", f"{address}/{unit.name}.ipynb", scrolls=True))
    source = f"gh/{where.github}" if where.github else f"git/{quote(where.repository, safe='')}"
    opened = urlencode({"urlpath": f"lab/tree/{notebook}"})
    branch = quote(where.branch, safe="")
    found.append(Way("in Binder", f"https://mybinder.org/v2/{source}/{branch}?{opened}"))
    if where.hub:
        folder = where.repository.rsplit("/", 1)[1]  # nbgitpuller clones into it
        told = {
            "repo": where.repository,
            "branch": where.branch,
            "urlpath": f"lab/tree/{folder}/{notebook}",
        }
        address = f"{where.hub}/hub/user-redirect/git-pull?{urlencode(told)}"
        found.append(Way("on the JupyterHub", address))
    return found


def run_line(places: Sequence[Way]) -> str:
    """A chapter's links to all of it, in Markdown.

    Example:
        >>> run_line([])
        '[Run this unit on your machine](../students.md)'
    """
    links = [f"[Run this unit {way.place}]({way.address})" for way in places]
    return " · ".join([*links, f"[Run this unit on your machine]({LAPTOP})"])


def write_line(places: Sequence[Way], exercise: str) -> str:
    """An exercise's links into the notebook, in Markdown.

    Example:
        >>> write_line([Way("in Colab", "https://example.org/a.ipynb", scrolls=True)], "elbo")
        '[Write `elbo` in Colab](https://example.org/a.ipynb#scrollTo=elbo)'
        >>> write_line([], "elbo")
        '[Write `elbo` in the notebook](../students.md)'
    """
    links = [f"[Write `{exercise}` {way.place}]({way.to(exercise)})" for way in places]
    return " · ".join(links or [f"[Write `{exercise}` in the notebook]({LAPTOP})"])


def for_colab(release: NotebookNode, where: Addresses) -> NotebookNode:
    """Colab's copy of a student's notebook: one cell before all others installs the library.

    Colab opens a notebook alone, with nothing of the course beside it. The cell is in a copy, on a
    branch of its own, and not in the notebook: there it would lie in everybody's way, and
    `genssl build` would give other bytes in each fork.

    Args:
        release: the student's notebook.
        where: the addresses; the repository is on GitHub.

    Returns:
        A new notebook.
    """
    nb = copy.deepcopy(release)
    for cell in nb.cells:
        cell.metadata["id"] = cell.id  # by which Colab's addresses name a cell
    fetch = (FETCH if where.commit else CLONE).format(**asdict(where))
    source = COLAB_CELL.format(fetch=fetch)
    nb.cells.insert(0, new_code_cell(source, id="colab", metadata={"tags": ["setup"]}))
    return nb
