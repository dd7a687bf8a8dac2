"""A page keeps outputs and live figures, and shows no answer, no hidden test, no dead widget."""

from __future__ import annotations

import json
import shutil

import nbformat
import pytest

from genssl_utils.course.book import stage, unit_page
from genssl_utils.course.build import release
from genssl_utils.course.pages import STATE, STILL, VIEW, page
from genssl_utils.course.results_page import recorded_tables
from genssl_utils.course.run import Job, run
from genssl_utils.course.source import CourseError, find_unit
from genssl_utils.course.written import MARK, filled, written
from toy_course import PROJECT, TOY, write_unit

WIDGETS = """
# %% tags=["figure"]
import anywidget, ipywidgets, traitlets


class Dial(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.textContent = 'a dial'; } };"
    value = traitlets.Float(0.5).tag(sync=True)


Dial()

# %% tags=["figure"]
import matplotlib.pyplot as plt


@ipywidgets.interact(k=(0, 3))
def explore(k=1):
    plt.plot([0, k])
    plt.show()


# %% tags=["figure"]
from matplotlib.figure import Figure

from genssl_utils.kit.explore import explore as kit_explore

kit_explore(lambda k: Figure(), alt="a blank <sheet>", k=(0, 3, 1))

# %% tags=["figure"]
from tqdm.notebook import tqdm

for _ in tqdm(range(3)):
    pass
"""


@pytest.fixture
def widgets(course):
    """A unit with a live figure, an explorer and a progress bar, executed."""
    unit = write_unit(course, "08_widgets", TOY + WIDGETS)
    assert run([unit]) == []
    return unit


def test_answers_and_hidden_tests_are_out_and_outputs_stay(toy):
    run([toy])
    text = unit_page(toy, Job(toy).output)
    assert "the_reference_answer" not in text
    assert "31337" not in text
    assert "NotImplementedError" in text
    assert "sum of doubles [points]: 20" in text
    outputs = [o for cell in nbformat.reads(text, 4).cells for o in cell.get("outputs", ())]
    assert "application/vnd.genssl" not in str(outputs)
    assert "injected-parameters" not in text


def test_a_hidden_check_is_counted_and_not_named(toy):
    run([toy])
    text = unit_page(toy, Job(toy).output)
    assert "twice two" in text
    assert "And 1 hidden check passed." in text
    assert "a hidden negative number" not in text


def test_code_that_no_reader_needs_is_folded(toy):
    run([toy])
    nb = nbformat.reads(unit_page(toy, Job(toy).output), as_version=4)
    folded = [c.metadata.tags[0] for c in nb.cells if "hide-input" in c.metadata.get("tags", ())]
    assert folded == ["parameters", "check"]  # the setup is folded into the first


def test_a_page_keeps_live_figures_alone(widgets, tmp_path_factory):
    executed = nbformat.read(Job(widgets).output, as_version=4)
    made = page(executed, nbformat.reads(release(widgets, tmp_path_factory.mktemp("r")), 4))
    state = made.metadata.widgets[STATE]["state"]
    modules = [model["model_module"] for model in state.values()]
    assert modules.count("anywidget") == 1
    assert "@jupyter-widgets/controls" not in modules
    assert "@jupyter-widgets/output" not in modules
    shown = [o.data[VIEW]["model_id"] for c in made.cells for o in c.get("outputs", ())
             if VIEW in o.get("data", {})]  # fmt: skip
    assert len(shown) == 1
    assert state[shown[0]]["model_module"] == "anywidget"
    refers = [value for model in state.values() for value in model["state"].values()
              if isinstance(value, str) and value.startswith("IPY_MODEL_")]  # fmt: skip
    assert all(name.removeprefix("IPY_MODEL_") in state for name in refers)


def test_an_explorer_becomes_its_last_picture_and_a_line(widgets, tmp_path_factory):
    executed = nbformat.read(Job(widgets).output, as_version=4)
    made = page(executed, nbformat.reads(release(widgets, tmp_path_factory.mktemp("r")), 4))
    (explorer,) = [cell for cell in made.cells if "def explore" in cell.source]
    data = [output.data for output in explorer.outputs]
    assert "image/png" in data[0]
    assert data[1]["text/markdown"] == STILL
    (ours,) = [cell for cell in made.cells if "kit_explore(lambda" in cell.source]
    data = [output.data for output in ours.outputs]
    assert data[0]["text/html"].startswith('<img alt="a blank &lt;sheet&gt;"')
    assert "base64," in data[0]["text/html"]
    assert data[1]["text/markdown"] == STILL
    (progress,) = [cell for cell in made.cells if "tqdm(range" in cell.source]
    assert not [o for o in progress.outputs if o.output_type == "display_data"]


