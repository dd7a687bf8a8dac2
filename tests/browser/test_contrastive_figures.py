"""The live figures of the contrastive unit: moved by mouse and keyboard, and right as torch is."""

from __future__ import annotations

import math

import anywidget
import pytest
import torch

from genssl_utils.contrastive.bound import BoundFigure, bound_figure
from genssl_utils.contrastive.information import best_critic, correlation, gaussian_pairs
from genssl_utils.contrastive.pull import pull_figure
from genssl_utils.contrastive.triplet import TripletFigure, triplet_figure
from static_page import figures

FIGURES = {"triplet": triplet_figure, "pull": pull_figure, "bound": bound_figure}


def numbers(root) -> dict:
    """All that a figure shows, at full precision."""
    return root.evaluate(
        "n => Object.fromEntries(Object.entries(n.dataset).map(([k, v]) => [k, JSON.parse(v)]))"
    )


def drag(page, handle, dx: float, dy: float) -> None:
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def slide(page, root, label: str, share: float) -> dict:
    """Click a slider at a share of its width."""
    box = root.get_by_label(label).and_(page.locator("input")).bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    return numbers(root)


# ---- the triplet


def assert_triplet(data: dict) -> None:
    """Loss, zones and steps by torch's autograd; on the circle, through the normalisation."""
    points = torch.tensor(data["points"], dtype=torch.float64).requires_grad_()
    circle = data["where"] == "circle"
    x = points / points.norm(dim=1, keepdim=True) if circle else points
    pull, push = (x[0] - x[1]).square().sum(), (x[0] - x[2:]).square().sum(1)
    each = torch.relu(pull - push + data["margin"])
    assert data["loss"] == pytest.approx(each.mean().item(), abs=1e-9)
    (slope,) = torch.autograd.grad(each.mean(), points)
    downhill = torch.tensor(data["downhill"], dtype=torch.float64)
    torch.testing.assert_close(downhill, -slope, atol=1e-6, rtol=0)
    near = pull.item()
    for one, d, loss in zip(data["negatives"], push.tolist(), each.tolist(), strict=True):
        assert one["loss"] == pytest.approx(loss, abs=1e-9)
        far = near + data["margin"]
        assert one["zone"] == ("hard" if d <= near else "semi-hard" if d < far else "easy")
        assert one["active"] is (loss > 0)


def test_the_margin_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(triplet_figure())
    root = figures(page)
    start = numbers(root)
    assert_triplet(start)
    assert {one["zone"] for one in start["negatives"]} == {"hard", "semi-hard", "easy"}
    root.get_by_label("margin").press("Home")
    closed = numbers(root)
    assert closed["margin"] == 0
    assert "semi-hard" not in {one["zone"] for one in closed["negatives"]}
    wide = slide(page, root, "margin", 0.8)
    assert 1.4 < wide["margin"] < 1.8
    for data in (closed, wide):
        assert_triplet(data)
    assert closed["loss"] < start["loss"] < wide["loss"]
    notes.assert_clean()


@pytest.mark.parametrize("where", ["circle", "plane"])
def test_every_point_moves_by_mouse_and_by_keyboard(site, where):
    page, notes = site(triplet_figure(where=where))
    root = figures(page)
    points = root.locator(".genssl-point")
    assert points.count() == 5
    for i in range(5):
        before = numbers(root)
        drag(page, points.nth(i), 30, 25)
        dragged = numbers(root)
        assert dragged["points"][i] != before["points"][i]
        assert_triplet(dragged)
        points.nth(i).press("ArrowLeft")
        points.nth(i).press("Shift+ArrowUp")
        pressed = numbers(root)
        assert pressed["points"][i] != dragged["points"][i]
        assert_triplet(pressed)
        if where == "circle":
            assert [math.hypot(*p) for p in pressed["points"]] == pytest.approx([1] * 5)
    notes.assert_clean()


def test_the_switch_changes_the_place(site):
    page, _ = site(triplet_figure())
    root = figures(page)
    root.get_by_role("button", name="plane").click()
    assert numbers(root)["where"] == "plane"
    assert_triplet(numbers(root))
    root.get_by_role("button", name="unit circle").press("Enter")
    assert numbers(root)["where"] == "circle"


def test_the_slope_jumps_at_the_kink(module):
    points = [[0.0, 0.0], [1.0, 0.0]]
    for extra, active in ((-1e-6, True), (1e-6, False)):
        negative = [0.0, math.sqrt(1.5 + extra)]
        steps = module(TripletFigure, "downhill", [*points, negative], 0.5, False)
        assert (math.hypot(*steps[2]) > 2) is active


# ---- who pulls whom


