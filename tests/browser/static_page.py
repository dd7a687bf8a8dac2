"""A static page with live figures, written as myst-nb writes it, and how to read a figure on it."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import anywidget
import ipywidgets
import pytest
import torch
from ipywidgets.embed import embed_data

from genssl_utils.gumbel_softmax.temperature import TemperatureFigure

HOST = Path(__file__).parents[2] / "book" / "_static" / "figure-host.js"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
HELD: dict[str, Callable[[dict, dict], None]] = {}
"""For each class of figure: what its numbers are held against, given these and its saved state."""

CURVES = {
    "tau": [0.1, 0.5, 1.0, 5.0],
    "estimators": {
        "REINFORCE": {"bias": [0.02], "variance": [7.0], "depends_on_tau": False},
        "REINFORCE with baseline": {"bias": [0.014], "variance": [4.0], "depends_on_tau": False},
        "Gumbel-softmax": {
            "bias": [0.07, 0.31, 0.53, 0.91],
            "variance": [22.9, 2.4, 0.53, 0.001],
            "depends_on_tau": True,
        },
        "straight-through": {
            "bias": [0.09, 0.28, 0.45, 0.8],
            "variance": [25.0, 3.4, 1.1, 0.2],
            "depends_on_tau": True,
        },
    },
}


def tag(kind: str, content: object) -> str:
    """A script tag as myst-nb writes it: JSON, its keys sorted as nbformat sorts them."""
    text = json.dumps(content, sort_keys=True).replace("</script>", r"<\/script>")
    return f'<script type="{kind}">{text}</script>'


def write_page(folder: Path, *widgets: ipywidgets.Widget, theme: str = "light") -> Path:
    """A static page with one view a widget, its state, and the host script beside it."""
    data = embed_data(list(widgets), drop_defaults=False)
    views = "\n".join(f'<div class="cell_output">{tag(VIEW, v)}</div>' for v in data["view_specs"])
    page = folder / "index.html"
    page.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>A page</title>'
        '<script src="_static/figure-host.js"></script></head>'
        f"<body>{views}{tag(STATE, data['manager_state'])}</body></html>",
        encoding="utf-8",
    )
    (folder / "_static").mkdir(exist_ok=True)
    shutil.copy(HOST, folder / "_static")
    return page


def pages(book: Path) -> list[str]:
    """The pages of a built book, by their paths in it."""
    return sorted(
        path.relative_to(book).as_posix()
        for path in book.rglob("*.html")
        if "_static" not in path.parts
    )


def shown(root) -> dict:
    """The numbers that a figure carries on its root element."""
    data = root.evaluate("node => ({...node.dataset})")
    plain = {"winner", "best"}
    return {key: value if key in plain else json.loads(value) for key, value in data.items()}


def settle(page):
    """Wait until the page is whole: every figure drawn, every formula set, every font there.

    A quiet network says less, and on a busy machine it may not come in time.
    """
    page.wait_for_load_state("load")
    drawn = """async () => {
      await window.MathJax?.startup?.promise;
      await document.fonts.ready;
      const views = document.querySelectorAll(`script[type="%s"]`).length;
      const places = [...document.querySelectorAll(".genssl-figure-place")];
      return places.filter((place) => place.childElementCount).length === views;
    }"""
    page.wait_for_function(drawn % VIEW, timeout=120_000)
    problems = page.locator(".genssl-figure-problem").all_text_contents()
    assert not problems, f"{page.url}: {problems}"


def figures(page):
    page.wait_for_selector(".genssl-figure svg[viewBox]")
    return page.locator(".genssl-figure")


def holds(figure: type[anywidget.AnyWidget], *, saved: bool = False) -> Callable:
    """Register what compares a figure's numbers with torch's, for the figure's page in the book.

    Args:
        figure: the class.
        saved: whether the function wants the state that the page carries, after the numbers.
    """

    def register(compare: Callable) -> Callable:
        name = f"{figure.__module__}.{figure.__qualname__}"
        HELD[name] = compare if saved else lambda data, state: compare(data)
        return compare

    return register


def saved_figures(page) -> list[tuple[str, dict]]:
    """Class and saved state, its bytes in place, of each live figure of a page, in its order."""
    views, state = page.evaluate(
        """([view, state]) => [view, state].map((kind) =>
            [...document.querySelectorAll(`script[type="${kind}"]`)].map((tag) =>
                JSON.parse(tag.textContent)))""",
        [VIEW, STATE],
    )
    models = {name: model for tag in state for name, model in tag["state"].items()}
    found = []
    for model in (models[view["model_id"]] for view in views):
        if model["model_module"] != "anywidget":
            continue
        for buffer in model.get("buffers", []):
            (key,) = buffer["path"]
            model["state"][key] = base64.b64decode(buffer["data"])
        found.append((model["state"]["_anywidget_id"], model["state"]))
    return found


@holds(TemperatureFigure)
def assert_equals_torch(data: dict) -> None:
    """y = softmax((log π + g) / τ) and its distance from one-hot, by torch, to 1e-5."""
    log_pi = torch.tensor(data["pi"], dtype=torch.float64).log()
    gumbel = torch.tensor(data["gumbel"], dtype=torch.float64)
    y = torch.softmax((log_pi + gumbel) / data["tau"], dim=0)
    torch.testing.assert_close(torch.tensor(data["y"], dtype=torch.float64), y, atol=1e-5, rtol=0)
    assert data["distance"] == pytest.approx(1 - y.max().item(), abs=1e-5)
    assert sum(data["pi"]) == pytest.approx(1, abs=1e-12)


def assert_fits_a_phone(site, theme: str, *shown) -> None:
    """At 360 px nothing scrolls sideways, no word is clipped, and the page logs nothing."""
    page, notes = site(*shown, theme=theme, width=360)
    figures(page)
    assert_narrow(page)
    notes.assert_clean()


def assert_narrow(page) -> None:
    """Nothing scrolls sideways at 360 px, and no word is clipped."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert words_outside(page) == []


