"""The figure of a home and its crowd: what it shows is what torch's generator makes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genssl_utils.realistic_users.crowd import CrowdFigure, crowd_figure, made_crowd, shipped
from genssl_utils.realistic_users.homes import EXTRAS, PLACES, home, homes_of
from genssl_utils.realistic_users.people import CATEGORIES, SIZES, People, Tastes
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds, shown


def read(root) -> dict:
    """The figure's numbers, after they were held against torch's."""
    data = shown(root)
    assert_equals_torch(data)
    return data


@holds(CrowdFigure)
def assert_equals_torch(data: dict) -> None:
    """Who is made, their shares, the true shares, and the true chance of a click."""
    numbers = shipped()
    extras = [EXTRAS[k] for k in data["extras"]]
    one = home(data["size"], data["price"], PLACES[data["place"]], *extras)
    made = made_crowd(one, numbers)
    codes = torch.stack([made.category(name) for name in CATEGORIES], 1)
    same = (torch.tensor(data["choices"]) == codes).all(1)
    assert same.float().mean() > 0.99  # a tie within rounding may fall the other way
    assert data["ages"] == pytest.approx(made.number("age").tolist(), rel=1e-3, abs=1e-2)
    assert data["incomes"] == pytest.approx(made.number("income").tolist(), rel=2e-3)
    assert data["shares"] == pytest.approx(
        made.rows[:, : sum(SIZES)].mean(0).tolist(),
        abs=1.01 / len(codes) * int((~same).sum()) + 1e-6,
    )
    means = [made.number("age").mean().item(), made.number("income").mean().item()]
    assert data["means"] == pytest.approx(means, rel=1e-3)
    chance = Tastes(numbers["tastes"], torch.zeros(1)).chance(homes_of([one]))[:, 0].double()
    public = People(numbers["people"])
    truth = chance @ public.rows[:, : sum(SIZES)].double() / chance.sum()
    assert data["truth"] == pytest.approx(truth.tolist(), abs=1e-4)
    assert data["click"] == pytest.approx(chance.mean().item(), rel=1e-3, abs=1e-7)


def test_sliders_and_buttons_make_another_crowd(site):
    page, notes = site(crowd_figure())
    root = figures(page)
    flat = read(root)
    assert (flat["place"], flat["extras"]) == (0, [3])
    root.get_by_role("button", name="suburb").click()
    root.get_by_role("button", name="garden").press("Enter")
    for label in ("Size:", "Price:"):
        slider = root.get_by_label(label)
        box = slider.bounding_box()
        page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2)
    house = read(root)
    assert (house["place"], house["extras"]) == (1, [1, 3])
    assert house["size"] > flat["size"]
    assert house["price"] > flat["price"]
    assert house["shares"][2] > flat["shares"][2] + 0.3  # families
    assert house["truth"][2] > flat["truth"][2] + 0.3
    root.get_by_role("button", name="lift").click()
    assert read(root)["extras"] == [1]
    notes.assert_clean()


def test_a_slider_moves_by_keys(site):
    page, notes = site(crowd_figure(price=300))
    root = figures(page)
    before = read(root)
    root.get_by_label("Price:").press("ArrowRight")
    assert read(root)["price"] > before["price"]
    root.get_by_label("Size:").press("Home")
    assert read(root)["size"] == 25
    root.get_by_label("Price:").press("End")
    assert read(root)["price"] == 1500
    assert "truly click" in root.inner_text()
    notes.assert_clean()


def test_true_buyers_take_the_place_of_made_ones(site):
    page, notes = site(crowd_figure(120, 360, "suburb", ("garden",)))
    root = figures(page)
    assert "240 buyers, made" in root.inner_text()
    root.get_by_role("button", name="true buyers").click()
    assert "240 buyers, true" in root.inner_text()
    assert read(root)["shown"] == "true"
    notes.assert_clean()


def test_the_words_are_the_numbers_and_are_said(site):
    page, _ = site(crowd_figure())
    root = figures(page)
    age, income = (math.floor(x + 0.5) for x in shown(root)["means"])
    assert f"Made: mean age {age}, mean income {income} thousand." in root.inner_text()
    root.get_by_role("button", name="coast").click()
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('thousand, coast. Made')"
    )


def test_a_move_is_drawn_in_less_than_a_fifth_of_a_second(site):
    page, _ = site(crowd_figure())
    root = figures(page)
    slider, times = root.get_by_label("Size:"), []
    for key in ["ArrowRight", "ArrowLeft"] * 4:
        slider.press(key)
        times.append(shown(root)["milliseconds"])
    assert sorted(times)[1] < 200, times


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme):
    assert_fits_a_phone(site, theme, crowd_figure())


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, crowd_figure())


def test_even_steps_draw_by_the_weights(module):
    weights = [1.0, 0.0, 3.0, 4.0]
    drawn = module(CrowdFigure, "drawn", weights, 8)
    assert np.bincount(drawn, minlength=4).tolist() == [1, 0, 3, 4]


def test_half_precision_is_numpy_s(module):
    numbers = np.array([0, 1, -2.5, 1 / 3, 65504, 6e-5, 6e-8, -3e-6], dtype="<f2")
    got = module(CrowdFigure, "halves", list(numbers.tobytes()))
    assert list(got) == numbers.astype("f4").tolist()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"size": 10}, "25 to 260"),
        ({"price": 1e6}, "60 to 1500"),
        ({"place": "moon"}, "Places are"),
        ({"extras": ("sauna",)}, "extras"),
    ],
)
def test_a_wrong_argument_is_named(wrong, told):
    with pytest.raises(ValueError, match=told):
        crowd_figure(**wrong)
