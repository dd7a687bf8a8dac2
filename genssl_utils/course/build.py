"""From the one source of a unit to what a student opens, through nbgrader's own converter."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from genssl_utils.course.citations import with_links
from genssl_utils.course.files import write_atomic
from genssl_utils.course.gradebook import add_new_cells, convert, settings
from genssl_utils.course.source import MARKERS, CourseError, Unit


@dataclass(frozen=True)
class Built:
    """What a build of one unit gave: each file and whether it differs from what was there."""

    unit: Unit
    changed: tuple[Path, ...]


def build(
    units: Sequence[Unit], *, check: bool = False, now: Callable[[Unit], None] = lambda unit: None
) -> list[Built]:
    """Make each unit's student notebook and `key.json`.

    Args:
        units: which ones.
        check: write nothing, touch no gradebook; only tell what is stale.
        now: called with each unit before its work begins.

    Returns:
        One entry a unit; `changed` names the files that were (or, on a check, would be) written.

    Raises:
        CourseError: a source that nbgrader refuses, or a release that holds an answer.
    """
    built = []
    for unit in units:
        now(unit)
        built.append(_build_one(unit, check))
    return built


def source_notebook(unit: Unit) -> str:
    """The unit's source as nbgrader reads it, answers and hidden tests included; stable bytes."""
    if not unit.exercises:
        raise CourseError(f"{unit.name} has no exercise: tag an answer cell `exercise`.")
    return nbformat.writes(copy.deepcopy(unit.nb)) + "\n"


def _build_one(unit: Unit, check: bool) -> Built:
    with tempfile.TemporaryDirectory(prefix="genssl-") as folder:
        made = {unit.notebook: release(unit, Path(folder))}
        if unit.mistakes.is_file():
            from genssl_utils.course import catalogue

            text = catalogue.make_key(unit)
            known = unit.key.read_text(encoding="utf-8") if unit.key.is_file() else ""
            # Another processor's rounding is no change.
            made[unit.key] = (known if catalogue.same_key(known, text) else text).encode()
    changed = tuple(
        path for path, data in made.items() if not path.is_file() or path.read_bytes() != data
    )
    if not check:
        register(unit)
        for path, data in made.items():
            write_atomic(path, data)
    return Built(unit, changed)


def release(unit: Unit, folder: Path) -> bytes:
    """The student's notebook, made in a folder of its own without a gradebook.

    Args:
        unit: the unit.
        folder: an empty folder; it becomes nbgrader's course.

    Returns:
        The bytes of the notebook.

    Raises:
        CourseError: nbgrader refuses the source, an answer or a hidden test is left in it, or it
            cites what is not in `book/references.bib`.
    """
    from nbgrader.converters import GenerateAssignment

    config = settings(unit.root)
    config.CourseDirectory.update(
        root=str(folder), source_directory="source", release_directory="release"
    )
    config.SaveCells.enabled = False  # it is the gradebook's
    write_atomic(folder / "source" / unit.name / f"{unit.name}.ipynb", source_notebook(unit))
    convert(GenerateAssignment, config, unit.name, no_database=True, force=True)
    nb = nbformat.read(folder / "release" / unit.name / f"{unit.name}.ipynb", as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source, unit.root / "book" / "references.bib")
    text = nbformat.writes(nb) + "\n"
    refuse_leaks(unit, text)
    return text.encode()


def refuse_leaks(unit: Unit, text: str) -> None:
    """Stop when a text for students still holds a region that is not for them.

    Raises:
        CourseError: it does; the line names the marker.
    """
    for marker in MARKERS:
        if marker.removeprefix("### ") in text:
            raise CourseError(
                f"{unit.name}: the student's notebook would still hold '{marker}'. "
                "Put it in a cell with nbgrader's metadata (solution or grade)."
            )


def register(unit: Unit) -> None:
    """Write nbgrader's source folder and tell the gradebook of the assignment's cells."""
    from nbgrader.converters import GenerateAssignment

    config = settings(unit.root)
    folder = unit.root / config.CourseDirectory.source_directory / unit.name
    name = f"{unit.name}.ipynb"
    lying = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if strangers := [other for other in lying if other != name and not other.startswith(".")]:
        raise CourseError(
            f"{folder.relative_to(unit.root)} also holds {', '.join(sorted(strangers))}; nbgrader "
            "would hand that out. Move it away."
        )
    write_atomic(folder / name, source_notebook(unit))
    # The notebook that students get was made without the gradebook; its code cells are the same.
    config.CourseDirectory.release_directory = "build/release"
    add_new_cells(config, unit.name, unit.nb)
    convert(GenerateAssignment, config, unit.name, force=True)


def stray_notebooks(root: Path, units: Sequence[Unit]) -> list[Path]:
    """Folders under `notebooks/` whose unit has no source any more."""
    known = {unit.name for unit in units}
    return [path for path in sorted(root.glob("notebooks/[0-9][0-9]_*")) if path.name not in known]
