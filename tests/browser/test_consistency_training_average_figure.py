"""The figure of the averaged teacher: its maths, and what the reader moves."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from genssl_utils.consistency_training.average import AverageFigure, average_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds, shown


def torch_ema(path: torch.Tensor, decay: float, start: float) -> torch.Tensor:
    """The average of a path by torch's own rule for averaged models."""
    update, now = get_ema_multi_avg_fn(decay), [torch.tensor(start, dtype=torch.float64)]
    after = []
    for weight in path:
        update(now, [weight], 1)
        after.append(now[0].clone())
    return torch.stack(after)


def settled(decay: float, speed: float, noise: float, steps: int = 30_000) -> dict:
    """Squared lag and noise left of a long run, from the weights that torch gives each step."""
    weights = (1 - decay) * decay ** torch.arange(steps, dtype=torch.float64)
    ages = torch.arange(steps, dtype=torch.float64)
    bias2 = (speed * (weights * ages).sum()) ** 2
    variance = noise**2 * (weights**2).sum()
    return {"bias2": bias2.item(), "variance": variance.item(), "total": (bias2 + variance).item()}


@holds(AverageFigure)
def assert_equals_torch(data: dict) -> None:
    """The teacher's path, lag, noise and error, by torch in float64."""
    student = torch.tensor(data["student"], dtype=torch.float64)
    teacher = torch.tensor(data["teacher"], dtype=torch.float64)
    assert len(student) == len(teacher) == 301
    expected = torch_ema(student[1:], data["decay"], teacher[0].item())
    torch.testing.assert_close(teacher[1:], expected, atol=1e-5, rtol=0)
    assert data["lag"] == pytest.approx(data["decay"] / (1 - data["decay"]))
    assert data["noiseLeft"] == pytest.approx((1 - data["decay"]) / (1 + data["decay"]))
    run = settled(data["decay"], data["speed"], data["noise"])
    for name, value in run.items():
        assert data["error"][name] == pytest.approx(value, rel=1e-5, abs=1e-9), name
    # No decay of a fine grid does better than the one that is marked.
    grid = 1 - torch.logspace(0, -3, 3001, dtype=torch.float64)
    bias2 = (data["speed"] * grid / (1 - grid)) ** 2
    errors = bias2 + data["noise"] ** 2 * (1 - grid) / (1 + grid)
    assert data["smallest"]["total"] <= errors.min() * (1 + 1e-9)
    assert data["smallest"]["total"] == pytest.approx(errors.min().item(), rel=1e-4)
    assert 0 <= data["bestDecay"] <= 0.999
    nearest = grid[errors.argmin()].item()
    assert 1 - data["bestDecay"] == pytest.approx(1 - nearest, rel=0.02)


def test_the_decay_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(average_figure())
    root = figures(page)
    before = shown(root)
    assert_equals_torch(before)
    assert "Too long an average" in root.inner_text()
    decay = root.get_by_label("decay α")
    picture = root.locator("svg[viewBox]").nth(3).inner_html()

    box = decay.bounding_box()
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
    short = shown(root)
    assert 0.3 < short["decay"] < 0.7
    assert root.locator("svg[viewBox]").nth(3).inner_html() != picture
    assert "Too short an average" in root.inner_text()
    assert_equals_torch(short)

    decay.press("ArrowRight")
    longer = shown(root)
    assert short["decay"] < longer["decay"] < short["decay"] + 0.05
    decay.press("Home")
    none = shown(root)
    assert none["decay"] == 0
    assert none["teacher"] == pytest.approx(none["student"]), (
        "no average: the teacher is the student"
    )
    assert (none["lag"], none["noiseLeft"]) == (0, 1)
    assert_equals_torch(none)
    decay.press("End")
    longest = shown(root)
    assert longest["decay"] == 0.999
    assert longest["lag"] == pytest.approx(999)
    assert_equals_torch(longest)
    for data in (short, none, longest):
        assert data["student"] == before["student"], "the decay does not move the student"
        assert data["bestDecay"] == before["bestDecay"]
    assert none["lag"] < short["lag"] < before["lag"] < longest["lag"]
    assert none["noiseLeft"] > short["noiseLeft"] > before["noiseLeft"] > longest["noiseLeft"]
    notes.assert_clean()


def test_a_faster_student_wants_a_shorter_average_and_a_noisier_one_a_longer(site):
    page, notes = site(average_figure())
    root = figures(page)
    start = shown(root)
    speed, noise = root.get_by_label("speed of the student"), root.get_by_label("noise of the")
    speed.press("End")
    fast = shown(root)
    assert fast["speed"] == 0.1
    assert fast["bestDecay"] < start["bestDecay"]
    assert_equals_torch(fast)
    noise.press("End")
    wild = shown(root)
    assert wild["noise"] == 1
    assert wild["bestDecay"] > fast["bestDecay"]
    assert_equals_torch(wild)
    speed.press("Home")
    still = shown(root)
    assert still["speed"] == still["error"]["bias2"] == 0
    assert still["bestDecay"] == 0.999
    assert_equals_torch(still)
    root.get_by_label("decay α").press("End")
    assert "The student rests" in root.inner_text()
    notes.assert_clean()


