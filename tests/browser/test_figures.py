"""The live figures in a real browser, on a static page with no kernel and no network."""

from __future__ import annotations

import re

import pytest
import torch
from scipy.stats import chisquare

from genssl_utils.gumbel_softmax.bias_variance import bias_variance_figure
from genssl_utils.gumbel_softmax.temperature import TemperatureFigure, temperature_figure
from static_page import (
    CURVES,
    assert_equals_torch,
    assert_fits_a_phone,
    assert_no_listener_is_left,
    drag,
    figures,
    shown,
)

FALSE_ALARM = 1e-6


# ---- the temperature figure


def test_the_temperature_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(temperature_figure(tau=1.0))
    root = figures(page)
    before = shown(root)
    assert_equals_torch(before)
    picture = root.locator("svg").first.inner_html()

    range_ = root.get_by_label("temperature")
    box = range_.bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    cold = shown(root)
    assert cold["tau"] < 0.3
    assert root.locator("svg").first.inner_html() != picture
    assert_equals_torch(cold)

    range_.press("ArrowRight")
    warmer = shown(root)
    assert cold["tau"] < warmer["tau"] < 1.1 * cold["tau"]
    range_.press("End")
    hot = shown(root)
    assert hot["tau"] == 10
    assert_equals_torch(hot)
    range_.press("Home")
    assert shown(root)["tau"] == 0.05
    assert_equals_torch(shown(root))

    for data in (cold, warmer, hot):
        assert data["gumbel"] == before["gumbel"], "the same noise at every temperature"
        assert data["winner"] == before["winner"], "the winner never changes"
        assert data["frequency"] == before["frequency"]
    assert cold["distance"] < before["distance"] < hot["distance"]
    assert cold["meanDistance"] < before["meanDistance"] < hot["meanDistance"]
    notes.assert_clean()


def test_the_words_on_the_bars_are_the_numbers(site):
    page, _ = site(temperature_figure(tau=0.7))
    root = figures(page)
    data = shown(root)
    texts = root.locator("svg text").all_text_contents()
    for key, word in (("pi", "π ="), ("y", "y ="), ("mean", "mean"), ("frequency", "won")):
        assert [t for t in texts if re.match(rf"{word} \d", t)] == [
            f"{word} {value:.2f}" for value in data[key]
        ]
    assert any(f"1 − max y = {data['distance']:.2f}" in text for text in texts)


def test_a_bar_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(temperature_figure())
    root = figures(page)
    before = shown(root)
    cat = root.get_by_role("slider", name="probability of cat")
    drag(page, cat, 40)
    after = shown(root)
    assert after["pi"][0] > before["pi"][0] + 0.05
    free = [p - 0.01 for p in before["pi"][1:]]
    left = [p - 0.01 for p in after["pi"][1:]]
    scale = sum(left) / sum(free)
    assert left == pytest.approx([scale * p for p in free]), "the others keep their proportions"
    assert_equals_torch(after)

    cat.press("ArrowLeft")
    assert shown(root)["pi"][0] == pytest.approx(after["pi"][0] - 0.01)
    cat.press("PageDown")
    assert shown(root)["pi"][0] == pytest.approx(after["pi"][0] - 0.11)
    cat.press("End")
    full = shown(root)
    assert full["pi"] == pytest.approx([0.96] + [0.01] * 4)
    assert float(cat.get_attribute("aria-valuenow")) == pytest.approx(0.96)
    assert cat.evaluate("node => node === document.activeElement"), "the focus stays on the bar"
    assert_equals_torch(full)
    cat.press("Home")
    assert shown(root)["pi"][0] == 0.01
    notes.assert_clean()


def test_keys_on_a_bar_do_not_scroll_the_page(site):
    page, _ = site(temperature_figure())
    root = figures(page)
    page.set_viewport_size({"width": 900, "height": 250})
    bar = root.get_by_role("slider", name="probability of cat")
    bar.focus()
    bar.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    for key in ("ArrowDown", "PageDown", "End", "Home"):
        bar.press(key)
        page.wait_for_timeout(50)
    assert page.evaluate("scrollY") == before
    assert shown(root)["pi"][0] == 0.01


def test_a_finger_moves_a_bar_and_a_tap_does_not(site):
    page, notes = site(temperature_figure(), width=400, has_touch=True)
    root = figures(page)
    before = shown(root)["pi"]
    bar = root.get_by_role("slider", name="probability of dog")
    box = bar.locator("rect").nth(1).bounding_box()
    x, y = box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2
    page.touchscreen.tap(x, y)
    assert shown(root)["pi"] == before
    wire = page.context.new_cdp_session(page)
    wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in (8, 16, 24, 32):
        point = {"x": x - step, "y": y}
        wire.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert shown(root)["pi"][1] < before[1] - 0.05
    assert_equals_torch(shown(root))
    notes.assert_clean()


