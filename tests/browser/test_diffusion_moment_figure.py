"""The figure of time: what it shows is what torch's exact noise and the paper's steps make."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genssl_utils.diffusion.denoiser import moments
from genssl_utils.diffusion.exact import mixture_noise
from genssl_utils.diffusion.moment import (
    POINTS,
    SETS,
    STEPS,
    MomentFigure,
    _saved,
    middles,
    moment_figure,
    pool,
)
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds, shown

GRID, EDGE = 15, 2.9
SAVED = _saved()
KEPT = torch.tensor(SAVED["kept"], dtype=torch.float64)


def walked(cloud: str, walk: str, steps: int, time: int) -> tuple[torch.Tensor, int, int]:
    """All places, their time, and how many steps were taken, by torch."""
    places, spread = middles(cloud)
    places, normal = places.double(), torch.tensor(pool(), dtype=torch.float64)
    own = normal[: 2 * POINTS].view(-1, 2)
    noise = normal[2 * POINTS : 4 * POINTS].view(-1, 2)
    data = places[torch.arange(POINTS) % len(places)] + spread * own
    if walk == "forward":
        return KEPT[time].sqrt() * data + (1 - KEPT[time]).sqrt() * noise, time, 0
    exact = mixture_noise(KEPT, places, spread)
    times = moments(1000, steps)
    taken = sum(v >= time for v in times) - 1
    x, column = noise, torch.arange(2 * POINTS)
    for k in range(steps, steps - taken, -1):
        now, before = KEPT[times[k]], KEPT[times[k - 1]]
        guess = exact(x, torch.full((POINTS,), times[k]))
        start = (x - (1 - now).sqrt() * guess) / now.sqrt()
        if walk == "DDIM":
            x = before.sqrt() * start + (1 - before).sqrt() * guess
        else:
            alpha = now / before
            mean = before.sqrt() * (1 - alpha) * start + alpha.sqrt() * (1 - before) * x
            fresh = normal[(4 * POINTS + column + 1361 * k) % len(normal)].view(-1, 2)
            width = ((1 - before) / (1 - now) * (1 - alpha)).sqrt()
            x = mean / (1 - now) + width * fresh
    return x, times[steps - taken], taken


@holds(MomentFigure)
def assert_equals_torch(data: dict) -> None:
    """Places, their mean and spread, arrows and qualities, by torch."""
    x, moment, taken = walked(data["cloud"], data["walk"], data["steps"], data["time"])
    assert (data["moment"], data["taken"]) == (moment, taken)
    np.testing.assert_allclose(data["some"], x[:5], atol=2e-3)
    np.testing.assert_allclose(data["middle"], x[-3:], atol=2e-3)
    np.testing.assert_allclose(data["mean"], x.mean(0), atol=1e-3)
    assert data["spread"] == pytest.approx(x.square().mean().sqrt().item(), abs=1e-3)
    places, spread = middles(data["cloud"])
    at = [*range(4), *range(110, 114)]
    grid = [[k % GRID, GRID - 1 - k // GRID] for k in at]
    rows = EDGE * ((2 * torch.tensor(grid, dtype=torch.float64) + 1) / GRID - 1)
    guess = mixture_noise(KEPT, places.double(), spread)(rows, torch.full((8,), max(1, moment)))
    size = guess.norm(dim=1, keepdim=True)
    want = -guess / size.clamp(min=1e-9) * (0.13 * size).clamp(max=0.3)
    np.testing.assert_allclose(data["arrows"], want, atol=2e-3)
    row = SAVED["quality"][list(SETS).index(data["cloud"])]
    np.testing.assert_allclose(data["quality"], row[:, STEPS.index(data["steps"])], atol=1e-5)


def held(root) -> dict:
    """The figure's numbers, after they were held against torch's."""
    data = shown(root)
    assert_equals_torch(data)
    return data


@pytest.mark.parametrize("cloud", list(SETS))
@pytest.mark.parametrize(("walk", "steps"), [("DDIM", 1), ("DDIM", 20), ("DDPM", 5), ("DDPM", 50)])
def test_the_ways_back_are_torch_s(site, cloud, walk, steps):
    page, notes = site(moment_figure(cloud, walk, steps, 500))
    assert held(figures(page))["time"] == 500
    figures(page).get_by_role("slider", name="time").press("Home")
    assert held(figures(page))["taken"] == steps
    notes.assert_clean()


def test_time_moves_by_keys_and_by_the_button_forward_and_back(site):
    page, notes = site(moment_figure(time=300))
    root = figures(page)
    time = root.get_by_role("slider", name="time")
    assert held(root)["moment"] == 300
    time.press("ArrowRight")
    assert held(root)["time"] == 305
    root.get_by_role("button", name="one step").click()
    assert held(root)["time"] == 355
    time.press("End")
    assert held(root)["spread"] == pytest.approx(1, abs=0.1)
    root.get_by_role("button", name="one step").click()
    assert held(root)["time"] == 0
    root.get_by_role("button", name="back, no noise").click()
    assert held(root)["taken"] == 50
    root.get_by_role("button", name="one step").click()
    assert held(root)["taken"] == 0
    root.get_by_role("button", name="one step").click()
    data = held(root)
    assert (data["taken"], data["moment"]) == (1, 980)
    notes.assert_clean()


def test_the_thumb_drags_time(site):
    page, _ = site(moment_figure(walk="DDIM", steps=20, time=1000))
    root = figures(page)
    box = root.get_by_role("slider", name="time").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert 400 < held(root)["time"] < 600


def test_sets_and_steps_are_chosen(site):
    page, notes = site(moment_figure())
    root = figures(page)
    root.get_by_role("button", name="twelve points").click()
    root.get_by_role("button", name="back, fresh noise").press("Enter")
    root.get_by_role("slider", name="steps").press("End")
    root.get_by_role("slider", name="time").press("Home")
    data = held(root)
    assert (data["cloud"], data["walk"], data["steps"]) == ("twelve points", "DDPM", 200)
    places, _ = middles("twelve points")
    far = torch.cdist(torch.tensor(data["some"] + data["middle"]), places).amin(1)
    assert far.max() < 0.05  # perfect learning of twelve points gives them back
    assert "200 of 200 steps taken" in root.inner_text()
    notes.assert_clean()


def test_the_words_are_said(site):
    page, _ = site(moment_figure(walk="DDIM", time=1000))
    root = figures(page)
    assert "0 of 50 steps taken, time 1000" in root.inner_text()
    root.get_by_role("slider", name="time").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.startsWith('Back, no noise')"
    )


def test_a_move_of_time_is_drawn_in_less_than_a_tenth_of_a_second(site):
    page, _ = site(moment_figure("two moons", "DDIM", 100, 500))
    root, times = figures(page), []
    for key in ["ArrowRight", "ArrowLeft"] * 4:
        root.get_by_role("slider", name="time").press(key)
        times.append(shown(root)["milliseconds"])
    assert sorted(times)[1] < 100, times


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("walk", ["forward", "DDPM"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, walk):
    assert_fits_a_phone(site, theme, moment_figure(walk=walk, time=400))


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, moment_figure())


def test_what_the_figure_carries_is_small_and_falls_with_steps():
    figure = moment_figure()
    assert len(figure.kept) + len(figure.pool) < 40_000
    for row in SAVED["quality"].reshape(-1, len(STEPS)):
        assert row[0] > row[1] > row[2] > row[3]
        assert row[-1] < SAVED["floor"] * 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"cloud": "three moons"}, "cloud is one of"), ({"walk": "up"}, "walk is one of"),
        ({"steps": 3}, "steps is one of"), ({"time": 1001}, "from 0 to 1000"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(wrong, told):
    with pytest.raises(Exception, match=told):
        moment_figure(**wrong)


@pytest.mark.parametrize("cloud", list(SETS))
def test_each_set_has_mean_0_and_spread_1(cloud):
    places, spread = middles(cloud)
    assert places.mean(0).abs().max() < 1e-5
    assert places.square().mean() + spread**2 == pytest.approx(1, abs=1e-5)
