"""A student at the keyboard: the released notebook in a real kernel, answered wrongly or not."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

from genssl_utils.course import catalogue
from genssl_utils.course.source import find_unit, project_root

ROOT = project_root()
UNIT = find_unit(ROOT, "05")


def run(cells):
    """Run cells in one kernel, errors and all; returns them with their outputs."""
    nb = nbformat.v4.new_notebook(cells=cells)
    os.environ["OMP_NUM_THREADS"] = "1"
    return NotebookClient(nb, timeout=300, allow_errors=True, kernel_name="python3").execute().cells


def text_of(cell):
    """Everything that a cell shows."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {})
        parts += [data.get("text/html", ""), data.get("text/plain", ""), output.get("text", "")]
        parts += output.get("traceback", [])
    return "\n".join(parts)


def released(*roles):
    nb = nbformat.read(UNIT.notebook, as_version=4)
    return [c for c in nb.cells if c.cell_type == "code" and set(roles) & set(c.metadata.tags)]


def test_every_wrong_answer_is_told_its_mistake_in_the_notebook():
    """All catalogued mistakes of all exercises, one kernel, the student's own check cells."""
    checks = {c.metadata.nbgrader.grade_id.removeprefix("check_"): c for c in released("check")}
    load = (
        "from pathlib import Path\n"
        "from genssl_utils.course import catalogue\n"
        "from genssl_utils.course.source import Unit\n"
        f"_found = catalogue.load(Unit({UNIT.name!r}, Path({str(ROOT)!r}))).mistakes"
    )
    cells, asked = [*released("setup", "parameters"), nbformat.v4.new_code_cell(load)], []
    for name, entries in catalogue.load(UNIT).mistakes.items():
        for i, entry in enumerate(entries):
            answer = nbformat.v4.new_code_cell(f"{name} = _found[{name!r}][{i}].function")
            check = nbformat.v4.new_code_cell(checks[name].source)
            cells += [answer, check]
            asked.append((entry, len(cells) - 1))
    done = run(cells)
    import html

    for entry, at in asked:
        shown = html.unescape(text_of(done[at]))
        assert entry.hint in shown, f"{entry.name}: {shown}"
        assert not any(o.output_type == "error" for o in done[at].outputs)
    assert len(asked) >= 25


@pytest.fixture(scope="module")
def blank():
    """The notebook as handed out, run from top to bottom."""
    return run(nbformat.read(UNIT.notebook, as_version=4).cells)


def test_a_blank_notebook_says_what_to_write(blank):
    checks = [c for c in blank if "check" in c.metadata.get("tags", ())]
    assert len(checks) == 5
    for cell in checks:
        assert "not written yet" in text_of(cell)


def test_a_blank_notebook_stops_its_experiments_calmly(blank):
    """The cells that run the student's functions say which to finish, without a traceback."""
    guarded = [c for c in blank if c.cell_type == "code" and c.source.startswith("check.finished(")]
    assert len(guarded) >= 4
    for cell in guarded:
        (error,) = [o for o in cell.outputs if o.output_type == "error"]
        assert error.ename == "NotFinished"
        assert "first: this cell runs your own code" in "\n".join(error.traceback)
        assert "genssl_utils" not in "\n".join(error.traceback)
