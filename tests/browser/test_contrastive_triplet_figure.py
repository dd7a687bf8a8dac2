"""The figure of the triplet margin: its numbers are torch's, and it moves by mouse and keyboard."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from genssl_utils.contrastive.triplet import TripletFigure, triplet_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, drag, figures, holds, shown


def by_torch(data: dict) -> tuple[float, torch.Tensor]:
    """Mean triplet loss, and minus its gradient in every (unnormalised) point."""
    x = torch.tensor(data["points"], dtype=torch.float64, requires_grad=True)
    z = F.normalize(x, dim=1) if data["where"] == "circle" else x
    apart = (z[0] - z[1]).square().sum() - (z[0] - z[2:]).square().sum(1)
    loss = torch.relu(apart + data["margin"]).mean()
    loss.backward()
    return loss.item(), -x.grad


@holds(TripletFigure)
def assert_equals_torch(data: dict) -> None:
    loss, downhill = by_torch(data)
    assert data["loss"] == pytest.approx(loss, abs=1e-12)
    torch.testing.assert_close(
        torch.tensor(data["downhill"], dtype=torch.float64), downhill, atol=1e-12, rtol=1e-12
    )
    for negative in data["negatives"]:
        near, far, margin = data["dap"], negative["dan"], data["margin"]
        zone = "hard" if far <= near else "semi-hard" if far < near + margin else "easy"
        assert negative["zone"] == zone
        assert negative["active"] == (negative["loss"] > 0)
        assert negative["loss"] == pytest.approx(max(0.0, near - far + margin), abs=1e-12)


def test_points_and_margin_move_by_mouse_and_by_keyboard(site):
    page, notes = site(triplet_figure())
    root = figures(page)
    before = shown(root)
    assert_equals_torch(before)
    assert [n["zone"] for n in before["negatives"]] == ["hard", "semi-hard", "easy"]

    easy = root.get_by_role("slider", name="negative 3")
    drag(page, easy, 60, -160)
    near = shown(root)
    assert near["points"][4] != before["points"][4]
    assert near["points"][:4] == before["points"][:4], "the others stay"
    assert near["negatives"][2]["dan"] < before["negatives"][2]["dan"]
    assert all(math.hypot(*p) == pytest.approx(1) for p in near["points"]), "on the circle"
    assert_equals_torch(near)

    easy.press("Shift+ArrowDown")
    assert shown(root)["points"][4][1] < near["points"][4][1]
    assert easy.evaluate("node => node === document.activeElement"), "the focus stays"
    assert_equals_torch(shown(root))

    margin = root.get_by_label("margin")
    for key, value in (("Home", 0), ("ArrowRight", 0.02), ("End", 2)):
        margin.press(key)
        assert shown(root)["margin"] == value
        assert_equals_torch(shown(root))
    box = margin.bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + box["height"] / 2)
    assert 0.7 < shown(root)["margin"] < 0.9
    notes.assert_clean()


def test_on_the_circle_a_point_follows_the_direction_of_a_far_pointer(site):
    page, _ = site(triplet_figure())
    root = figures(page)
    rim = root.locator("svg circle").first.bounding_box()
    x, y = rim["x"] + rim["width"] / 2, rim["y"] + rim["height"] / 2
    grip = root.get_by_role("slider", name="negative 1").locator(".genssl-grip").bounding_box()
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(x + 400, y + 100, steps=4)  # three radii away
    page.mouse.up()
    data = shown(root)
    assert math.atan2(-data["points"][2][1], data["points"][2][0]) == pytest.approx(
        math.atan2(100, 400), abs=0.02
    )
    assert_equals_torch(data)


def test_in_the_plane_points_leave_the_circle_and_come_back(site):
    page, notes = site(triplet_figure(margin=0.8))
    root = figures(page)
    circle = shown(root)
    root.get_by_role("button", name="plane").click()
    plane = shown(root)
    assert plane["where"] == "plane"
    assert_equals_torch(plane)
    for name, step in (("anchor", (30, 25)), ("positive", (-20, 30)), ("negative 1", (5, 40))):
        old = shown(root)["points"]
        drag(page, root.get_by_role("slider", name=name), *step)
        assert shown(root)["points"] != old
        assert_equals_torch(shown(root))
    root.get_by_role("slider", name="negative 2").press("ArrowRight")
    assert shown(root)["points"][3][0] == pytest.approx(plane["points"][3][0] + 0.02)
    root.get_by_role("button", name="unit circle").press("Enter")
    assert shown(root) == circle, "the circle kept its points"
    root.get_by_role("button", name="plane").click()
    root.get_by_role("button", name="start again").click()
    assert shown(root) == plane
    notes.assert_clean()


@pytest.mark.parametrize("where", ["circle", "plane"])
def test_steps_along_the_arrows_lower_the_loss_until_all_is_silent(site, where):
    page, _ = site(triplet_figure(where=where, margin=0.4))
    root = figures(page)
    step = root.get_by_role("button", name="step along")
    losses = [shown(root)["loss"]]
    for _ in range(25):
        step.click()
        losses.append(shown(root)["loss"])
    assert losses[1] < losses[0]
    assert losses[-1] < 0.02
    assert_equals_torch(shown(root))
    arrows = root.locator("svg g[pointer-events=none]")
    visible = arrows.evaluate_all("nodes => nodes.map(n => n.getAttribute('visibility'))")
    moves = [math.hypot(*v) for v in shown(root)["downhill"]]
    assert [v == "visible" for v in visible] == [m > 0.03 for m in moves]


def test_what_is_written_is_what_is_computed(site):
    page, _ = site(triplet_figure(negatives=2))
    root = figures(page)
    data = shown(root)
    assert f"Mean loss {data['loss']:.2f}: 2 of 2 triplets active." in root.inner_text()
    rows = root.locator("tbody tr").all_inner_texts()
    for row, negative in zip(rows, data["negatives"], strict=True):
        assert negative["zone"] in row
        assert f"{negative['dan']:.2f}" in row
        assert f"{negative['loss']:.2f}" in row


def test_the_zones_and_their_borders(module):
    for dan, zone in ((0.99, "hard"), (1.0, "hard"), (1.25, "semi-hard"), (1.5, "easy")):
        assert module(TripletFigure, "zone", 1.0, dan, 0.5) == zone
    assert module(TripletFigure, "zone", 1.0, 1.1, 0) == "easy", "no margin, no semi-hard"
    edge = module(TripletFigure, "borders", 2.0, 1.0, True)
    assert edge["hard"] == pytest.approx(math.pi / 2), "squared distance 2 is a right angle"
    assert 2 - 2 * math.cos(edge["semiHard"]) == pytest.approx(3)
    beyond = module(TripletFigure, "borders", 3.0, 2.0, True)
    assert beyond["semiHard"] == pytest.approx(math.pi), "nothing on the circle is further than 4"
    assert module(TripletFigure, "borders", 4.0, 5.0, False) == {"hard": 2, "semiHard": 3}


def test_the_gradient_on_random_points_is_torch_s(module):
    chance = torch.Generator().manual_seed(0)
    for where in ("circle", "plane"):
        for margin in (0.0, 0.5, 2.0):
            x = torch.randn(5, 2, generator=chance, dtype=torch.float64)
            points = (F.normalize(x, dim=1) if where == "circle" else x).tolist()
            data = {"points": points, "where": where, "margin": margin}
            loss, downhill = by_torch(data)
            got = module(TripletFigure, "downhill", points, margin, where == "circle")
            torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), downhill)
            all_ = module(TripletFigure, "triplets", points, margin)
            assert all_["loss"] == pytest.approx(loss, abs=1e-12)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("where", ["circle", "plane"])
def test_a_phone_shows_all_of_it(site, theme, where):
    assert_fits_a_phone(site, theme, triplet_figure(where=where))


def test_a_reader_by_ear_is_told(site):
    page, _ = site(triplet_figure())
    root = page.get_by_role("group", name="Beyond the margin")
    assert "three zones" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_label("margin").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('Negative 2 is easy')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, triplet_figure())


@pytest.mark.parametrize("wrong", [{"margin": 3}, {"where": "sphere"}, {"negatives": 7}])
def test_arguments_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        triplet_figure(**wrong)


def test_the_slope_jumps_at_the_kink(module):
    points = [[0.0, 0.0], [1.0, 0.0]]
    for extra, active in ((-1e-6, True), (1e-6, False)):
        negative = [0.0, math.sqrt(1.5 + extra)]
        steps = module(TripletFigure, "downhill", [*points, negative], 0.5, False)
        assert (math.hypot(*steps[2]) > 2) is active


@pytest.mark.parametrize("where", ["circle", "plane"])
def test_every_point_moves_by_mouse_and_by_keyboard(site, where):
    page, notes = site(triplet_figure(where=where))
    root = figures(page)
    points = root.locator(".genssl-point")
    assert points.count() == 5
    for i in range(5):
        before = shown(root)
        drag(page, points.nth(i), 30, 25)
        dragged = shown(root)
        assert dragged["points"][i] != before["points"][i]
        assert_equals_torch(dragged)
        points.nth(i).press("ArrowLeft")
        points.nth(i).press("Shift+ArrowUp")
        pressed = shown(root)
        assert pressed["points"][i] != dragged["points"][i]
        assert_equals_torch(pressed)
    notes.assert_clean()