def copy_book(course):
    import shutil

    others = shutil.ignore_patterns("bench")  # what the real units measured
    shutil.copytree(PROJECT / "book", course / "book", ignore=others, dirs_exist_ok=True)
    shutil.copy(PROJECT / "_config.yml", course)
    (course / "book" / "_toc.yml").write_text(
        "format: jb-book\nroot: welcome\nchapters:\n- file: units/07_toy\n- file: results\n"
    )
    (course / "book" / "welcome.md").write_text("# Welcome\n")  # the real one shows a real unit


def test_staging_twice_touches_no_file(toy):
    copy_book(toy.root)
    run([toy], seeds=range(2), record=True)
    folder = stage([toy], [Job(toy).output])
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert (folder / "units" / "07_toy.ipynb") in times
    stage([toy], [Job(toy).output])
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


def test_the_results_page_holds_the_recorded_numbers(toy):
    copy_book(toy.root)
    run([toy], seeds=range(3), record=True)
    text = recorded_tables([toy])
    assert "| sum of doubles [points] | 21.0 ± 1.0 | 20 (a textbook) |" in text
    assert "Scale laptop: mean and standard deviation over 3 seeds" in text
    assert "{doc}`units/07_toy`" in text
    assert "was not run" in text


def test_the_results_page_says_what_was_not_run_only_while_it_is_so(toy):
    copy_book(toy.root)
    run([toy], seeds=range(2), record=True)
    path = toy.root / "book" / "results" / "07_toy.json"
    known = json.loads(path.read_text())
    known["scales"]["full"] = known["scales"]["laptop"]
    path.write_text(json.dumps(known))
    text = recorded_tables([toy])
    assert "was not run" not in text
    assert text.index("Scale laptop:") < text.index("Scale full:")
    recorded = [json.loads(p.read_text()) for p in (PROJECT / "book/results").glob("*.json")]
    said = "No unit has been run at `full` scale" in (PROJECT / "book/results.md").read_text(
        "utf-8"
    )
    assert said == (not any("full" in entry["scales"] for entry in recorded))


def test_the_results_page_holds_what_was_measured_beside_peers(toy):
    copy_book(toy.root)
    folder = toy.root / "book" / "results" / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    assert "## Beside other libraries" not in recorded_tables([toy])
    entry = {
        "title": "Doubling, ours and theirs",
        "rows": [{"what": "a | b", "ours": 0.123456, "theirs": 2}],
        "note": "On 8 rows.",
        "versions": {"torch": "9"},
    }
    folder.mkdir(parents=True)
    (folder / "toy.json").write_text(json.dumps(entry))
    text = recorded_tables([toy])
    assert "### Doubling, ours and theirs" in text
    assert r"| a \| b | 0.123 | 2 |" in text
    assert "On 8 rows.\n\nMade with torch 9." in text


@pytest.mark.parametrize(("paper", "column"), [("", False), ("0.0", True)])
def test_the_papers_column_stands_where_a_paper_gives_a_number(toy, paper, column):
    """A number that is 0 is a number."""
    copy_book(toy.root)
    given = f'paper={paper}, source="a textbook"' if paper else ""
    write_unit(toy.root, toy.name, TOY.replace('paper=20.0, source="a textbook"', given))
    unit = find_unit(toy.root, toy.name)
    run([unit], seeds=range(2), record=True)
    text = recorded_tables([unit])
    assert ("| paper |" in text) == column
    assert ("| 0 (a textbook) |" in text) == column


def test_a_page_gets_the_parts_that_it_asks_for_and_no_other():
    parts = {"map": "the map", "get": "where"}
    text = "One <!-- map: written by genssl book --> and <!-- a remark -->."
    assert filled("a.md", text, parts) == "One the map and <!-- a remark -->."
    with pytest.raises(CourseError, match=r"book/a.md asks for 'mpa'; there are get, map"):
        filled("a.md", text.replace("map:", "mpa:"), parts)


def test_each_part_that_is_written_is_asked_for_once(toy):
    asked = [
        mark["name"]
        for path in (PROJECT / "book").glob("*.md")
        for mark in MARK.finditer(path.read_text("utf-8"))
    ]
    assert sorted(asked) == sorted(written([toy]))


def test_a_unit_without_a_line_in_the_contents_is_named(toy):
    copy_book(toy.root)
    run([toy])
    (toy.root / "book" / "_toc.yml").write_text("format: jb-book\nroot: welcome\n")
    with pytest.raises(CourseError, match="units/07_toy"):
        stage([toy], [Job(toy).output])
