"""A class for one small unit: handed in from files, graded in one run, read back.

A submission is a Markdown file. It says in words what it tries and what must come of it, then
`Worth: 4 (jitter, apply_twice)`: its points at most, and the exercises that are answered honestly.
Code blocks are the cells: `python soft_sign` is that exercise's answer, `python own` a cell of the
student's own, before the next answer or after the last one. A block `python hand_in` defines
`hand_in(folder, notebook)`, which lays the files down itself.
"""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from genssl_utils.course.build import build
from genssl_utils.course.grade import sandbox
from genssl_utils.course.grade.run import Grading, Mark
from genssl_utils.course.source import REPORT, Unit, find_unit
from toy_course import PROJECT, write_unit

NAME = "07_small"

needs_sandbox = pytest.mark.skipif(bool(why := sandbox.why_not_here()), reason=why)
"""Only where a sandbox can be made; on CI a skipped test is a failed one."""

LIMITS = """\
[default]
seconds = 15
call_seconds = 2
memory_mib = 600
processes = 40
file_mib = 16
output_kib = 256
"""


def _meta(grade_id: str, points: int = 0) -> str:
    grade = "true" if points else "false"
    told = f'"points": {points}, ' if points else ""
    return (
        f'nbgrader={{"grade": {grade}, "grade_id": "{grade_id}", "locked": {grade}, {told}'
        f'"schema_version": 3, "solution": {"false" if points else "true"}, "task": false}}'
    )


SMALL = f'''\
# %% [markdown]
# # Small
#
# Three exercises that are fast to judge.

# %% tags=["parameters"]
scale, device, seed = "laptop", "auto", 0

# %% tags=["setup"]
import torch
from scipy import stats

from genssl_utils.kit import check

# %% tags=["exercise"] {_meta("soft_sign")}
def soft_sign(x):
    """x / (1 + |x|), element by element."""
    ### BEGIN SOLUTION
    our_own_answer_to_soft_sign = x / (1 + x.abs())
    return our_own_answer_to_soft_sign
    ### END SOLUTION


# %% tags=["check"] {_meta("check_soft_sign", 3)}
ex = check.exercise("small", "soft_sign", points=3)
with ex.check("three numbers by hand"):
    ex.value(soft_sign(torch.tensor([-1.0, 0.0, 3.0])), torch.tensor([-0.5, 0.0, 0.75]))
with ex.check("a gradient flows"):
    x = torch.tensor([1.0, -3.0], requires_grad=True)
    ex.gradient(soft_sign(x).sum(), x, torch.tensor([0.25, 0.0625]))
### BEGIN HIDDEN TESTS
with ex.hidden("other numbers", weight=4, hint="Any number will do."):
    hidden_numbers_of_soft_sign = torch.randn(5, 3, generator=ex.fresh) * 3
    wanted_of_soft_sign = hidden_numbers_of_soft_sign / (1 + hidden_numbers_of_soft_sign.abs())
    ex.value(soft_sign(hidden_numbers_of_soft_sign), wanted_of_soft_sign)
with ex.hidden("its whole gradient", weight=2, hint="Detach nothing."):
    x = torch.randn(6, generator=ex.fresh).double().requires_grad_()
    wanted_slope_of_soft_sign = 1 / (1 + x.detach().abs()) ** 2
    ex.gradient(soft_sign(x).sum(), x, wanted_slope_of_soft_sign)
with ex.hidden("leaves its argument as it is", hint="Work on a copy."):
    x = torch.randn(4, generator=ex.fresh)
    wanted_of_soft_sign = x / (1 + x.abs())
    ex.value(ex.unchanged(soft_sign, x), wanted_of_soft_sign)
### END HIDDEN TESTS
ex.report()

# %% tags=["exercise"] {_meta("jitter")}
def jitter(x, generator=None):
    """x plus noise that is uniform between 0 and 1."""
    ### BEGIN SOLUTION
    our_own_answer_to_jitter = x + torch.rand(x.shape, generator=generator)
    return our_own_answer_to_jitter
    ### END SOLUTION


# %% tags=["check"] {_meta("check_jitter", 2)}
ex = check.exercise("small", "jitter", points=2)
with ex.check("draws from the generator"):
    first, again = (jitter(torch.zeros(4), check.generator(1)) for _ in range(2))
    ex.true(torch.equal(first, again), "The same generator gave two results.")
    ex.true(not torch.equal(jitter(torch.zeros(4)), jitter(torch.zeros(4))), "No noise.")
with ex.check("is uniform", weight=2):
    ex.law(jitter(torch.zeros(5000), check.generator(2)), stats.uniform.cdf, 5000)
### BEGIN HIDDEN TESTS
with ex.hidden("the law, around other numbers", weight=3, hint="Add the noise to x."):
    for _ in range(3):
        hidden_numbers_of_jitter = 100 * torch.randn(2000, generator=ex.fresh)
        kept_numbers_of_jitter = hidden_numbers_of_jitter.double()
        seen = jitter(hidden_numbers_of_jitter, ex.fresh)
        ex.law((seen - kept_numbers_of_jitter + 1e-5) / (1 + 2e-5), stats.uniform.cdf, 2000)
### END HIDDEN TESTS
ex.report()

# %% tags=["exercise"] {_meta("apply_twice")}
def apply_twice(f, x):
    """f(f(x))."""
    ### BEGIN SOLUTION
    our_own_answer_to_apply_twice = f(f(x))
    return our_own_answer_to_apply_twice
    ### END SOLUTION


# %% tags=["check"] {_meta("check_apply_twice", 2)}
ex = check.exercise("small", "apply_twice", points=2)
with ex.check("three times three"):
    ex.value(apply_twice(lambda t: 3 * t, torch.ones(2)), torch.tensor([9.0, 9.0]))
### BEGIN HIDDEN TESTS
with ex.hidden("other functions, and the gradient of what they hold", weight=2, hint="f of f."):
    hidden_matrix = torch.randn(3, 3, generator=ex.fresh).requires_grad_()
    x = torch.randn(3, generator=ex.fresh)
    wanted_of_twice = x @ hidden_matrix.detach() @ hidden_matrix.detach()
    again = hidden_matrix.detach().clone().requires_grad_()
    (wanted_grad,) = torch.autograd.grad((x @ again @ again).sum(), again)
    seen = apply_twice(lambda t: t @ hidden_matrix, x.clone())
    ex.value(seen, wanted_of_twice)
    ex.gradient(seen.sum(), hidden_matrix, wanted_grad)
### END HIDDEN TESTS
ex.report()
'''

