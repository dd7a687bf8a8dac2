"""The base of the live figures: one self-contained module, and a look for light and dark."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest

from genssl_utils.course.source import all_units, project_root
from genssl_utils.gumbel_softmax.bias_variance import BiasVarianceFigure, bias_variance_figure
from genssl_utils.gumbel_softmax.temperature import TemperatureFigure, temperature_figure
from genssl_utils.kit import figure as figure_module
from genssl_utils.kit.figure import Figure, bundle

KIT = Path(figure_module.__file__).parent
CSS = (KIT / "figure.css").read_text(encoding="utf-8")
ROLES = ("data", "model", "teacher", "student", "positive", "negative", "anchor", "baseline")


def all_figures() -> list[type[Figure]]:
    """The live figures of every unit."""
    for unit in all_units(project_root()):
        importlib.import_module(f"genssl_utils.{unit.topic}")
    return [f for f in Figure.__subclasses__() if f.__module__.startswith("genssl_utils.")]


FIGURES = pytest.mark.parametrize("figure", all_figures(), ids=lambda f: f.__name__)


def script(folder: Path, text: str) -> Path:
    path = folder / "topic.js"
    path.write_text(text, encoding="utf-8")
    return path


def curves() -> dict:
    return {
        "tau": [0.1, 1.0, 5.0],
        "estimators": {
            "REINFORCE": {"bias": [0.02], "variance": [7.0], "depends_on_tau": False},
            "Gumbel-softmax": {
                "bias": [0.07, 0.53, 0.91],
                "variance": [22.9, 0.53, 0.001],
                "depends_on_tau": True,
            },
        },
    }


# ---- one self-contained module


def test_scripts_that_import_each_other_are_told(tmp_path):
    for one, other in (("a", "b"), ("b", "a")):
        text = f'import {{ {other} }} from "./{other}.js";\nexport const {one} = 1;\n'
        (tmp_path / f"{one}.js").write_text(text)
    path = script(tmp_path, 'import { a } from "./a.js";\nexport default { render() {} };\n')
    with pytest.raises(ValueError, match=r"a.js imports from b.js imports from a.js"):
        bundle(path)


@FIGURES
def test_the_bundle_is_the_kit_and_the_topic_in_one(figure):
    assert figure._esm.startswith((KIT / "figure.js").read_text(encoding="utf-8").rstrip())
    assert not re.search(r"^\s*import\b", figure._esm, re.MULTILINE)
    assert len(re.findall(r"^export default\b", figure._esm, re.MULTILINE)) == 1


@FIGURES
def test_the_bundle_asks_nothing_of_the_network(figure):
    urls = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'`]*", figure._esm + figure._css)
    assert set(urls) <= {"http://www.w3.org/2000/svg"}
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "@import", "url(http"):
        assert word not in figure._esm + figure._css


@FIGURES
def test_what_the_topic_takes_from_the_kit_is_there(figure):
    source = Path(inspect.getfile(figure)).parent / figure._script
    names = re.search(r"import \{([^}]*)\}", source.read_text(encoding="utf-8"))[1]
    exported = re.findall(
        r"^export (?:(?:async )?function|const) (\w+)",
        (KIT / "figure.js").read_text(encoding="utf-8"),
        re.M,
    )
    assert {n.strip() for n in names.split(",") if n.strip()} <= set(exported)


def test_an_import_over_several_lines_is_taken_out(tmp_path):
    text = (
        'import {\n  svg,\n  html,\n} from "../kit/figure.js";\nexport default { render() {} };\n'
    )
    assert "import" not in bundle(script(tmp_path, text)).split("// topic.js")[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import d3 from "d3";\nexport default {};', "imports more"),
        ('import { a } from "./absent.js";\nexport default {};', "absent.js is missing"),
        ('import "./other.js";\nexport default {};', "imports more"),
        ('import * as kit from "../kit/figure.js";\nexport default {};', "imports more"),
        ('export { a } from "./a.js";\nexport default {};', "imports more"),
        ('const a = await import("./a.js");\nexport default {};', "imports more"),
        ('import { svg as s } from "../kit/figure.js";\nexport default {};', "renames"),
        ("export function render() {}", "no default export"),
    ],
)
def test_a_script_that_would_not_stand_alone_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        bundle(script(tmp_path, text))


def test_scripts_beside_a_figure_s_script_come_before_it_each_once(tmp_path):
    (tmp_path / "sums.js").write_text("export const twice = (x) => 2 * x;\n")
    (tmp_path / "bars.js").write_text(
        'import { svg } from "../kit/figure.js";\nimport { twice } from "./sums.js";\n'
        "export const bar = (x) => svg('rect', { width: twice(x) });\n"
    )
    text = (
        'import { bar } from "./bars.js";\nimport { twice } from "./sums.js";\n'
        "export default { render() { bar(twice(1)); } };\n"
    )
    whole = bundle(script(tmp_path, text))
    assert "import" not in whole.split("// sums.js")[1]
    places = [whole.index(f"// {name}.js\n") for name in ("sums", "bars", "topic")]
    assert places == sorted(places)
    assert whole.count("export const twice") == 1


def test_a_missing_script_is_refused(tmp_path):
    with pytest.raises(ValueError, match="beside the figure's Python file"):
        bundle(tmp_path / "absent.js")


def test_the_base_alone_is_no_figure():
    with pytest.raises(ValueError, match="has no script"):
        Figure(alt="something")


# ---- the text alternative


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_a_text_alternative_is_refused(alt):
    with pytest.raises(ValueError, match="needs `alt`"):
        TemperatureFigure(pi=[0.5, 0.5], labels=["a", "b"], alt=alt)
    figure = temperature_figure()
    with pytest.raises(ValueError, match="needs `alt`"):
        figure.alt = alt


def test_the_text_alternative_stands_where_only_text_is_shown():
    figure = temperature_figure()
    text = figure._repr_mimebundle_()[0]["text/plain"]
    assert figure.title in text
    assert "cat, dog, bird, fish, horse" in text


# ---- the look


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def palettes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r"\{([^{}]*--genssl-data[^{}]*color-scheme[^{}]*)\}", CSS)[:2]
    read = lambda block: dict(re.findall(r"--genssl-(\w+): (#[0-9a-f]{6});", block))  # noqa: E731
    return {"light": read(light), "dark": read(dark)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_role_has_a_colour_that_stands_out(theme):
    colours = palettes()[theme]
    assert set(ROLES) <= set(colours)
    for role in ROLES:
        assert contrast(colours[role], colours["paper"]) >= 3, role
    for text in ("ink", "soft"):
        assert contrast(colours[text], colours["paper"]) >= 4.5, text
    assert contrast(colours["edge"], colours["paper"]) >= 3


def test_light_colours_are_those_of_the_printed_plots():
    from genssl_utils.kit.plots import COLOURS

    light = palettes()["light"]
    for role in set(ROLES) & set(COLOURS):
        assert light[role] == COLOURS[role].lower(), role


@pytest.mark.parametrize(
    "selector",
    ['html[data-theme="dark"]', '[data-jp-theme-light="false"]', "body.vscode-dark"],
)
def test_dark_is_known_in_every_home(selector):
    assert f"{selector} .genssl-figure" in CSS


def test_no_text_is_smaller_than_12_px_and_motion_can_be_refused():
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:\d+ )?([\d.]+)px", CSS)]
    assert sizes
    assert min(sizes) >= 12
    before, _, after = CSS.partition("@media (prefers-reduced-motion: no-preference)")
    assert "transition" in after
    assert not re.search(r"transition|animation", before)


# ---- what Python sees and refuses


def test_the_state_is_shared_with_the_browser():
    state = temperature_figure(tau=0.5).get_state()
    assert state["tau"] == 0.5
    assert sum(state["pi"]) == pytest.approx(1)
    assert {"pi", "tau", "seed", "seed_many", "labels", "alt", "title", "_esm", "_css"} <= set(
        state
    )
    assert bias_variance_figure(curves(), tau=0.5, n=7).get_state()["n"] == 7


def test_estimators_keep_their_order_in_a_saved_notebook():
    figure = bias_variance_figure(curves())
    saved = json.loads(json.dumps(figure.get_state()["curves"], sort_keys=True))
    names = [curve["name"] for curve in saved["estimators"]]
    assert names == list(curves()["estimators"]) != sorted(names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pi": (0.5, 0.6)}, "sums to 1.1"),
        ({"pi": (1.0,)}, "2 to 8"),
        ({"pi": (1.0, 0.0)}, "at least 0.01"),
        ({"pi": (float("nan"), 1.0)}, "at least 0.01"),
        ({"tau": 0.0}, "0.05 to 10"),
        ({"tau": float("nan")}, "0.05 to 10"),
        ({"labels": ("a", "b")}, "give one each"),
        ({"labels": ("a", "a", "b", "c", "d")}, "different"),
    ],
)
def test_a_bad_temperature_figure_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        temperature_figure(**arguments)


def broken(**changes: object) -> dict:
    made = curves()
    made["estimators"]["Gumbel-softmax"].update(changes)
    return made


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"tau": [1.0, 2.0]}, "lacks"),
        ({"tau": [1.0], "estimators": curves()["estimators"]}, "at least two"),
        ({"tau": [2.0, 1.0, 3.0], "estimators": curves()["estimators"]}, "rising"),
        ({"tau": [0.1, 1.0], "estimators": {}}, "at least one"),
        ({"tau": [0.1, 1.0], "estimators": {"a": {"bias": [1.0]}}}, "lacks"),
        (
            {"tau": [0.1, 1.0], "estimators": dict.fromkeys("abcdefg", curves()["estimators"])},
            "at most 6",
        ),
        (broken(bias=[0.1]), "1 numbers for 3"),
        (broken(variance=[1.0, -1.0, 1.0]), "negative"),
        (broken(variance=[1.0, float("inf"), 1.0]), "finite"),
        (broken(bias="abc"), "list of numbers"),
        (broken(depends_on_tau=False), "one number"),
    ],
)
def test_bad_curves_are_refused(made, message):
    with pytest.raises(ValueError, match=message):
        bias_variance_figure(made)


def test_a_figure_of_nothing_is_refused():
    with pytest.raises(ValueError, match="has no curves"):
        BiasVarianceFigure(alt="nothing")


@pytest.mark.parametrize(
    "arguments", [{"tau": 6.0}, {"tau": 0.01}, {"n": 0}, {"n": 1001}, {"n": 1.5}]
)
def test_a_start_outside_the_sliders_is_refused(arguments):
    with pytest.raises(ValueError, match=r"choose a whole number|curves run from"):
        bias_variance_figure(curves(), **arguments)
