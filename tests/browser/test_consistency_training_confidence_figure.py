"""The figure of sharpening and the confidence threshold: its maths, and what the reader moves."""

from __future__ import annotations

import math
import re

import pytest
import torch
from scipy.stats import kstest

from genssl_utils.consistency_training.confidence import ConfidenceFigure, confidence_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds, shown

FALSE_ALARM = 1e-6


@holds(ConfidenceFigure)
def assert_equals_torch(data: dict) -> None:
    """Sharpened p, the hard label, entropies and what passes, by torch in float64."""
    p = torch.tensor(data["p"], dtype=torch.float64)
    powered = p ** (1 / data["temperature"])
    sharpened = powered / powered.sum()
    hard = torch.nn.functional.one_hot(p.argmax(), 5).double()
    for name, expected in (("p", p), ("sharpened", sharpened), ("hard", hard)):
        got = torch.tensor(data[name], dtype=torch.float64)
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)
        entropy = torch.special.entr(expected).sum().item()
        assert data["entropies"][name] == pytest.approx(entropy, abs=1e-5)
    assert data["passed"] == bool(p.max() >= data["threshold"])

    batch = torch.tensor(data["batch"], dtype=torch.float64)
    truth = torch.tensor(data["truth"])
    top, label = batch.max(dim=1)
    kept = top >= data["threshold"]
    judged = data["judged"]
    assert len(batch) == 60
    assert judged["count"] == kept.sum()
    assert judged["share"] == pytest.approx(kept.double().mean().item(), abs=1e-12)
    if kept.any():
        mean = torch.special.entr(batch[kept]).sum(dim=1).mean().item()
        assert judged["entropy"] == pytest.approx(mean, abs=1e-5)
        assert judged["right"] == (label == truth)[kept].sum()
        assert judged["rightShare"] == pytest.approx(judged["right"] / judged["count"])
    else:
        assert judged["entropy"] is judged["rightShare"] is None


def test_the_temperature_sharpens_and_changes_neither_winner_nor_batch(site):
    page, notes = site(confidence_figure())
    root = figures(page)
    before = shown(root)
    assert_equals_torch(before)
    warm = root.get_by_label("sharpening temperature")
    warm.press("Home")
    cold = shown(root)
    assert cold["temperature"] == 0.1
    assert_equals_torch(cold)
    assert cold["sharpened"] == pytest.approx(cold["hard"], abs=1e-3), "T → 0 is the hard label"
    box = warm.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    same = shown(root)
    assert same["temperature"] == 1
    assert same["sharpened"] == pytest.approx(same["p"], abs=1e-12), "T = 1 is p"
    assert "leaves p as it is" in root.inner_text()
    warm.press("End")
    hot = shown(root)
    assert hot["temperature"] == 10
    assert_equals_torch(hot)
    assert cold["entropies"]["sharpened"] < same["entropies"]["p"] < hot["entropies"]["sharpened"]
    assert hot["entropies"]["sharpened"] < math.log(5)
    for data in (cold, same, hot):
        for name in ("winner", "passed", "judged", "hard"):
            assert data[name] == before[name], f"T does not change {name}"
    notes.assert_clean()


def test_the_threshold_looks_at_p_and_not_at_its_sharpened_form(site):
    page, notes = site(confidence_figure(p=[0.7, 0.1, 0.1, 0.05, 0.05], threshold=0.8))
    root = figures(page)
    data = shown(root)
    assert max(data["sharpened"]) > 0.8
    assert not data["passed"]
    assert "held back" in root.inner_text()
    cat = root.get_by_role("slider", name="probability of cat")
    cat.press("PageUp")
    passing = shown(root)
    assert passing["p"][0] == pytest.approx(0.8)
    assert passing["passed"], "max p equal to the threshold passes"
    assert "passes as the hard label cat" in root.inner_text()
    assert_equals_torch(passing)
    notes.assert_clean()