def test_sample_draws_new_noise_and_a_thousand_fit_pi(site):
    page, notes = site(temperature_figure())
    root = figures(page)
    first = shown(root)
    root.get_by_role("button", name="sample", exact=True).click()
    second = shown(root)
    assert second["gumbel"] != first["gumbel"]
    assert second["mean"] == first["mean"]
    assert_equals_torch(second)
    many = root.get_by_role("button", name="sample 1000 times")
    for _ in range(3):
        old = shown(root)
        many.press("Enter")
        new = shown(root)
        assert new["frequency"] != old["frequency"]
        assert new["gumbel"] == old["gumbel"]
        counts = [round(share * new["draws"]) for share in new["frequency"]]
        assert sum(counts) == new["draws"] == 1000
        assert chisquare(counts, [p * 1000 for p in new["pi"]]).pvalue > FALSE_ALARM
    notes.assert_clean()


@pytest.mark.parametrize("tau", [0.05, 1.0, 10.0])
def test_many_winners_have_frequencies_pi_at_every_temperature(module, tau):
    pi = torch.tensor([0.4, 0.25, 0.2, 0.1, 0.05], dtype=torch.float64)
    n = 50_000
    got = module(TemperatureFigure, "sampleMany", pi.log().tolist(), tau, n, 7)
    counts = [round(share * n) for share in got["frequency"]]
    assert chisquare(counts, (pi * n).tolist()).pvalue > FALSE_ALARM
    # The soft mean, against torch's own draws: six standard errors of both, Bonferroni included.
    uniform = torch.rand(n, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.softmax((pi.log() - torch.log(-torch.log(uniform))) / tau, dim=1)
    error = y.std(dim=0) * (2 / n) ** 0.5
    assert ((torch.tensor(got["mean"]) - y.mean(dim=0)).abs() < 6 * error).all()
    distance = 1 - y.max(dim=1).values
    assert abs(got["distance"] - distance.mean()) < 6 * distance.std() * (2 / n) ** 0.5


def test_noise_and_softmax_are_torch_s(module):
    uniforms = torch.linspace(1e-6, 1 - 1e-6, 201, dtype=torch.float64)
    got = [module(TemperatureFigure, "gumbelFromUniform", u) for u in uniforms.tolist()]
    torch.testing.assert_close(
        torch.tensor(got, dtype=torch.float64), -torch.log(-torch.log(uniforms))
    )
    for edge in (0.0, 1.0):
        assert abs(module(TemperatureFigure, "gumbelFromUniform", edge)) < 50
    logits = [1e4, -1e4, 9_999.0, 0.0]
    assert module(TemperatureFigure, "softmax", logits) == pytest.approx(
        torch.softmax(torch.tensor(logits, dtype=torch.float64), 0).tolist(), abs=1e-12
    )
    assert module(TemperatureFigure, "distanceFromOneHot", [0.0, 1.0, 0.0]) == 0
    assert module(TemperatureFigure, "distanceFromOneHot", [0.25] * 4) == 0.75


@pytest.mark.parametrize("value", [-1, 0.0, 0.3, 0.999, 2])
def test_renormalise_gives_a_distribution(module, value):
    for pi in ([0.4, 0.3, 0.2, 0.1], [0.97, 0.01, 0.01, 0.01]):
        made = module(TemperatureFigure, "renormalise", pi, 0, value)
        assert sum(made) == pytest.approx(1, abs=1e-12)
        assert min(made) >= 0.01 - 1e-12
        assert made[0] == pytest.approx(min(0.97, max(0.01, value)))


def test_seeds_decide_the_noise(module):
    draws = [module(TemperatureFigure, "drawGumbel", 5, seed) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


# ---- for every reader


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme):
    assert_fits_a_phone(site, theme, temperature_figure(), bias_variance_figure(CURVES))


def test_the_theme_follows_the_page(site):
    page, _ = site(temperature_figure())
    root = figures(page)
    paper = "node => getComputedStyle(node).backgroundColor"
    light = root.evaluate(paper)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert root.evaluate(paper) != light


def test_a_reader_of_the_page_by_ear_is_told(site):
    page, _ = site(temperature_figure())
    root = page.get_by_role("group", name="Cold samples are one-hot")
    assert "which you can drag" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_label("temperature").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('Temperature 0.05')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, temperature_figure())
    assert_no_listener_is_left(page, bias_variance_figure(CURVES))