def words_outside(page) -> list[str]:
    """What a reader cannot read: words of a figure that reach beyond its frame."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".genssl-figure")].flatMap((figure) => {
            const room = figure.getBoundingClientRect();
            return [...figure.querySelectorAll("text, button, td, th, label")].filter((node) => {
                if (getComputedStyle(node).visibility === "hidden") return false;
                const box = node.getBoundingClientRect();
                return box.width && (box.left < room.left - 1 || box.right > room.right + 1);
            }).map((node) => node.textContent);
        })"""
    )


def drag(page, handle, dx: float, dy: float = 0.0) -> None:
    """Press on the middle of a handle (of its grip, if it has one) and move by so many pixels."""
    grip = handle.locator(".genssl-grip")
    box = (grip.first if grip.count() else handle).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def assert_no_listener_is_left(page, figure: anywidget.AnyWidget) -> None:
    """A render listens to the model and to the page, and to neither when it has ended."""
    base = set(anywidget.AnyWidget.class_trait_names())
    own = [key for key in figure.trait_names(sync=True) if key not in base and key[0] != "_"]
    state = {key: getattr(figure, key) for key in own}
    packed = {key: list(value) for key, value in state.items() if isinstance(value, bytes)}
    plain = {key: value for key, value in state.items() if key not in packed}
    during, left = page.evaluate(
        """async ([source, plain, packed]) => {
            const state = {...plain};
            for (const [key, bytes] of Object.entries(packed)) {
                state[key] = new DataView(new Uint8Array(bytes).buffer);
            }
            let [live, heard] = [0, 0];
            const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
            EventTarget.prototype.addEventListener = function (...all) {
                if (this instanceof Node) heard += 1;
                return add.apply(this, all);
            };
            EventTarget.prototype.removeEventListener = function (...all) {
                if (this instanceof Node) heard -= 1;
                return remove.apply(this, all);
            };
            const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
            const { default: figure } = await import(url);
            const model = {get: (key) => state[key], set() {}, save_changes() {},
                           on() { live += 1; }, off() { live -= 1; }};
            const end = await figure.render({model, el: document.body});
            const during = [live, heard];
            end();
            return [during, [live, heard]];
        }""",
        [str(figure._esm), plain, packed],
    )
    assert min(during) > 0
    assert left == [0, 0]
