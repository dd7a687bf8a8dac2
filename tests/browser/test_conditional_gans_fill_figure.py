"""The figure of a hole that is filled: what it shows is what torch's networks paint there."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from genssl_utils.conditional_gans.fill import SHOWN, FillFigure, fill_figure, shipped
from genssl_utils.conditional_gans.filled import seam
from static_page import assert_fits_a_phone, assert_no_listener_is_left, drag, figures, holds, shown

SLIDER = "From MSE to adversarial"


@holds(FillFigure, saved=True)
def assert_equals_torch(data: dict, state: dict) -> None:
    """The fill, its error and its seam, by the shipped networks in torch."""
    pictures = np.frombuffer(gzip.decompress(bytes(state["pictures"])), "u1").reshape(-1, 24, 24)
    x = torch.tensor(pictures[data["picture"]].astype("f4") / 127.5 - 1)[None, None]
    (row, column), side = data["at"], data["side"]
    mask = torch.zeros_like(x)
    mask[..., row : row + side, column : column + side] = 1
    plain, against = shipped()
    mixes = {"now": plain.towards(against, data["share"]), "plain": plain, "against": against}
    for name, completer in mixes.items():
        fill = completer(x, mask)
        filled = torch.where(mask > 0, fill, x)
        want = {
            "error": F.mse_loss(fill[mask > 0], x[mask > 0]).item(),
            "seam": seam(filled, mask).item(),
        }
        if name == "now":
            assert data["fill"] == pytest.approx(fill[mask > 0].tolist(), abs=1e-4)
        for what, value in want.items():
            got = data[what] if name == "now" else data[name][what]
            assert got == pytest.approx(value, abs=1e-4), (name, what)
    assert data["truth"] == pytest.approx(seam(x, mask).item(), abs=1e-5)


def held(root, figure: FillFigure) -> dict:
    """The figure's numbers, after they were held against torch's."""
    data = shown(root)
    assert_equals_torch(data, {"pictures": figure.pictures})
    return data


def test_the_slider_goes_from_fog_to_a_guess(site):
    figure = fill_figure("gravel 1")
    page, notes = site(figure)
    root = figures(page)
    fog = held(root, figure)
    assert fog["share"] == 0
    slider = root.get_by_label(SLIDER)
    slider.press("End")
    guess = held(root, figure)
    assert guess["share"] == 1
    assert torch.tensor(guess["fill"]).std() > 1.5 * torch.tensor(fog["fill"]).std()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    middle = held(root, figure)
    assert middle["share"] == pytest.approx(0.5)
    assert fog["error"] < middle["error"] < guess["error"]
    slider.press("Home")
    assert held(root, figure)["fill"] == fog["fill"]
    notes.assert_clean()


def test_the_hole_moves_by_mouse_and_by_keys_and_stays_inside(site):
    figure = fill_figure("brick 1", share=1.0)
    page, notes = site(figure)
    root = figures(page)
    assert held(root, figure)["at"] == [7, 7]
    hole = root.get_by_role("slider", name="the hole")
    hole.press("ArrowRight")
    hole.press("ArrowDown")
    hole.press("ArrowDown")
    assert held(root, figure)["at"] == [9, 8]
    hole.press("Shift+ArrowUp")
    assert held(root, figure)["at"] == [2, 8]
    pixel = root.locator("svg").first.bounding_box()["width"] / 24
    drag(page, hole, 3 * pixel, 4 * pixel)
    assert held(root, figure)["at"] == [6, 11]
    drag(page, hole, 900, 900)
    assert held(root, figure)["at"] == [12, 12]
    notes.assert_clean()


def test_pictures_and_sizes_are_chosen_by_buttons(site):
    figure = fill_figure()
    page, notes = site(figure)
    root = figures(page)
    before = held(root, figure)
    hole = root.get_by_role("slider", name="the hole")
    drag(page, hole, 900, 900)
    root.get_by_role("button", name="12 × 12").click()
    large = held(root, figure)
    assert (large["side"], large["at"], len(large["fill"])) == (12, [10, 10], 144)
    root.get_by_role("button", name="8 × 8").press("Enter")
    assert held(root, figure)["side"] == 8
    for place, name in enumerate(SHOWN):
        root.get_by_role("button", name=name).click()
        assert held(root, figure)["picture"] == place
    assert before["picture"] == list(SHOWN).index("gravel 1")
    notes.assert_clean()


def test_the_words_are_the_numbers_and_are_said(site):
    page, _ = site(fill_figure("grass 1", share=0.5))
    root = figures(page)
    data = shown(root)
    told = f"Masked error {data['error']:.3f}, seam {data['seam']:.3f}."
    assert told in root.inner_text()
    root.get_by_label(SLIDER).press("End")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.startsWith("
        "'grass 1, 100 % of the way. Masked error 0.')"
    )


def test_a_drag_is_drawn_in_less_than_a_tenth_of_a_second(site):
    page, _ = site(fill_figure())
    root = figures(page)
    hole, times = root.get_by_role("slider", name="the hole"), []
    for key in ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"] * 2:
        hole.press(key)
        times.append(shown(root)["milliseconds"])
    assert sorted(times)[1] < 100, times


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme):
    assert_fits_a_phone(site, theme, fill_figure(share=0.5))


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, fill_figure())


def called(page, name: str, *values: object) -> object:
    """An exported function of the module, its arrays sent and read as lists."""
    return page.evaluate(
        """async ([source, name, values]) => {
            const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
            const out = (await import(url))[name](...values);
            return ArrayBuffer.isView(out) ? [...out] : out;
        }""",
        [FillFigure._esm, name, list(values)],
    )


@pytest.mark.parametrize("step", [1, 2, 4])
def test_a_dilated_convolution_is_torch_s(page, step):
    draw = torch.Generator().manual_seed(step)
    x = torch.randn(2, 6, 6, generator=draw)
    kernel, bias = torch.randn(3, 2, 3, 3, generator=draw), torch.randn(3, generator=draw)
    want = F.conv2d(x[None], kernel, bias, padding=step, dilation=step)
    flat = [part.flatten().tolist() for part in (x, kernel, bias)]
    got = called(page, "conv", flat[0], 2, 6, flat[1], flat[2], step)
    assert got == pytest.approx(want.flatten().tolist(), abs=1e-5)


def test_half_precision_is_numpy_s(page):
    numbers = np.array([0, -0.0, 1, -2.5, 1 / 3, 65504, 6e-5, 6e-8, -3e-6], dtype="<f2")
    got = called(page, "halves", list(numbers.tobytes()))
    assert got == numbers.astype("f4").tolist()
    assert math.copysign(1, got[1]) == -1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"picture": "sand"}, "choose one of"),
        ({"side": 7}, "8, 10, 12"),
        ({"share": 2.0}, "0 to 1"),
    ],
)
def test_a_wrong_argument_is_named(wrong, told):
    with pytest.raises(Exception, match=told):
        fill_figure(**wrong)