MISTAKES = '''\
"""Wrong answers to the small unit."""

import torch

from genssl_utils.course.catalogue import mistake


@mistake("soft_sign", "Divide by one plus the size of x.")
def clipped(x):
    return x.clamp(-1, 1)


@mistake("jitter", "The noise is missing.")
def still(x, generator=None):
    return x


@mistake("apply_twice", "Apply it once more.")
def once(f, x):
    return f(x)
'''

ANSWERS = {
    "soft_sign": "def soft_sign(x):\n    return x / (1 + x.abs())",
    "jitter": "def jitter(x, generator=None):\n"
    "    return x + torch.rand(x.shape, generator=generator)",
    "apply_twice": "def apply_twice(f, x):\n    return f(f(x))",
}
POINTS = {"soft_sign": 3.0, "jitter": 2.0, "apply_twice": 2.0}
ALL = sum(POINTS.values())


@dataclass(frozen=True)
class Paper:
    """One submission as its file tells it."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name, which becomes the student's."""
        return self.path.stem

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def cells(self) -> list[tuple[str, str]]:
        """(what it is, source), in order."""
        return re.findall(r"^```python (\w+)\n(.*?)^```$", self.text, re.M | re.S)

    @cached_property
    def honest(self) -> list[str]:
        """Exercises that are answered as they should be."""
        (names,) = re.findall(r"^Worth: [\d.]+(?: \((.*)\))?$", self.text, re.M)
        return names.split(", ") if names else []

    @cached_property
    def worth(self) -> float:
        """The points of its honest part."""
        (points,) = re.findall(r"^Worth: ([\d.]+)", self.text, re.M)
        return float(points)

    @cached_property
    def reason(self) -> str:
        """What the instructor must be told, where the file says so (`Reason: ...`)."""
        return "".join(re.findall(r"^Reason: (.*)$", self.text, re.M))

    def notebook(self, release: nbformat.NotebookNode) -> nbformat.NotebookNode:
        """The release with the answers in it."""
        answers = {name: ANSWERS[name] for name in self.honest}
        before: dict[str, list[str]] = {}
        after: dict[str, list[str]] = {}
        waiting: list[str] = []
        last = ""
        for what, source in self.cells:
            if what == "own":
                waiting.append(source)
            elif what != "hand_in":
                answers[what], before[what], waiting, last = source.rstrip("\n"), waiting, [], what
        after[last or "apply_twice"] = waiting
        return filled(release, answers, before, after)


