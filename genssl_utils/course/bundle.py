"""The zip for students, searched for answers and hidden tests before it is written."""

from __future__ import annotations

import ast
import html
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from genssl_utils.course.build import release
from genssl_utils.course.files import files_under, write_atomic
from genssl_utils.course.source import MARKERS, CourseError, Unit

FOLDER = "genssl"
"""The one folder that the zip unpacks to."""

TOP_LEVEL = (
    "README.md", "LICENSE", "LICENSE-text", "Makefile", "pyproject.toml", "constraints.txt",
    "environment.yml", "containers/student.Dockerfile",
)  # fmt: skip
STUDENTS_TOOLS = (
    "__init__.py", "checknb.py", "cli.py", "doctor.py", "files.py", "kernel.py", "lab.py",
    "source.py",
)  # fmt: skip
"""The modules of `genssl_utils/course` behind `genssl lab`, `check` and `doctor`; no other goes."""

README = "README.md"

LONG_ENOUGH = 25
"""A line of an answer counts as leaked from this many characters that are not spaces."""

NOON_1980 = (1980, 1, 1, 12, 0, 0)


def bundle(units: Sequence[Unit], output: Path | None = None) -> tuple[Path, int]:
    """Pack the course as students get it; the same sources give the same bytes.

    Args:
        units: every unit of the course.
        output: the zip's path; `build/genssl-students.zip` when None.

    Returns:
        The path, and the number of files in it.

    Raises:
        CourseError: a member holds an answer or a hidden test (nothing is written), or a
            student's notebook is missing or stale.
    """
    root = units[0].root
    members = collect(units)
    refuse_answers(units, members)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", NOON_1980)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, members[name])
    path = output or root / "build" / "genssl-students.zip"
    write_atomic(path, packed.getvalue())
    return path, len(members)


def collect(units: Sequence[Unit]) -> dict[str, bytes]:
    """What goes in: path inside the course → bytes.

    The notebooks are taken from the sources afresh, so that work begun in `notebooks/` stays out.
    """
    root = units[0].root
    found: dict[str, bytes] = {}
    for name in TOP_LEVEL:
        if (root / name).is_file():
            found[name] = (root / name).read_bytes()
    if README in found:  # that of the course speaks to those who teach and build it
        found[README] = (Path(__file__).parent / "templates" / "students.md").read_bytes()
    for path in files_under(root / "genssl_utils"):
        inside = path.relative_to(root / "genssl_utils").parts
        if inside[0] == "course" and inside[1:] not in {(name,) for name in STUDENTS_TOOLS}:
            continue
        if path.suffix in (".py", ".js", ".css", ".json") or "data" in inside:
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    # The last two are for a repository made of the zip, that students open from Binder or so.
    for path in files_under(root / "book" / "results", root / "binder", root / ".devcontainer"):
        found[path.relative_to(root).as_posix()] = path.read_bytes()
    for unit in units:
        with tempfile.TemporaryDirectory(prefix="genssl-") as folder:
            found[unit.notebook.relative_to(root).as_posix()] = release(unit, Path(folder))
    return found


def refuse_answers(
    units: Sequence[Unit], members: Mapping[str, bytes], undone: str = "the bundle was not written"
) -> None:
    """Stop when anything that students would get holds what only instructors may see.

    Args:
        units: whose answers and hidden tests are searched for.
        members: name → bytes.
        undone: what therefore did not happen, for the error.

    Raises:
        CourseError: it does; the line names the file, the unit and the line.
    """
    openings = [marker.removeprefix("### ") for marker in MARKERS]
    secret = {line: unit.name for unit in units for line in secret_lines(unit)}
    for name, data in sorted(members.items()):
        if name.startswith("solutions/"):
            raise CourseError(f"{name} is for instructors only; {undone}.")
        text = _text(name, data)
        found = next((opening for opening in openings if opening in text), None)
        if found and not name.startswith("genssl_utils/course/"):  # which speaks of them
            raise CourseError(f"{name} holds '{found}'; {undone}.")
        lines = {_squeeze(line) for line in text.splitlines()}
        if leaked := next((line for line in secret if line in lines), None):
            raise CourseError(
                f"{name} holds a line of an answer or hidden test of {secret[leaked]} "
                f"({leaked[:40]}...); {undone}."
            )


def secret_lines(unit: Unit) -> Iterator[str]:
    """The telling lines of a unit's answers and hidden tests, without spaces.

    A line that the student's notebook shows anyway (an import, a visible check) is no secret.
    """
    public: set[str] = set()
    hidden: list[str] = []
    for cell in unit.nb.cells:
        inside = False
        for line in cell.source.splitlines():
            if re.search(r"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)", line):
                inside = "BEGIN" in line
            elif inside:
                hidden.append(_squeeze(line))
            else:
                public.add(_squeeze(line))
    if unit.mistakes.is_file():
        hidden += _bodies(unit)
    for line in hidden:
        if len(line) >= LONG_ENOUGH and not line.startswith("#") and line not in public:
            yield line


def _bodies(unit: Unit) -> Iterator[str]:
    """The lines of the functions of a catalogue, wrong answers and right ones; hints are none."""
    text = unit.mistakes.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise CourseError(f"solutions/{unit.name}/mistakes.py: {error}") from error
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from map(_squeeze, lines[node.body[0].lineno - 1 : node.end_lineno])


def _squeeze(line: str) -> str:
    return re.sub(r"\s+", "", line)


def _text(name: str, data: bytes) -> str:
    """A member as lines; a notebook's cells and outputs as they read, not as JSON quotes them."""
    text = data.decode("utf-8", errors="replace")
    if not name.endswith(".ipynb"):
        return text
    parts = [text]
    for cell in json.loads(text)["cells"]:
        parts.append("".join(cell["source"]))
        for output in cell.get("outputs", ()):
            shown = [*output.get("data", {}).values(), output.get("text", "")]
            for one in (*shown, output.get("traceback", "")):
                if isinstance(one, (str, list)):  # a list holds lines; what is neither is JSON
                    told = "".join(map(str, one))
                    parts += [told, html.unescape(re.sub(r"<[^>\n]*>", "", told))]
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(parts))