def test_the_diamond_moves_by_mouse_and_by_keyboard_to_the_smallest_error(site):
    page, notes = site(average_figure())
    root = figures(page)
    diamond = root.get_by_role("slider", name="decay, as")
    box = diamond.locator(".genssl-grip").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y + 4, steps=4)
    page.mouse.up()
    nearer = shown(root)
    assert 0.9 < nearer["decay"] < 0.97
    assert_equals_torch(nearer)
    for _ in range(60):
        if shown(root)["decay"] <= nearer["bestDecay"]:
            break
        diamond.press("ArrowLeft")
    there = shown(root)
    assert there["error"]["total"] < 1.02 * there["smallest"]["total"]
    assert "Here the error is smallest" in root.inner_text()
    assert diamond.get_attribute("aria-valuetext").startswith("α = 0.8")
    assert diamond.evaluate("node => node === document.activeElement")
    diamond.press("Home")
    assert shown(root)["decay"] == 0
    diamond.press("End")
    assert shown(root)["decay"] == 0.999
    notes.assert_clean()


def test_the_words_are_the_numbers(site):
    page, _ = site(average_figure(decay=0.98, speed=0.01))
    root = figures(page)
    data = shown(root)
    assert "49 steps late" in root.locator("svg text").all_text_contents()
    rows = [re.split(r"\t+", row) for row in root.locator("tbody").inner_text().splitlines()]
    expected = [data["lag"], data["noiseLeft"], *data["error"].values()]
    for row, value in zip(rows, expected, strict=True):
        mantissa, _, power = (
            row[1].partition(" · 10") if " · " in row[1] else row[1].partition("\u00a0·\u00a010")
        )
        digits = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        assert float(mantissa) * 10 ** int(digits or 0) == pytest.approx(value, rel=0.006)


def test_new_noise_is_seeded_and_changes_no_closed_form(site):
    page, notes = site(average_figure())
    root = figures(page)
    before = shown(root)
    root.get_by_role("button", name="new noise").press("Enter")
    after = shown(root)
    assert after["student"] != before["student"]
    for name in ("lag", "noiseLeft", "error", "bestDecay"):
        assert after[name] == before[name]
    assert_equals_torch(after)
    notes.assert_clean()


# ---- the maths


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.99])
def test_the_average_is_torch_s(module, decay):
    path = torch.randn(400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    got = torch.tensor(module(AverageFigure, "ema", path.tolist(), decay, 0.3)).double()
    torch.testing.assert_close(got, torch_ema(path, decay, 0.3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99])
def test_lag_and_noise_are_those_of_a_long_run_by_torch(module, decay):
    ramp = torch.arange(5000, dtype=torch.float64)
    gap = (ramp[-1] - torch_ema(ramp, decay, 0.0)[-1]).item()
    assert module(AverageFigure, "lag", decay) == pytest.approx(gap, abs=1e-5)
    pulse = torch.zeros(5000, dtype=torch.float64)
    pulse[0] = 1
    share = torch_ema(pulse, decay, 0.0).square().sum().item()
    assert module(AverageFigure, "noiseLeft", decay) == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize("speed", [0.0, 1e-4, 3e-3, 0.1])
@pytest.mark.parametrize("noise", [0.05, 0.3, 1.0])
def test_at_the_best_decay_the_slope_is_zero(module, speed, noise):
    best = module(AverageFigure, "bestDecay", speed, noise, 0.999)
    if best == 0.999:
        assert module(AverageFigure, "bestDecay", speed, noise, 0.99999) > 0.999
        return
    decay = torch.tensor(best, dtype=torch.float64, requires_grad=True)
    bias2 = (speed * decay / (1 - decay)) ** 2
    variance = noise**2 * (1 - decay) / (1 + decay)
    (slope,) = torch.autograd.grad(bias2 + variance, decay)
    assert abs(slope * (1 - best)) < 1e-6 * (bias2 + variance)


def test_the_noise_is_standard_normal(module):
    draws = torch.tensor(module(AverageFigure, "drawNormal", 40_000, 5)).double()
    assert abs(draws.mean()) < 6 / math.sqrt(40_000)
    assert abs(draws.var() - 1) < 6 * math.sqrt(2 / 40_000)
    assert abs((draws[1:] * draws[:-1]).mean()) < 6 / math.sqrt(40_000)
    again = module(AverageFigure, "drawNormal", 3, 5)
    assert again == pytest.approx(draws[:3].tolist())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"decay": 1.0}, "decay is 1.0"),
        ({"decay": float("nan")}, "decay is nan"),
        ({"noise": 0.0}, "noise is 0.0"),
        ({"speed": -0.1}, "speed is -0.1"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        average_figure(**wrong)


# ---- for every reader


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"decay": 0.0, "speed": 0.1, "noise": 0.05},
        {"decay": 0.999, "speed": 0.1, "noise": 0.05},
        {"decay": 0.999, "speed": 0.0, "noise": 1.0},
        {"decay": 0.7, "speed": 5e-4, "noise": 0.5},
    ],
)
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, setting):
    assert_fits_a_phone(site, theme, average_figure(**setting))


def test_a_reader_of_the_page_by_ear_is_told(site):
    page, _ = site(average_figure())
    root = page.get_by_role("group", name="A longer average is calmer but later")
    assert "which you can drag" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_label("decay α").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('Too short an average')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, average_figure())