def assert_pull(data: dict) -> None:
    """Shares, loss and the anchor's step, by torch."""
    x, i = torch.tensor(data["points"], dtype=torch.float64), data["anchor"]
    unit = data["kind"] == "info_nce"
    if unit:
        x = x / x.norm(dim=1, keepdim=True)
    anchor = x[i].clone().requires_grad_()
    a = anchor / anchor.norm() if unit else anchor
    score = (x @ a if unit else -(a - x).square().sum(1)) / data["temperature"]
    others = torch.arange(len(x)) != i
    classes = torch.tensor(data["classes"])
    pulls = (classes == classes[i]) & others
    if unit:
        pulls = torch.arange(len(x)) == data["partners"][i]
    loss = score[others].logsumexp(0) - score[pulls].logsumexp(0)
    assert data["loss"] == pytest.approx(loss.item(), abs=1e-9)
    want = torch.softmax(score.masked_fill(~others, -torch.inf), 0)
    shares = torch.tensor(data["shares"], dtype=torch.float64)
    torch.testing.assert_close(shares, want.detach())
    (slope,) = torch.autograd.grad(loss, anchor)
    step = torch.tensor(data["downhill"], dtype=torch.float64)
    torch.testing.assert_close(step, -slope, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("loss", ["soft_nearest_neighbor", "info_nce"])
def test_the_temperature_shares_out_the_weights(site, loss):
    page, notes = site(pull_figure(loss=loss))
    root = figures(page)
    assert_pull(numbers(root))
    root.get_by_label("temperature").press("Home")
    cold = numbers(root)
    root.get_by_label("temperature").press("End")
    hot = numbers(root)
    middle = slide(page, root, "temperature", 0.5)
    for data in (cold, hot, middle):
        assert_pull(data)
        assert sum(data["shares"]) == pytest.approx(1)
    assert max(cold["shares"]) > 0.9 > 0.2 > max(hot["shares"])
    assert cold["temperature"] < middle["temperature"] < hot["temperature"]
    notes.assert_clean()


def test_the_points_of_the_cloud_move(site):
    page, notes = site(pull_figure())
    root = figures(page)
    points = root.locator(".genssl-point")
    for i in range(points.count()):
        before = numbers(root)
        drag(page, points.nth(i), -18, 22)
        dragged = numbers(root)
        points.nth(i).press("ArrowRight")
        pressed = numbers(root)
        assert before["points"] != dragged["points"] != pressed["points"]
        assert_pull(dragged)
        assert_pull(pressed)
    root.get_by_role("button", name="InfoNCE").click()
    single = numbers(root)
    assert single["kind"] == "info_nce"
    assert sum(single["pulls"]) == 1
    assert_pull(single)
    root.get_by_role("button", name="next anchor").press("Enter")
    assert numbers(root)["anchor"] != single["anchor"]
    assert_pull(numbers(root))
    notes.assert_clean()


# ---- the bound


def assert_bound(data: dict) -> None:
    """Below log N and the information, and what torch finds with draws of its own."""
    assert data["rho"] == pytest.approx(correlation(data["information"], data["dims"]))
    n, slack = data["batch"], 0.03
    assert data["bound"] <= min(math.log(n), data["information"]) + slack
    chance, each = torch.Generator().manual_seed(1), []
    for _ in range(max(8, 3000 // n)):
        pairs = gaussian_pairs(data["information"], n, chance, data["dims"])
        z, c, W = best_critic(*pairs, data["information"])
        score = c @ (z @ W).T
        each.append(math.log(n) - (score.logsumexp(1) - score.diagonal()).mean().item())
    each = torch.tensor(each)
    error = float(each.std() / len(each) ** 0.5)
    assert abs(data["bound"] - float(each.mean())) < 6 * error + slack


def test_the_bound_follows_both_sliders(site):
    page, notes = site(bound_figure(information=3.0, batch=64))
    root = figures(page)
    assert_bound(numbers(root))
    root.get_by_label("batch size").and_(page.locator("input")).press("Home")
    two = numbers(root)
    assert two["batch"] == 2
    assert_bound(two)
    many = slide(page, root, "batch size", 0.85)
    assert many["batch"] > 200
    assert_bound(many)
    root.get_by_label("true information").and_(page.locator("input")).press("End")
    full = numbers(root)
    assert full["information"] == 10
    assert full["bound"] < math.log(full["batch"]) < 10
    less = slide(page, root, "true information", 0.4)
    assert less["information"] < 2
    assert_bound(less)
    notes.assert_clean()


def test_the_critic_is_the_log_density_ratio(module):
    z, c, rho = [0.3, -1.2], [0.8, 0.1], 0.6
    x, y = torch.tensor(z, dtype=torch.float64), torch.tensor(c, dtype=torch.float64)
    given = torch.distributions.Normal(rho * y, (1 - rho**2) ** 0.5)
    want = (given.log_prob(x) - torch.distributions.Normal(0.0, 1.0).log_prob(x)).sum()
    got = module(BoundFigure, "critic", z, 0, c, 0, 2, 1 - rho**2)
    assert got == pytest.approx(want.item(), abs=1e-9)


# ---- for every reader


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_clips_nothing(site, theme):
    page, notes = site(*(make() for make in FIGURES.values()), theme=theme, width=360)
    figures(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".genssl-figure")].flatMap((figure) => {
            const room = figure.getBoundingClientRect();
            return [...figure.querySelectorAll("text, button, td, th, label")].filter((node) => {
                if (getComputedStyle(node).visibility === "hidden") return false;
                const box = node.getBoundingClientRect();
                return box.width && (box.left < room.left - 1 || box.right > room.right + 1);
            }).map((node) => node.textContent);
        })"""
    )
    assert outside == []
    notes.assert_clean()


@pytest.mark.parametrize("name", FIGURES)
def test_a_finished_render_leaves_no_listener(page, name):
    figure = FIGURES[name]()
    base = set(anywidget.AnyWidget.class_trait_names())
    own = [key for key in figure.trait_names(sync=True) if key not in base and key[0] != "_"]
    state = {key: getattr(figure, key) for key in own}
    during, left = page.evaluate(
        """async ([source, state]) => {
            const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
            const { default: figure } = await import(url);
            let live = 0;
            const model = {get: (k) => state[k], set() {}, save_changes() {},
                           on() { live += 1; }, off() { live -= 1; }};
            const end = figure.render({model, el: document.body});
            const during = live;
            end();
            return [during, live];
        }""",
        [str(figure._esm), state],
    )
    assert during > left == 0
