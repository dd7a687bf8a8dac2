"""A unit as files: where its parts lie, its cells, its exercises."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROLES = ("setup", "parameters", "figure", "exercise", "check", "experiment", "claim")
"""The tags that give a cell its part in the story; every code cell carries exactly one."""

MARKERS = ("### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS")
"""Lines that open a region which no student may ever see."""


REPORT = "application/vnd.genssl.report+json"
"""The mime type under which a check cell hands over its report."""

STUB = "Replace this line with your answer."
"""What the stub of an unwritten answer says, as the kit's checks know it."""

CLAIM = "application/vnd.genssl.claim+json"
"""The mime type under which a notebook hands over a number that it claims."""


class CourseError(Exception):
    """Something the person at the keyboard can mend; shown as one line, exit code 2."""


@dataclass(frozen=True)
class Exercise:
    """One graded function: the cell that holds the answer and the cells that check it."""

    name: str
    answer: NotebookNode
    checks: tuple[NotebookNode, ...]

    @property
    def points(self) -> float:
        """Points of all its check cells together."""
        return sum(float(cell.metadata.nbgrader.points) for cell in self.checks)


PARTS = ("generative models", "learning without labels")
"""The two parts of the course, in its order."""


@dataclass(frozen=True)
class About:
    """What the map of the course says of a unit; the `genssl` entry of its source's header."""

    part: str
    """One of `PARTS`."""
    hours: float
    """To work through it, all exercises included."""
    after: tuple[str, ...]
    """Units that it leans on."""
    needs: str
    """What else one should know."""
    learn: str
    """What one can do afterwards: goes on from "You will be able to"."""


@dataclass(frozen=True)
class Unit:
    """One unit of the course, found by its name in every room of the house."""

    name: str
    root: Path

    @property
    def topic(self) -> str:
        """The name without its number: `08_flows` is backed by `genssl_utils.flows`."""
        return self.name.split("_", 1)[1]

    @property
    def number(self) -> int:
        """Its place in the course; 0 is the welcome notebook, which teaches no topic."""
        return int(self.name.split("_", 1)[0])

    @property
    def source(self) -> Path:
        """The only source of the unit, in the percent format."""
        return self.root / "solutions" / self.name / "unit.py"

    @property
    def mistakes(self) -> Path:
        """The catalogue of wrong and of unusual right answers."""
        return self.root / "solutions" / self.name / "mistakes.py"

    @property
    def notebook(self) -> Path:
        """What a student opens; made by `genssl build`."""
        return self.root / "notebooks" / self.name / f"{self.name}.ipynb"

    @property
    def package(self) -> Path:
        """The library behind the unit."""
        return self.root / "genssl_utils" / self.topic

    @property
    def key(self) -> Path:
        """Expected values and known mistakes as numbers; made by `genssl build`."""
        return self.package / "key.json"

    @cached_property
    def nb(self) -> NotebookNode:
        """The source as a notebook, answers and hidden tests included, with stable cell ids.

        Treat it as read-only; take a deep copy before changing it.

        Raises:
            CourseError: the source is missing or jupytext cannot read it.
        """
        if not self.source.is_file():
            raise CourseError(f"{self.name} has no {self.source.relative_to(self.root)}.")
        import jupytext  # slow to import, which `genssl --help` should not pay for

        try:
            nb = jupytext.read(self.source, fmt="py:percent")
        except Exception as error:
            where = self.source.relative_to(self.root)
            raise CourseError(f"{where} is not readable: {error}") from error
        return with_stable_ids(nb)

    @cached_property
    def about(self) -> About:
        """What the map of the course says of it.

        Raises:
            CourseError: the source's header does not say it, or names a part that there is not.
        """
        import yaml  # not installed for students, and needed by those who build the book

        header = re.match(r"# ---\n(.*?)^# ---$", self.source.read_text("utf-8"), re.M | re.S)
        text = re.sub(r"^# ?", "", header.group(1), flags=re.M) if header else ""
        told = (yaml.safe_load(text) or {}).get("jupyter", {}).get("genssl", {})
        wanted = [field.name for field in fields(About)]
        if sorted(told) != sorted(wanted) or told["part"] not in PARTS:
            raise CourseError(
                f"{self.name}: its header's `genssl` needs {', '.join(wanted)}; a part is one of: "
                f"{', '.join(PARTS)}."
            )
        return About(**told | {"after": tuple(told["after"])})

    def cells(self, *roles: str) -> list[NotebookNode]:
        """Code cells that carry one of the roles, in order."""
        return [
            cell
            for cell in self.nb.cells
            if cell.cell_type == "code" and set(roles) & set(cell.metadata.get("tags", ()))
        ]

    @property
    def title(self) -> str:
        """The first heading of the first markdown cell."""
        for cell in self.nb.cells:
            if cell.cell_type == "markdown":
                found = re.search(r"^# (.+)$", cell.source, re.M)
                return found.group(1).strip() if found else self.name
        return self.name

    @property
    def label(self) -> str:
        """Its number, and its title up to a colon: how a list names it."""
        return f"{self.number:02} {self.title.split(':')[0]}"

    @cached_property
    def exercises(self) -> dict[str, Exercise]:
        """The graded functions in the order of the story.

        The answer cell's `grade_id` is the function's name; its check cells' ids are
        `check_<name>`, or `check_<name>_<n>` where there are several.

        Raises:
            CourseError: an answer has no check, a check no answer, or one of them no grade id.
        """
        answers = {self._grade_id(cell): cell for cell in self.cells("exercise")}
        judges = {self._grade_id(cell): cell for cell in self.cells("check")}
        checks: dict[str, list[NotebookNode]] = {}
        for grade_id, name in checked_names(judges, answers).items():
            checks.setdefault(name, []).append(judges[grade_id])
        found = {}
        for name, cell in answers.items():
            if name not in checks:
                raise CourseError(f"{self.name}: the answer `{name}` has no cell `check_{name}`.")
            found[name] = Exercise(name, cell, tuple(checks.pop(name)))
        if checks:
            raise CourseError(f"{self.name}: checks without an answer: {', '.join(checks)}.")
        return found

    def _grade_id(self, cell: NotebookNode) -> str:
        graded = cell.metadata.get("nbgrader", {})
        if not graded.get("grade_id") or (graded.get("grade") and "points" not in graded):
            first = next(iter(cell.source.strip().splitlines()), "")
            raise CourseError(
                f"{self.name}: the cell that begins `{first[:60]}` is tagged as an exercise or a "
                "check; give it nbgrader's metadata (grade_id, and points for a check)."
            )
        return graded["grade_id"]