def test_a_higher_threshold_keeps_fewer(site):
    page, notes = site(confidence_figure())
    root = figures(page)
    limit = root.get_by_label("confidence threshold")
    limit.press("Home")
    everyone = shown(root)
    assert everyone["judged"]["count"] == 60
    counts, right = [], []
    for _ in range(7):
        data = shown(root)
        assert_equals_torch(data)
        counts.append(data["judged"]["count"])
        right.append(data["judged"]["rightShare"])
        for _ in range(11):
            limit.press("ArrowRight")
    assert counts == sorted(counts, reverse=True)
    assert right[-1] > right[0] + 0.1, "fewer labels, and more of them are right"
    limit.press("End")
    assert shown(root)["threshold"] == 0.99
    notes.assert_clean()


def test_the_line_in_the_cloud_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(confidence_figure(threshold=0.8))
    root = figures(page)
    line = root.get_by_role("slider", name="threshold on the confidence")
    box = line.locator(".genssl-grip").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 90, y + 4, steps=4)
    page.mouse.up()
    left = shown(root)
    assert 0.5 < left["threshold"] < 0.75
    assert_equals_torch(left)
    line.press("ArrowRight")
    assert shown(root)["threshold"] == pytest.approx(left["threshold"] + 0.01)
    line.press("End")
    assert shown(root)["threshold"] == 0.99
    assert f"threshold {0.99}" in root.inner_text()
    notes.assert_clean()


def test_a_bar_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(confidence_figure())
    root = figures(page)
    before = shown(root)
    dog = root.get_by_role("slider", name="probability of dog")
    box = dog.locator(".genssl-grip").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 110, y + 3, steps=4)
    page.mouse.up()
    after = shown(root)
    assert after["p"][1] > before["p"][1] + 0.2
    assert after["winner"] == "dog"
    assert_equals_torch(after)
    dog.press("End")
    sure = shown(root)
    assert sure["p"] == pytest.approx([0.001, 0.996, 0.001, 0.001, 0.001])
    assert dog.evaluate("node => node === document.activeElement"), "the focus stays on the bar"
    dog.press("Home")
    assert shown(root)["p"][1] == 0.001
    assert_equals_torch(shown(root))
    notes.assert_clean()


def test_the_words_are_the_numbers_and_the_marks_differ_in_shape(site):
    page, _ = site(confidence_figure(threshold=0.6))
    root = figures(page)
    data = shown(root)
    texts = root.locator("svg text").all_text_contents()
    assert f"sharpened {data['sharpened'][0]:.2f}" in texts
    assert f"p {data['entropies']['p']:.2f}" in texts
    assert f"passes {data['judged']['share']:.2f}" in texts
    assert f"right {data['judged']['rightShare']:.2f}" in texts
    judged = data["judged"]
    for count, words in (
        (judged["right"], "pass, right"),
        (judged["count"] - judged["right"], "pass, wrong"),
        (60 - judged["count"], "held back"),
    ):
        assert re.search(rf"\b{count} {words}", root.inner_text())
    shapes = root.locator("svg g > path").evaluate_all(
        "nodes => nodes.map(n => n.getAttribute('d'))"
    )
    marks = sorted(shapes.count(d) for d in set(shapes) if shapes.count(d) > 1)
    assert marks == sorted(
        [judged["right"], judged["count"] - judged["right"], 60 - judged["count"]]
    )


def test_another_batch_leaves_the_reader_s_own_prediction(site):
    page, notes = site(confidence_figure())
    root = figures(page)
    before = shown(root)
    root.get_by_role("button", name="draw another 60").press("Enter")
    after = shown(root)
    assert after["batch"] != before["batch"]
    assert after["p"] == before["p"]
    assert_equals_torch(after)
    notes.assert_clean()


