"""The figure of samples on their way through a trained flow: its numbers are torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genssl_utils.flows.travel import LIMIT, TravelFigure, _packed
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds, shown

STEPS, LAYERS, CLOUD, RING = [0, 50, 100], 4, 40, 16


def frames() -> torch.Tensor:
    """A made-up journey, (moments, K + 1, points, 2), in which one coordinate moves a layer."""
    draw = torch.Generator().manual_seed(0)
    turn = torch.arange(RING) * (2 * torch.pi / RING)
    ring = torch.stack([turn.cos(), turn.sin()], 1)
    start = torch.cat([torch.randn(CLOUD, 2, generator=draw), ring])
    moments = []
    for moment in range(len(STEPS)):
        states = [start]
        for k in range(LAYERS):
            now = states[-1].clone()
            now[:, k % 2] += 0.2 * moment * torch.sin(2 * now[:, 1 - k % 2])
            states.append(now)
        moments.append(torch.stack(states))
    return torch.stack(moments)


def travel(layer: float = 4.0, moment: int = 2) -> TravelFigure:
    return TravelFigure(
        title="A journey", alt="Points travel.", frames=_packed(frames()),
        data=_packed(torch.randn(50, 2, generator=torch.Generator().manual_seed(1))),
        steps=STEPS, nll=[2.4, 1.5, 0.9], floor=0.78, moves=[0, 1, 0, 1], rings=[1, RING],
        layer=layer, moment=moment,
    )  # fmt: skip


@holds(TravelFigure, saved=True)
def assert_is_the_journey_saved(data: dict, saved: dict) -> None:
    """The figure's numbers are those of the frames that its page carries."""
    layers, moments = len(saved["moves"]), len(saved["steps"])
    packed = np.frombuffer(saved["frames"], "<i2").reshape(moments, layers + 1, -1, 2)
    journey = torch.from_numpy(packed.astype(np.float32)) * (saved["limit"] / 32767)
    assert_on_the_way(data, journey, saved["steps"])


def assert_equals_torch(data: dict) -> None:
    assert_on_the_way(data, frames(), STEPS)


def assert_on_the_way(data: dict, journey: torch.Tensor, steps: list[int]) -> None:
    """Places at a layer and moment, with a straight way between two layers, to the packing."""
    states = journey[data["moment"]]
    below = min(int(data["layer"]), len(states) - 2)
    places = torch.lerp(states[below], states[below + 1], data["layer"] - below)
    packing = LIMIT / 32767
    torch.testing.assert_close(torch.tensor(data["some"]), places[:5], atol=packing, rtol=0)
    torch.testing.assert_close(torch.tensor(data["mean"]), places.mean(0), atol=packing, rtol=0)
    assert data["steps"] == steps[data["moment"]]


def test_layers_and_training_move_by_mouse_and_by_keyboard(site):
    page, notes = site(travel())
    root = figures(page)
    last = shown(root)
    assert last["layer"] == 4
    assert_equals_torch(last)
    assert "The samples, after 100 training steps" in root.inner_text()
    picture = root.locator("svg").first.inner_html()

    through = root.get_by_label("layer")
    through.press("Home")
    latent = shown(root)
    assert latent["layer"] == 0
    assert_equals_torch(latent)
    assert root.locator("svg").first.inner_html() != picture
    through.press("ArrowRight")
    assert shown(root)["layer"] == 0.25
    assert_equals_torch(shown(root))
    assert "Layer 1 of 4 moves only the horizontal coordinate" in root.inner_text()
    box = through.bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + box["height"] / 2)
    between = shown(root)
    assert 1 < between["layer"] < 2.1
    assert_equals_torch(between)

    during = root.get_by_label("training steps done")
    during.press("Home")
    fresh = shown(root)
    assert fresh["steps"] == 0
    assert fresh["nll"] == 2.4
    assert fresh["mean"] == pytest.approx(latent["mean"]), "an untrained flow moves nothing"
    assert "2.40 nats" in root.inner_text()
    during.press("End")
    assert shown(root)["moment"] == 2
    notes.assert_clean()


def test_the_button_goes_on_by_whole_layers_and_begins_again(site):
    page, _ = site(travel(layer=0.5))
    root = figures(page)
    button = root.get_by_role("button", name="one layer on")
    seen = []
    for _ in range(6):
        button.press("Enter")
        seen.append(shown(root)["layer"])
    assert seen == [1, 2, 3, 4, 0, 1]


def test_every_point_of_the_cloud_is_drawn_once(site):
    page, _ = site(travel())
    root = figures(page)
    paths = root.locator("svg path").evaluate_all("nodes => nodes.map(n => n.getAttribute('d'))")
    data, circles, triangles = paths[0], paths[1], paths[2]
    start = frames()[0, 0, :CLOUD]
    assert data.count("M") == 50
    assert circles.count("M") == int((start[:, 0] < 0).sum())
    assert triangles.count("M") == int((start[:, 0] >= 0).sum())


def test_numbers_are_unpacked_as_they_were_packed(module, page):
    places = torch.tensor([[-6.0, 6.0], [0.0, 0.001], [7.0, -0.5]])
    got = page.evaluate(
        """async ([source, bytes, limit]) => {
            const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
            const view = new DataView(new Uint8Array(bytes).buffer);
            return [...(await import(url)).unpack(view, limit)];
        }""",
        [TravelFigure._esm, list(_packed(places)), LIMIT],
    )
    want = places.clamp(-LIMIT, LIMIT).reshape(-1)
    torch.testing.assert_close(torch.tensor(got), want, atol=LIMIT / 32767, rtol=0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme):
    assert_fits_a_phone(site, theme, travel(layer=1.5))


def test_the_theme_follows_the_page_and_a_listener_is_told(site):
    page, _ = site(travel())
    root = figures(page)
    paper = "node => getComputedStyle(node).backgroundColor"
    light = root.evaluate(paper)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert root.evaluate(paper) != light
    root.get_by_label("layer").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('of 4 after 100 steps')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, travel())
