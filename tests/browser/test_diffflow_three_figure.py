"""The figure of three processes: its walks are torch's; hand, keys and buttons move it."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pytest
import torch

from genssl_utils.diffflow.limits import rate
from genssl_utils.diffflow.three import (
    PART,
    PATHS,
    STEPS,
    ThreeFigure,
    cloud_fields,
    three_figure,
)
from static_page import (
    assert_fits_a_phone,
    assert_no_listener_is_left,
    drag,
    figures,
    holds,
    shown,
)


def walked(x, way, gamma, noise):
    """Ends of walks from x (n,), with noise (n, STEPS), in float64."""
    drift, score = cloud_fields(gamma)
    dt = 1 / STEPS
    for i in range(STEPS):
        t = torch.tensor(i * dt if way == "forth" else (STEPS - i) * dt, dtype=torch.float64)
        move = drift(x, t)
        if way == "back":
            move = -(move - gamma**2 * rate(t) * score(x, t))
        x = x + move * dt + gamma * torch.sqrt(rate(t) * dt) * noise[:, i]
    return x


@holds(ThreeFigure, saved=True)
def assert_equals_torch(data: dict, state: dict) -> None:
    """The ends of 200 walks in each panel, and who comes home."""
    drawn = np.frombuffer(gzip.decompress(bytes(state["noise"])), "<i2").astype("f8") / PART
    noise = torch.tensor(drawn.reshape(2, PATHS, STEPS))
    starts = torch.tensor(state["starts"], dtype=torch.float64)
    here = torch.full((PATHS,), float(data["start"]), dtype=torch.float64)
    for panel, gamma in enumerate((0.0, 1.0, data["gamma"])):
        ends = walked(here, data["way"], gamma, noise[int(data["way"] == "back")])
        np.testing.assert_allclose(data["ends"][panel], ends, atol=2e-6)
        assert data["upper"][panel] == pytest.approx((ends > 0).double().mean().item(), abs=0.006)
        assert data["spread"][panel] == pytest.approx(ends.std(unbiased=False).item(), abs=1e-6)
        forth = walked(starts, "forth", gamma, noise[0])
        home = walked(forth, "back", gamma, noise[1]).sign() == starts.sign()
        assert data["home"][panel] == pytest.approx(home.double().mean().item(), abs=0.006)


def held(root, figure) -> dict:
    """The figure's numbers, after they were held against torch's."""
    data = shown(root)
    state = {"noise": figure.noise, "starts": figure.starts}
    assert_equals_torch(data, state)
    return data


def test_the_noise_moves_by_mouse_and_by_keys_from_a_flow_to_a_diffusion(site):
    figure = three_figure()
    page, notes = site(figure)
    root = figures(page)
    assert held(root, figure)["gamma"] == 0.5
    slider = root.get_by_label("DiffFlow's noise =")
    slider.press("Home")
    data = held(root, figure)
    assert data["gamma"] == 0
    assert data["ends"][2] == data["ends"][0]
    assert data["home"][2] == data["home"][0] == 1
    slider.press("End")
    data = held(root, figure)
    assert data["ends"][2] == data["ends"][1]
    assert data["home"][2] < 0.7
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    assert held(root, figure)["gamma"] == pytest.approx(0.25, abs=0.06)
    notes.assert_clean()


def test_the_point_moves_by_keys_and_by_hand_in_all_panels(site):
    figure = three_figure(start=0.0)
    page, notes = site(figure)
    root = figures(page)
    knob = root.get_by_role("slider", name="point where the Diffusion's paths start")
    knob.press("ArrowUp")
    assert held(root, figure)["start"] == pytest.approx(0.1)
    other = root.get_by_role("slider", name="point where the Flow's paths start")
    assert other.get_attribute("aria-valuetext") == "0.10"
    drag(page, other, 0, -60)
    moved = held(root, figure)["start"]
    assert moved > 1
    drag(page, other, 0, 2000)
    assert held(root, figure)["start"] == -2.4
    notes.assert_clean()


def test_the_way_turns_by_a_button(site):
    figure = three_figure(gamma=0.2, start=1.0)
    page, notes = site(figure)
    root = figures(page)
    assert held(root, figure)["way"] == "back"
    root.get_by_role("button", name="forth, from one data point").click()
    data = held(root, figure)
    assert data["way"] == "forth"
    flow, diffusion, between = data["spread"]
    assert flow < 1e-9 < between < diffusion
    assert "ends spread by 0.00" in root.inner_text()
    root.get_by_role("button", name="back, from one latent point").press("Enter")
    assert held(root, figure)["way"] == "back"
    notes.assert_clean()


def test_what_the_story_says_is_so(site):
    figure = three_figure()
    page, _ = site(figure)
    data = held(figures(page), figure)
    flow, diffusion, between = data["home"]
    assert flow == 1
    assert diffusion < between < 1
    assert data["upper"][0] in (0, 1)
    assert 0.3 < data["upper"][1] < 0.7


def test_the_words_are_the_numbers_and_are_said(site):
    page, _ = site(three_figure(gamma=0.3))
    root = figures(page)
    data = shown(root)
    text = root.inner_text()
    for home, up in zip(data["home"], data["upper"], strict=True):
        assert f"Home after forth and back: {math.floor(100 * home + 0.5)} %" in text
        assert f"{math.floor(100 * up + 0.5)} % end in the upper heap" in text
    root.get_by_label("DiffFlow's noise =").press("ArrowRight")
    page.wait_for_function(
        """document.querySelector('[aria-live=polite]').textContent.startsWith(
            "DiffFlow's noise 0.3")"""
    )


def test_a_step_is_drawn_in_less_than_a_tenth_of_a_second(site):
    page, _ = site(three_figure())
    root = figures(page)
    slider, times = root.get_by_label("DiffFlow's noise ="), []
    for key in ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"] * 2:
        slider.press(key)
        times.append(shown(root)["milliseconds"])
    assert sorted(times)[1] < 100, times


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("way", ["back", "forth"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, way):
    assert_fits_a_phone(site, theme, three_figure(way=way))


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, three_figure())


@pytest.mark.parametrize("time", [0.0, 0.3, 1.0])
def test_the_score_is_the_slope_of_the_log_density(time):
    t = torch.tensor(time, dtype=torch.float64)
    x = torch.linspace(-3, 3, 31, dtype=torch.float64, requires_grad=True)
    kept = torch.exp(-(0.1 * t + 11.9 * t**2 / 2))
    spread = (1 - kept + kept * 0.15**2).sqrt()
    heaps = torch.stack([torch.distributions.Normal(m * kept.sqrt(), spread).log_prob(x)
                         for m in (1.0, -1.0)])  # fmt: skip
    log_density = torch.logsumexp(heaps, 0) - math.log(2)
    (want,) = torch.autograd.grad(log_density.sum(), x)
    torch.testing.assert_close(cloud_fields(0.3)[1](x.detach(), t), want)


def test_at_gamma_1_the_drift_is_the_fixed_one_of_a_diffusion():
    x, t = torch.linspace(-2, 2, 9), torch.tensor(0.4)
    torch.testing.assert_close(cloud_fields(1.0)[0](x, t), -0.5 * rate(t) * x)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"gamma": 1.5}, "from 0 to 1"),
        ({"way": "up"}, "'forth' or 'back'"),
        ({"start": 3.0}, "from -2.4 to 2.4"),
    ],
)
def test_a_wrong_argument_is_named(wrong, told):
    with pytest.raises(Exception, match=told):
        three_figure(**wrong)
