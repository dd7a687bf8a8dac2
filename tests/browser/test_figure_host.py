"""`book/_static/figure-host.js` starts the figures of a static page, and disturbs nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import anywidget
import ipywidgets
import nbformat
import pytest
import traitlets
from ipywidgets.embed import embed_data
from sphinx.application import Sphinx

from genssl_utils.gumbel_softmax.temperature import temperature_figure
from static_page import HOST, STATE, assert_equals_torch, figures, shown, write_page


def test_two_views_of_one_figure_stay_in_step(site):
    figure = temperature_figure()
    page, notes = site(figure, figure)
    assert figures(page).count() == 2
    left, right = (page.locator(".genssl-figure").nth(i) for i in (0, 1))
    left.get_by_label("temperature").press("Home")
    right.get_by_role("slider", name="probability of fish").press("End")
    right.get_by_role("button", name="sample", exact=True).click()
    assert shown(left) == shown(right)
    assert shown(left)["tau"] == 0.05
    for place in (left, right):
        assert place.get_by_label("temperature").input_value() == "0"
        assert "0.05" in place.locator("output").inner_text()
    notes.assert_clean()


def test_from_a_file_without_a_server(tmp_path, open_page):
    page, notes = open_page(write_page(tmp_path, temperature_figure()).as_uri())
    root = figures(page)
    root.get_by_label("temperature").press("End")
    assert shown(root)["tau"] == 10
    assert_equals_torch(shown(root))
    notes.assert_clean()


# ---- the page that the book's own tools build


def build_book(folder: Path, theme: str, *widgets: ipywidgets.Widget) -> Path:
    """One notebook with its figures, saved as a kernel would, through Sphinx and myst-nb."""
    data = embed_data(list(widgets), drop_defaults=False)
    notebook = nbformat.v4.new_notebook(
        metadata={"widgets": {STATE: data["manager_state"]}},
        cells=[nbformat.v4.new_markdown_cell("# A page")],
    )
    for widget in widgets:
        shown_as = widget._repr_mimebundle_()
        bundle = shown_as[0] if isinstance(shown_as, tuple) else shown_as
        output = nbformat.v4.new_output("display_data", bundle)
        notebook.cells.append(nbformat.v4.new_code_cell("figure", outputs=[output]))
    source = folder / "source"
    (source / "_static").mkdir(parents=True)
    shutil.copy(HOST, source / "_static")
    nbformat.write(notebook, source / "index.ipynb")
    app = Sphinx(
        srcdir=str(source),
        confdir=None,
        outdir=str(folder / "html"),
        doctreedir=str(folder / "doctrees"),
        buildername="html",
        confoverrides={
            "extensions": ["myst_nb"],
            "html_theme": theme,
            "html_context": {"default_mode": "light"},
            "html_static_path": ["_static"],
            "nb_execution_mode": "off",
            "nb_ipywidgets_js": {HOST.name: {}},
        },
        status=None,
        warning=None,
    )
    app.build()
    return folder / "html"


@pytest.mark.parametrize("theme", ["basic", "sphinx_book_theme"])
def test_a_page_that_myst_nb_built(tmp_path, serve, open_page, theme):
    html = build_book(tmp_path, theme, temperature_figure(), ipywidgets.IntSlider())
    page, notes = open_page(serve(html, "course/book") + "index.html", width=1200)
    root = figures(page)
    assert root.count() == 1
    root.get_by_label("temperature").press("End")
    assert shown(root)["tau"] == 10
    assert_equals_torch(shown(root))
    # Nothing of ipywidgets' own loader, which would come from two other hosts.
    text = (html / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"require(\.min)?\.js|html-manager|embed-amd", text)
    notes.assert_clean()


# ---- what it carries, what it leaves alone, what it says


class Plain(anywidget.AnyWidget):
    """Shows the bytes that it carries; its module is a function that makes the widget."""

    _esm = """
    export default () => ({
      initialize({ model }) { model.set("ready", "yes"); },
      render({ model, el }) {
        const view = model.get("raw");
        el.textContent = `${model.get("ready")} ${view.getUint8(0)} ${view.byteLength}`;
      },
    });
    """
    raw = traitlets.Bytes(b"\x07\x00\xff").tag(sync=True)
    ready = traitlets.Unicode("no").tag(sync=True)


class Broken(anywidget.AnyWidget):
    """A figure whose module fails as it renders."""

    _esm = "export default { render() { throw new Error('the curve is empty.'); } };"


def test_buffers_come_back_and_a_function_makes_the_widget(site):
    page, notes = site(Plain())
    page.wait_for_selector("text=yes 7 3")
    notes.assert_clean()


def test_a_figure_that_fails_says_so_calmly_and_the_others_start(site):
    page, notes = site(Broken(), temperature_figure())
    assert figures(page).count() == 1
    problem = page.locator(".genssl-figure-problem")
    assert problem.inner_text() == "This figure could not start: the curve is empty."
    notes.assert_clean()


def test_a_view_without_state_says_so(tmp_path, open_page):
    path = write_page(tmp_path, temperature_figure())
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index(f'<script type="{STATE}"')], encoding="utf-8")
    page, notes = open_page(path.as_uri())
    problem = page.locator(".genssl-figure-problem")
    problem.wait_for()
    assert problem.inner_text() == "This figure could not start: its state is not on this page."
    notes.assert_clean()


def test_other_widgets_are_left_as_they_are(site):
    page, notes = site(ipywidgets.IntSlider(), temperature_figure())
    assert figures(page).count() == 1
    assert page.locator(".genssl-figure-place").count() == 1
    assert page.locator(".genssl-figure-problem").count() == 0
    notes.assert_clean()
