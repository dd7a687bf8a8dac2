"""The figure of bias against variance: its maths, and what the reader sees move."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from genssl_utils.gumbel_softmax.bias_variance import BiasVarianceFigure, bias_variance_figure
from static_page import CURVES, figures, holds, shown


@holds(BiasVarianceFigure, saved=True)
def assert_lies_on_the_curves(data: dict, saved: dict) -> None:
    """Bias and variance between two measured temperatures, straight in logarithms."""
    curves = saved["curves"]
    for estimator in curves["estimators"]:
        point = data["points"][estimator["name"]]
        for quantity in ("bias", "variance"):
            want = estimator[quantity][0]
            if estimator["depends_on_tau"]:
                known = np.log(curves["tau"]), np.log(estimator[quantity])
                want = np.exp(np.interp(np.log(data["tau"]), *known))
            assert point[quantity] == pytest.approx(want, rel=1e-5)
        error = point["bias"] ** 2 + point["variance"] / data["n"]
        assert point["error"] == pytest.approx(error, rel=1e-9)
    assert data["best"] == min(data["points"], key=lambda name: data["points"][name]["error"])


def test_the_points_move_and_the_best_is_named(site):
    page, notes = site(bias_variance_figure(CURVES, tau=0.5, n=1))
    root = figures(page)
    count, warm = root.get_by_label("samples averaged"), root.get_by_label("temperature")
    names = list(CURVES["estimators"])

    def expected(data: dict) -> str:
        for name in names:
            point = data["points"][name]
            assert point["error"] == pytest.approx(
                point["bias"] ** 2 + point["variance"] / data["n"], rel=1e-12
            )
        return min(names, key=lambda name: data["points"][name]["error"])

    start = shown(root)
    assert start["points"]["Gumbel-softmax"]["bias"] == pytest.approx(0.31)
    assert start["best"] == expected(start) == "Gumbel-softmax"
    count.press("End")
    many = shown(root)
    assert many["n"] == 1000
    assert many["best"] == expected(many) == "REINFORCE with baseline"
    assert root.locator("tr[data-best]").inner_text().startswith("REINFORCE with baseline")
    assert "REINFORCE with baseline is best" in root.inner_text()
    count.press("Home")
    count.press("ArrowRight")
    assert shown(root)["n"] == 2, "every key press is a new whole number"

    box = warm.bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    hot = shown(root)
    assert hot["tau"] > 2
    assert hot["points"]["Gumbel-softmax"] != start["points"]["Gumbel-softmax"]
    for name in names[:2]:
        assert hot["points"][name]["variance"] == start["points"][name]["variance"]
    assert hot["best"] == expected(hot)
    notes.assert_clean()


def test_a_curve_goes_through_its_numbers_and_evenly_in_log_tau(module):
    curve = {"tau": [0.1, 1.0, 10.0], "bias": [0.0, 0.4, 0.1], "variance": [8.0, 2.0, 0.5]}
    for tau, bias, variance in zip(*curve.values(), strict=True):
        assert module(BiasVarianceFigure, "at", curve, tau) == pytest.approx(
            {"bias": bias, "variance": variance}
        )
    half = module(BiasVarianceFigure, "at", curve, 10**0.5)
    assert half == pytest.approx({"bias": 0.2, "variance": 1.0})  # geometric means
    from_zero = module(BiasVarianceFigure, "at", curve, 10**-0.5)
    assert from_zero["bias"] == pytest.approx(0.2)  # from 0 there is only the arithmetic mean
    assert module(BiasVarianceFigure, "at", curve, 99) == pytest.approx(
        {"bias": 0.1, "variance": 0.5}
    )
    assert module(BiasVarianceFigure, "mse", 0.3, 2.0, 4) == pytest.approx(0.59)


def test_where_another_takes_over(module):
    points = [{"bias": 0.0, "variance": 4.0}, {"bias": 0.52, "variance": 1.0}]
    turn = module(BiasVarianceFigure, "overtaken", points, 1, 1000)
    assert turn == {"n": 12, "best": 0}  # 4/n < 0.52² + 1/n when n > 11.1
    assert module(BiasVarianceFigure, "overtaken", points, 12, 1000) is None


@pytest.mark.parametrize("width", [360, 900])
def test_labels_do_not_overlap(site, width):
    page, _ = site(bias_variance_figure(CURVES), width=width)
    root = figures(page)
    for share in range(0, 121, 15):
        root.get_by_label("temperature").evaluate(
            "(node, v) => { node.value = v; node.dispatchEvent(new Event('input')); }", share
        )
        # getBBox: the letters without the outline in the paper's colour around them.
        boxes = root.locator("svg > text.genssl-halo").evaluate_all(
            """nodes => nodes.map(node => {
                const {x, y, width, height} = node.getBBox();
                return [node.textContent, x, y, x + width, y + height];
            })"""
        )
        seen = {name: box for name, *box in boxes if name in CURVES["estimators"]}
        assert len(seen) == len(CURVES["estimators"])
        for (a, p), (b, q) in itertools.combinations(seen.items(), 2):
            apart = p[2] <= q[0] or q[2] <= p[0] or p[3] <= q[1] or q[3] <= p[1]
            assert apart, (shown(root)["tau"], a, b)
