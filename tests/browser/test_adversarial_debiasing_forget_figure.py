"""The figure of a score that forgets: its numbers are SciPy's, and λ moves all of it."""

from __future__ import annotations

import math

import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from genssl_utils.adversarial_debiasing.forget import ForgetFigure, forget_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds, shown

SD = math.sqrt(2)


def by_scipy(rho: float) -> dict:
    """Loss, information and the decision's worth for the score u + ρs, by adaptive quadrature."""

    def density(t: float, s: int) -> float:
        return norm.pdf(t, (1 + rho) * s, SD)

    def one(t: float, s: int) -> float:
        return norm.cdf(((t - rho * s) + s) / 2 / math.sqrt(1.5))

    def mixed(t: float) -> float:
        return (density(t, 0) + density(t, 1)) / 2

    def chance(t: float) -> float:
        return (density(t, 0) * one(t, 0) + density(t, 1) * one(t, 1)) / (2 * mixed(t))

    def entropy(p: float) -> float:
        return 0.0 if p <= 0 or p >= 1 else -p * math.log(p) - (1 - p) * math.log(1 - p)

    def integral(f, low: float = -9.0, high: float = 11.0) -> float:
        return quad(f, low, high, epsabs=1e-9, limit=200)[0]

    low, high = -9.0, 9.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) < 0.5 else (low, middle)
    cut = (low + high) / 2
    share = [norm.sf(cut, (1 + rho) * s, SD) for s in (0, 1)]
    odds = []
    for y in (0, 1):
        side = [lambda t, s=s, y=y: density(t, s) * abs(1 - y - one(t, s)) for s in (0, 1)]
        rates = [integral(f, cut) / integral(f) for f in side]
        odds.append(abs(rates[1] - rates[0]))
    return {
        "loss": integral(lambda t: mixed(t) * entropy(chance(t))),
        "information": integral(
            lambda t: mixed(t) * (math.log(2) - entropy(density(t, 1) / (2 * mixed(t))))
        ),
        "accuracy": integral(lambda t: mixed(t) * max(chance(t), 1 - chance(t))),
        "threshold": cut,
        "parity": abs(share[1] - share[0]),
        "odds": max(odds),
    }


@holds(ForgetFigure)
def assert_equals_scipy(data: dict) -> None:
    want = by_scipy(data["rho"])
    for name, value in want.items():
        assert data[name] == pytest.approx(value, abs=1e-4 if name == "accuracy" else 2e-5), name


def test_rho_is_the_best_for_each_lambda(module):
    rows = module(ForgetFigure, "table")
    for lam in (0.0, 0.2, 1.0, 5.0):

        def cost(rho: float, lam: float = lam) -> float:
            found = by_scipy(rho)
            return found["loss"] + lam * found["information"]

        best = minimize_scalar(cost, bounds=(-1, 1), method="bounded", options={"xatol": 1e-3}).x
        assert module(ForgetFigure, "best", lam, rows) == pytest.approx(best, abs=5e-3)


@pytest.mark.parametrize("z", [-9.0, -4.1, -2.0, -0.3, 0.0, 0.7, 3.4, 3.6, 8.0])
def test_the_normal_law_is_scipy_s(module, z):
    assert module(ForgetFigure, "normalCdf", z) == pytest.approx(norm.cdf(z), rel=1e-9, abs=1e-16)


def test_lambda_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(forget_figure())
    root = figures(page)
    start = shown(root)
    assert start["lam"] == 0
    assert start["rho"] == pytest.approx(1, abs=1e-3), "the best guess uses u + s"
    assert_equals_scipy(start)
    picture = root.locator("svg").first.inner_html()
    slider = root.get_by_label("λ, weight")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    middle = shown(root)
    assert 0.5 < middle["lam"] < 5
    assert middle["rho"] < 0
    assert_equals_scipy(middle)
    assert root.locator("svg").first.inner_html() != picture
    slider.press("End")
    last = shown(root)
    assert last["lam"] == 50
    assert last["rho"] < -0.95
    assert last["parity"] < 0.02 < start["parity"]
    assert last["accuracy"] < middle["accuracy"] < start["accuracy"]
    assert_equals_scipy(last)
    slider.press("ArrowLeft")
    assert shown(root)["lam"] < 50
    slider.press("Home")
    assert shown(root) == start
    notes.assert_clean()


def test_the_words_are_the_numbers(site):
    page, _ = site(forget_figure(lam=1.0))
    root = figures(page)
    data = shown(root)
    text = root.inner_text().replace("−", "-")
    assert f"accuracy {data['accuracy']:.3f}" in text
    assert f"parity gap {data['parity']:.3f}" in text
    assert f"ρ = {data['rho']:.2f}" in text


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lam", [0.0, 50.0])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, lam):
    assert_fits_a_phone(site, theme, forget_figure(lam=lam))


def test_a_reader_by_ear_is_told(site):
    page, _ = site(forget_figure())
    root = figures(page)
    root.get_by_label("λ, weight").press("End")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.startsWith('λ = 50.00. ρ = −')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, forget_figure())


@pytest.mark.parametrize("lam", [-1.0, 51.0, float("nan")])
def test_a_wrong_weight_is_named(lam):
    with pytest.raises(ValueError, match="from 0 to 50"):
        forget_figure(lam=lam)