# ---- the maths


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 3.0, 10.0])
def test_sharpening_and_entropy_are_torch_s(module, temperature):
    p = torch.softmax(3 * torch.randn(5, generator=torch.Generator().manual_seed(0)).double(), 0)
    expected = torch.softmax(p.log() / temperature, 0)
    got = module(ConfidenceFigure, "sharpen", p.tolist(), temperature)
    torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected)
    assert module(ConfidenceFigure, "entropy", got) == pytest.approx(
        torch.distributions.Categorical(expected).entropy().item()
    )
    assert module(ConfidenceFigure, "entropy", [1, 0, 0]) == 0
    assert module(ConfidenceFigure, "entropy", [0.2] * 5) == pytest.approx(math.log(5))


@pytest.mark.parametrize("alpha", [0.05, 0.5, 2.0])
def test_the_draws_are_dirichlet(module, alpha):
    draws = torch.tensor(module(ConfidenceFigure, "dirichletMany", alpha, 5, 20_000, 3)).double()
    torch.testing.assert_close(draws.sum(dim=1), torch.ones(20_000).double())
    for entry in draws[:, :2].T:  # a share is Beta(α, 4α)
        assert kstest(entry.numpy(), "beta", args=(alpha, 4 * alpha)).pvalue > FALSE_ALARM


def test_the_teacher_is_calibrated(module):
    n = 20_000
    batch = module(ConfidenceFigure, "drawBatch", n, 5, 11)
    for threshold in (0.2, 0.6, 0.9):
        judged = module(ConfidenceFigure, "judge", batch, threshold)
        tops = [max(one["p"]) for one in batch if max(one["p"]) >= threshold]
        spread = math.sqrt(sum(c * (1 - c) for c in tops)) / len(tops)
        assert abs(judged["rightShare"] - sum(tops) / len(tops)) < 6 * spread
    assert module(ConfidenceFigure, "judge", batch, 1.1)["rightShare"] is None


def test_entropy_lies_in_its_range(module):
    for one in module(ConfidenceFigure, "drawBatch", 60, 5, 2):
        low, high = module(ConfidenceFigure, "entropyRange", max(one["p"]), 5)
        assert low - 1e-9 <= module(ConfidenceFigure, "entropy", one["p"]) <= high + 1e-9
    flat = module(ConfidenceFigure, "entropyRange", 0.2, 5)
    assert flat == pytest.approx([math.log(5)] * 2)
    assert module(ConfidenceFigure, "entropyRange", 1, 5) == pytest.approx([0, 0])


@pytest.mark.parametrize("value", [-1, 0.0, 0.3, 2])
def test_a_moved_share_leaves_a_distribution(module, value):
    for p in ([0.55, 0.25, 0.1, 0.06, 0.04], [0.996, 0.001, 0.001, 0.001, 0.001]):
        made = module(ConfidenceFigure, "moveShare", p, 0, value)
        assert sum(made) == pytest.approx(1, abs=1e-12)
        assert min(made) >= 0.001 - 1e-12
        assert made[0] == pytest.approx(min(0.996, max(0.001, value)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"p": [0.5, 0.5]}, "2 entries"),
        ({"p": [0.5, 0.5, 0.1, 0.1, 0.1]}, "sums to 1.3"),
        ({"p": [1.0, 0, 0, 0, 0]}, "at least 0.001"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"threshold": 1.0}, "threshold is 1.0"),
        ({"labels": ["a"] * 5}, "5 different words"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        confidence_figure(**wrong)


# ---- for every reader


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("threshold", [0.2, 0.6, 0.99])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, threshold):
    p = [0.996, 0.001, 0.001, 0.001, 0.001]
    assert_fits_a_phone(site, theme, confidence_figure(p=p, threshold=threshold))


def test_a_reader_of_the_page_by_ear_is_told(site):
    page, _ = site(confidence_figure())
    root = page.get_by_role("group", name="Sharpening moves p towards its hard label")
    assert "which you can drag" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_label("confidence threshold").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('60 of 60 pass')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, confidence_figure())
