"""The figure of two planes: what it shows is what torch's decoders make there."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genssl_utils.gan_or_vae.plane import EDGE, PlaneFigure, plane_figure, shipped
from genssl_utils.kit.data import digits
from static_page import assert_fits_a_phone, assert_no_listener_is_left, drag, figures, holds, shown

STEP = 0.02


@holds(PlaneFigure)
def assert_equals_torch(data: dict) -> None:
    """Pictures, grey pixels, pace and distance of a code, by the shipped decoders in torch."""
    planes = shipped()
    z = torch.tensor([data["z"]], dtype=torch.float64)
    for k, (name, net) in enumerate((("vae", planes.vae), ("gan", planes.gan))):
        net = net.double()
        with torch.no_grad():
            made = net(z).sigmoid()[0]
            steps = STEP * torch.eye(2, dtype=torch.float64)
            slope = (net(z + steps).sigmoid() - net(z - steps).sigmoid()) / (2 * STEP)
        assert data[name] == pytest.approx(made.tolist(), abs=2e-6)
        assert data["greys"][k] == int(((made > 0.2) & (made < 0.8)).sum())
        assert data["paces"][k] == pytest.approx(slope.norm().item(), rel=1e-5)
    assert data["further"] == pytest.approx(math.exp(-float(z.square().sum()) / 2), abs=1e-9)


def test_what_the_text_says_of_grey_pixels_and_of_steep_borders_is_so():
    planes, true = shipped(), digits(flat=True).x_test
    z = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    steep = {}
    with torch.no_grad():
        heaps = {"VAE": planes.vae(z).sigmoid(), "GAN": planes.gan(z).sigmoid(), "true": true}
        for name, net in (("VAE", planes.vae), ("GAN", planes.gan)):
            ways = [
                (net(z + h).sigmoid() - net(z - h).sigmoid()) / (2 * STEP)
                for h in STEP * torch.eye(2)
            ]
            steep[name] = torch.cat(ways, 1).norm(dim=1).quantile(0.95)
    grey = {
        name: int(((x > 0.2) & (x < 0.8)).sum(1).float().mean().round())
        for name, x in heaps.items()
    }
    assert grey == {"VAE": 19, "GAN": 14, "true": 15}
    assert steep["GAN"] > 1.2 * steep["VAE"]


def held(root) -> dict:
    """The figure's numbers, after they were held against torch's."""
    data = shown(root)
    assert_equals_torch(data)
    return data


def test_the_point_moves_by_keys_on_both_planes_at_once(site):
    page, notes = site(plane_figure((0.0, 0.0)))
    root = figures(page)
    assert held(root)["z"] == [0, 0]
    vae, gan = (
        root.get_by_role("slider", name=f"point on the {n}'s plane") for n in ("VAE", "GAN")
    )
    vae.press("ArrowRight")
    assert held(root)["z"] == pytest.approx([0.05, 0])
    gan.press("Shift+ArrowDown")
    assert held(root)["z"] == pytest.approx([0.05, -0.5])
    vae.press("End")
    assert held(root)["z"] == pytest.approx([EDGE, -0.5])
    assert gan.get_attribute("aria-valuetext") == "2.60, −0.50"
    notes.assert_clean()


def test_the_point_is_dragged_and_stays_inside(site):
    page, notes = site(plane_figure((0.0, 0.0)))
    root = figures(page)
    knob = root.get_by_role("slider", name="point on the GAN's plane")
    plane = root.get_by_role("group", name="plane of the GAN's codes")
    side = plane.bounding_box()["width"]
    drag(page, knob, side / 4, -side / 8)
    assert held(root)["z"] == pytest.approx([EDGE / 2, EDGE / 4], abs=0.05)
    drag(page, knob, 2000, 2000)
    assert held(root)["z"] == [EDGE, -EDGE]
    box = plane.bounding_box()
    page.mouse.click(box["x"] + side / 4, box["y"] + side / 4)
    assert held(root)["z"] == pytest.approx([-EDGE / 2, EDGE / 2], abs=0.05)
    notes.assert_clean()


def test_true_digits_are_shown_where_there_is_an_encoder(site):
    page, notes = site(plane_figure())
    root = figures(page)
    assert held(root)["shows"] == "made"
    told = root.get_by_text("A GAN has no encoder")
    assert not told.is_visible()
    root.get_by_role("button", name="true digits").click()
    assert held(root)["shows"] == "true"
    assert told.is_visible()
    named = root.get_by_role("group", name="plane of the VAE's codes").locator("text")
    assert [int(text) for text in named.all_text_contents()] == shipped().labels.tolist()
    root.get_by_role("button", name="made digits").press("Enter")
    assert held(root)["shows"] == "made"
    notes.assert_clean()


def test_the_pictures_are_painted_as_they_are(site):
    page, _ = site(plane_figure((0.7, -0.4)))
    root = figures(page)
    data = held(root)
    cells = root.get_by_role("img", name="what the VAE makes of the point").locator("rect")
    level = [round(255 * (1 - v)) for v in data["vae"]]
    painted = [cell.get_attribute("fill") for cell in cells.all()]
    seen = [int(colour.split("(")[1].split(",")[0]) for colour in painted]
    assert np.abs(np.array(seen) - np.array(level)).max() <= 1


def test_the_words_are_the_numbers_and_are_said(site):
    page, _ = site(plane_figure((1.0, 0.0)))
    root = figures(page)
    data = held(root)
    assert f"{data['greys'][0]} of 64 pixels are grey" in root.inner_text()
    assert "61 % of all draws lie further out" in root.inner_text()
    root.get_by_role("slider", name="point on the VAE's plane").press("ArrowUp")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.startsWith("
        "'Code 1.00, 0.05. Grey')"
    )


def test_a_step_is_drawn_in_less_than_a_tenth_of_a_second(site):
    page, _ = site(plane_figure())
    root = figures(page)
    knob, times = root.get_by_role("slider", name="point on the VAE's plane"), []
    for key in ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"] * 2:
        knob.press(key)
        times.append(shown(root)["milliseconds"])
    assert sorted(times)[1] < 100, times


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shows", ["made", "true"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, shows):
    assert_fits_a_phone(site, theme, plane_figure(shows=shows))


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, plane_figure())


def test_half_precision_is_numpy_s(page):
    numbers = np.array([0, 1, -2.5, 1 / 3, 65504, 6e-5, 6e-8, -3e-6], dtype="<f2")
    got = page.evaluate(
        """async ([source, bytes]) => {
            const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
            return [...(await import(url)).halves(bytes)];
        }""",
        [PlaneFigure._esm, list(numbers.tobytes())],
    )
    assert got == numbers.astype("f4").tolist()


@pytest.mark.parametrize(
    ("wrong", "told"), [({"z": (3.0, 0.0)}, "from -2.6"), ({"shows": "all"}, "'made' or 'true'")]
)
def test_a_wrong_argument_is_named(wrong, told):
    with pytest.raises(Exception, match=told):
        plane_figure(**wrong)
