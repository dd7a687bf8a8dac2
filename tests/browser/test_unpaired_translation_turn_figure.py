"""The figure of two word clouds: its numbers are NumPy's; hand, key and button move it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from genssl_utils.unpaired_translation.turn import TurnFigure, turn_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds, shown


@holds(TurnFigure)
def assert_equals_numpy(data: dict) -> None:
    """The kernel distance and the pairs that are each other's nearest."""
    english, french = np.array(data["english"]), np.array(data["french"])
    a = np.deg2rad(data["angle"])
    now = english @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])

    def kernel(p, q):
        return np.exp(-(cdist(p, q) ** 2) / 2 / data["width"] ** 2).mean()

    want = kernel(now, now) + kernel(french, french) - 2 * kernel(now, french)
    assert data["found"] == pytest.approx(want, abs=1e-9)
    far = cdist(now, french)
    forth, back = far.argmin(1), far.argmin(0)
    pairs = [(i, j) for i, j in enumerate(forth) if back[j] == i]
    assert data["pairs"] == len(pairs)
    assert data["right"] == sum(i == j for i, j in pairs)


def test_it_turns_by_mouse_and_by_keyboard(site):
    page, notes = site(turn_figure())
    root = figures(page)
    start = shown(root)
    assert start["angle"] == 140
    assert_equals_numpy(start)
    slider = root.get_by_label("angle of the English cloud")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    middle = shown(root)
    assert abs(middle["angle"]) <= 6
    assert middle["right"] > 12 > start["right"]
    assert middle["found"] < start["found"]
    assert_equals_numpy(middle)
    slider.press("End")
    assert shown(root)["angle"] == 180
    slider.press("ArrowLeft")
    assert shown(root)["angle"] == 178
    assert_equals_numpy(shown(root))
    notes.assert_clean()


def test_it_runs_downhill_until_it_is_still(site):
    page, notes = site(turn_figure(angle=60.0))
    root = figures(page)
    start = shown(root)
    root.get_by_role("button", name="Turn it downhill, against the critic").click()
    page.wait_for_timeout(3500)
    end = shown(root)
    assert end["found"] < start["found"]
    page.wait_for_timeout(300)
    assert shown(root) == end
    assert_equals_numpy(end)
    notes.assert_clean()


@pytest.mark.parametrize(("width", "arrives"), [(0.3, False), (1.4, True)])
def test_from_140_degrees_only_a_wide_critic_leads_home(site, width, arrives):
    page, _ = site(turn_figure(width=width))
    root = figures(page)
    go = root.get_by_role("button", name="Turn it downhill")
    go.click()
    page.wait_for_timeout(5000)
    assert (shown(root)["angle"] == 0) is arrives
    root.get_by_role("button", name="Back to 140°").click()
    page.wait_for_timeout(200)
    assert shown(root)["angle"] == 140


def test_the_words_are_the_numbers(site):
    page, _ = site(turn_figure(angle=-20.0, width=0.5))
    root = figures(page)
    data = shown(root)
    text = root.inner_text().replace("−", "-")
    assert f"the critic finds {data['found']:.3f}" in text
    assert f"{data['right']} of them right" in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme):
    assert_fits_a_phone(site, theme, turn_figure())


def test_a_reader_by_ear_is_told(site):
    page, _ = site(turn_figure())
    root = figures(page)
    root.get_by_label("angle of the English cloud").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.startsWith('At −180°')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, turn_figure())


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="from -180 to 180"):
        turn_figure(angle=200.0)
    with pytest.raises(ValueError, match=r"from 0\.1 to 2"):
        turn_figure(width=0.0)