def filled(
    release: nbformat.NotebookNode, answers: Mapping[str, str],
    before: Mapping[str, list[str]] | None = None, after: Mapping[str, list[str]] | None = None,
) -> nbformat.NotebookNode:  # fmt: skip
    """A copy of the release with answers, and cells of the student's own around them."""
    nb = copy.deepcopy(release)
    cells = []
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cells += [new_code_cell(source) for source in (before or {}).get(name, ())]
        if name in answers:
            cell.source = answers[name]
        cells.append(cell)
        cells += [new_code_cell(source) for source in (after or {}).get(name, ())]
    nb.cells = cells
    return nb


def papers(folder: str) -> list[Paper]:
    """The submissions of a folder beside this file."""
    return [Paper(path) for path in sorted((Path(__file__).parent / folder).glob("*.md"))]


@dataclass
class Class:
    """A course with the small unit, and who hands in."""

    root: Path
    marks: dict[str, Mark] = field(default_factory=dict)

    @classmethod
    def at(cls, root: Path, limits: str = LIMITS) -> Class:
        """Make the course and build its unit."""
        for name in ("pyproject.toml", "constraints.txt", "nbgrader_config.py"):
            shutil.copy(PROJECT / name, root)
        (root / "genssl_utils").mkdir()
        (root / "notebooks").mkdir()
        (root / "grading.toml").write_text(limits)
        unit = write_unit(root, NAME, SMALL)
        unit.mistakes.write_text(MISTAKES)
        build([unit])
        return cls(root)

    @cached_property
    def unit(self) -> Unit:
        """The small unit."""
        return find_unit(self.root, NAME)

    @cached_property
    def release(self) -> nbformat.NotebookNode:
        """What students were given."""
        return nbformat.read(self.unit.notebook, as_version=4)

    def folder(self, student: str) -> Path:
        """Where a student's work lies."""
        return self.root / "submitted" / student / NAME

    def hand_in(self, student: str, paper: Paper) -> None:
        """Lay down what a file tells."""
        nb, folder = paper.notebook(self.release), self.folder(student)
        folder.mkdir(parents=True)
        for what, source in paper.cells:
            if what == "hand_in":
                scope = {"NAME": NAME, "ANSWERS": ANSWERS}
                exec(compile(source, str(paper.path), "exec"), scope)
                scope["hand_in"](folder, nb)
                return
        nbformat.write(nb, folder / f"{NAME}.ipynb")

    def hand_in_honest(self, student: str) -> None:
        """All right, and unlike any other student's, so that it is judged by itself."""
        answers = {name: f"{source}  # {student!a}" for name, source in ANSWERS.items()}
        folder = self.folder(student)
        folder.mkdir(parents=True)
        nbformat.write(filled(self.release, answers), folder / f"{NAME}.ipynb")

    def grade(self, students: Iterable[str] = (), jobs: int = 2) -> Grading:
        """Grade them all in one run."""
        run = Grading(self.unit, jobs=jobs)
        self.marks |= {mark.student: mark for mark in run.run(list(students))}
        return run

    @cached_property
    def rows(self) -> dict[str, dict[str, tuple[float | None, float | None]]]:
        """What the gradebook has: student → exercise → (automatic score, one by hand)."""
        from nbgrader.api import Gradebook

        found = {}
        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as book:
            for student in book.students:
                (submission,) = student.submissions
                found[student.id] = {
                    grade.name.removeprefix("check_"): (grade.auto_score, grade.manual_score)
                    for nb in submission.notebooks
                    for grade in nb.grades
                }
        return found

    def printed(self, student: str, exercise: str = "soft_sign") -> str:
        """What an answer's cell printed, as the graded notebook has it."""
        return "".join(output.get("text", "") for output in self._outputs(student, exercise))

    def hints(self, student: str, exercise: str) -> set[str]:
        """The hints of an exercise's checks, as the graded notebook has them."""
        (output,) = self._outputs(student, f"check_{exercise}")
        return {check["hint"] for check in output.data[REPORT]["checks"] if check.get("hint")}

    def _outputs(self, student: str, grade_id: str) -> list[nbformat.NotebookNode]:
        path = self.root / "build" / "autograded" / student / NAME / f"{NAME}.ipynb"
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
                return cell.outputs
        raise LookupError(grade_id)
