"""The figure of two clouds and the maps between them: its numbers are torch's."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

from genssl_utils.cycle_consistency.clouds import CLOUDS, Pairs, apply
from genssl_utils.cycle_consistency.maps import LAMBDAS, STARTS, MapsFigure, maps_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, drag, figures, holds, shown

SIDES = [(2, 24), (24, 24), (24, 2)]


def layers(numbers: np.ndarray) -> list[torch.Tensor]:
    """One network's matrices and biases, for `apply`, from its row of numbers."""
    made, at = [], 0
    for n, m in SIDES:
        made.append(torch.tensor(numbers[at : at + n * m]).view(1, n, m))
        made.append(torch.tensor(numbers[at + n * m : at + n * m + m]).view(1, 1, m))
        at += n * m + m
    assert at == len(numbers)
    return made


def pair(state: dict, data: dict) -> Pairs:
    """The two maps that the page carries for a cloud, a weight and a start."""
    saved = np.frombuffer(gzip.decompress(bytes(state["weights"])), "<f4")
    saved = saved.reshape(len(CLOUDS), len(LAMBDAS), STARTS, 2, -1)
    f, g = saved[data["cloud"], data["lam"], data["start"]]
    return Pairs(list(CLOUDS.values())[data["cloud"]], layers(f), layers(g))


@holds(MapsFigure, saved=True)
def assert_equals_torch(data: dict, state: dict) -> None:
    """Where the point goes and comes home, and what is said of all points, by `apply` of torch."""
    maps, cloud = pair(state, data), state["clouds"][data["cloud"]]
    place = torch.tensor(data["place"], dtype=torch.float32).view(1, 1, 2)
    there = apply(maps.f, place)
    assert data["there"] == pytest.approx(there.flatten().tolist(), abs=1e-4)
    assert data["home"] == pytest.approx(apply(maps.g, there).flatten().tolist(), abs=1e-4)
    x, group = torch.tensor(cloud["points"])[None], torch.tensor(cloud["group"])
    y = apply(maps.f, x)
    centres = maps.cloud.turned(maps.cloud.centres)
    landed = torch.cdist(y, centres[None]).argmin(2)[0]
    shares = [(landed == k).float().mean() - (group == k).float().mean() for k in range(4)]
    assert data["right"] == pytest.approx((landed == group).float().mean().item(), abs=1e-6)
    assert data["gap"] == pytest.approx(sum(map(abs, shares)).item() / 2, abs=1e-6)
    error = (apply(maps.g, y) - x).abs().mean().item()
    assert data["error"] == pytest.approx(error, abs=1e-4)


def held(root, figure: MapsFigure) -> dict:
    """The figure's numbers, after they were held against torch's."""
    data = shown(root)
    assert_equals_torch(data, {"weights": figure.weights, "clouds": figure.clouds})
    return data


def test_lambda_the_cloud_and_the_start_move_by_mouse_and_keys(site):
    figure = maps_figure()
    page, notes = site(figure)
    root = figures(page)
    first = held(root, figure)
    assert [first[name] for name in ("cloud", "lam", "start")] == [0, 0, 0]
    slider = root.get_by_label("λ, weight of the cycle loss")
    slider.press("End")
    last = held(root, figure)
    assert last["lam"] == len(LAMBDAS) - 1
    assert last["error"] < 0.05 < first["error"]
    assert last["fine"] > first["fine"]
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    assert held(root, figure)["lam"] == 3
    root.get_by_role("button", name="start 5").click()
    root.get_by_role("button", name="square").press("Enter")
    square = held(root, figure)
    assert (square["cloud"], square["start"]) == (1, 4)
    notes.assert_clean()


def test_the_story_that_the_text_tells_is_there(site):
    """Wrong maps that fill Y; with the cycle loss, wrong ones that come home."""
    figure = maps_figure(cloud="square", lam=10.0)
    page, _ = site(figure)
    root = figures(page)
    wrong = []
    for start in range(1, STARTS + 1):
        root.get_by_role("button", name=f"start {start}").click()
        wrong.append(held(root, figure))
    assert any(w["right"] < 0.1 and w["error"] < 0.05 and w["gap"] < 0.05 for w in wrong)


def test_the_point_moves_by_mouse_and_keys(site):
    figure = maps_figure(lam=1.0)
    page, notes = site(figure)
    root = figures(page)
    handle = root.get_by_role("slider", name="the point x")
    drag(page, handle, 40, -30)
    moved = held(root, figure)["place"]
    assert moved[0] > 0.3
    assert moved[1] > 0.2
    handle.press("ArrowLeft")
    assert held(root, figure)["place"][0] == pytest.approx(moved[0] - 0.05)
    handle.press("Shift+ArrowDown")
    assert held(root, figure)["place"][1] == pytest.approx(moved[1] - 0.5)
    notes.assert_clean()


def test_the_words_are_the_numbers(site):
    page, _ = site(maps_figure(lam=1.0, start=3))
    root = figures(page)
    data, text = shown(root), root.inner_text()
    assert f"{100 * data['right']:.0f} % of the points" in text
    assert f"the round trip by {data['error']:.2f}" in text
    assert f"At this λ {data['fine']} of {STARTS} starts are right" in text


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("cloud", list(CLOUDS))
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, cloud):
    assert_fits_a_phone(site, theme, maps_figure(cloud=cloud))


def test_a_reader_by_ear_is_told(site):
    page, _ = site(maps_figure())
    root = figures(page)
    root.get_by_label("λ, weight of the cycle loss").press("End")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.startsWith('λ = 10, start 1: ')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, maps_figure())


@pytest.mark.parametrize(
    ("wrong", "words"), [({"cloud": "ring"}, "choose one of"), ({"start": 7}, "from 0 to 5")]
)
def test_a_wrong_choice_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        maps_figure(**wrong)