def checked_names(checks: Iterable[str], answers: Collection[str]) -> dict[str, str]:
    """The exercise that each check cell judges, by their grade ids.

    `check_<name>` judges `<name>`, whatever the name ends in; where there is no such answer, a
    number at the end counts the checks of one exercise.

    Example:
        >>> checked_names(["check_loss_2", "check_f_1", "check_f_2"], ["loss_2", "f"])
        {'check_loss_2': 'loss_2', 'check_f_1': 'f', 'check_f_2': 'f'}
    """
    found = {}
    for grade_id in checks:
        name = grade_id.removeprefix("check_")
        found[grade_id] = name if name in answers else re.sub(r"_\d+$", "", name)
    return found


_HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS.*?(?:^[^\n]*END HIDDEN TESTS[^\n]*\n?|\Z)", re.M | re.S
)


def without_hidden(source: str) -> str:
    """A check cell's source as the student has it, without its hidden regions.

    Example:
        >>> without_hidden("a\\n### BEGIN HIDDEN TESTS\\nb\\n### END HIDDEN TESTS\\nc")
        'a\\nc'
    """
    return _HIDDEN.sub("", source).rstrip("\n")


def with_stable_ids(nb: NotebookNode) -> NotebookNode:
    """Give each cell an id that depends on its content alone, so that two builds are one file."""
    from nbformat import NotebookNode

    seen: dict[str, int] = {}
    for cell in nb.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        graded = cell.metadata.get("nbgrader", {}).get("grade_id")
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        name = re.sub(r"[^A-Za-z0-9_-]", "-", graded or digest)[:56]
        seen[name] = seen.get(name, 0) + 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    nb.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    nb.nbformat, nb.nbformat_minor = 4, 5
    return nb


def project_root(start: Path | None = None) -> Path:
    """The nearest folder upwards that holds the course (`pyproject.toml` and `genssl_utils/`).

    Raises:
        CourseError: there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file() and (folder / "genssl_utils").is_dir():
            return folder
    raise CourseError(f"{start} is not inside the course. Change to the folder with its README.")


def all_units(root: Path) -> list[Unit]:
    """Every unit with a source, in the order of the course."""
    found = sorted(root.glob("solutions/[0-9][0-9]_*/unit.py"))
    return [Unit(path.parent.name, root) for path in found]


def find_unit(root: Path, name: str) -> Unit:
    """A unit by its name, its number or its topic: `05_gumbel_softmax`, `05`, `gumbel_softmax`.

    It looks among the sources and, where a student has no sources, among the notebooks.

    Raises:
        CourseError: no unit, or more than one, is called that; the line names those there are.
    """
    known = {unit.name: unit for unit in all_units(root)}
    for path in sorted(root.glob("notebooks/[0-9][0-9]_*/*.ipynb")):
        known.setdefault(path.parent.name, Unit(path.parent.name, root))
    wanted = name.strip().strip("/")
    number = int(wanted) if wanted.isdecimal() else -1
    hits = [u for u in known.values() if wanted in (u.name, u.topic) or u.number == number]
    if len(hits) != 1:
        listed = ", ".join(known) or "none"
        raise CourseError(f"There is no unit called '{name}'. The units are: {listed}.")
    return hits[0]
