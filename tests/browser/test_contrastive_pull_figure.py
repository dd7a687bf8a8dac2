"""The figure of pull and push: its numbers are torch's at every temperature, for both losses."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from genssl_utils.contrastive.pull import CLASSES, PARTNERS, POINTS, PullFigure, pull_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, drag, figures, holds, shown


def by_torch(points, anchor: int, kind: str, temperature: float) -> dict:
    """One anchor's loss by torch: a cross-entropy over all others, the anchor taken out."""
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    if kind == "info_nce":
        z = F.normalize(x.detach(), dim=1).requires_grad_()
        seen = F.normalize(z, dim=1)
        score = seen @ seen[anchor].clone() / temperature
        pulls = torch.arange(8) == PARTNERS[anchor]
    else:
        z = x
        score = -(x - x[anchor]).square().sum(1) / temperature
        pulls = torch.tensor(CLASSES) == CLASSES[anchor]
        pulls[anchor] = False
    others = torch.arange(8) != anchor
    log_share = torch.log_softmax(score.masked_fill(~others, -torch.inf), 0)
    loss = -log_share[pulls].logsumexp(0)
    (slope,) = torch.autograd.grad(loss, z)
    shares = log_share.exp()
    entropy = torch.distributions.Categorical(probs=shares[others]).entropy()
    return {
        "shares": shares.tolist(),
        "pulls": pulls.tolist(),
        "loss": loss.item(),
        "chance": (-loss).exp().item(),
        "effective": entropy.exp().item(),
        "downhill": (-slope[anchor]).tolist(),
    }


@holds(PullFigure)
def assert_equals_torch(data: dict) -> None:
    setting = (data["points"], data["kind"], data["temperature"])
    points, kind, temperature = setting
    for name, value in by_torch(points, data["anchor"], kind, temperature).items():
        assert data[name] == pytest.approx(value, rel=1e-7, abs=1e-9), name
    every = [by_torch(points, i, kind, temperature)["loss"] for i in range(8)]
    assert data["meanLoss"] == pytest.approx(sum(every) / 8, rel=1e-9)


@pytest.mark.parametrize("loss", ["soft_nearest_neighbor", "info_nce"])
def test_the_temperature_moves_by_mouse_and_by_keyboard(site, loss):
    page, notes = site(pull_figure(loss=loss))
    root = figures(page)
    before = shown(root)
    assert_equals_torch(before)
    warm = root.get_by_label("temperature")
    box = warm.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    cold = shown(root)
    assert cold["temperature"] < 0.2
    assert_equals_torch(cold)
    warm.press("ArrowRight")
    assert cold["temperature"] < shown(root)["temperature"] < 1.1 * cold["temperature"]
    warm.press("Home")
    coldest = shown(root)
    assert coldest["temperature"] == 0.02
    assert_equals_torch(coldest)
    warm.press("End")
    hot = shown(root)
    assert hot["temperature"] == 20
    assert_equals_torch(hot)
    counts = [data["effective"] for data in (coldest, cold, before, hot)]
    assert counts == sorted(counts)
    assert counts[0] >= 1
    assert 6.9 < counts[-1] <= 7, "hot: all seven count alike"
    assert hot["points"] == before["points"]
    notes.assert_clean()


def test_points_move_and_another_becomes_the_anchor(site):
    page, notes = site(pull_figure())
    root = figures(page)
    before = shown(root)
    square = root.get_by_role("slider", name="point 5, a square")
    drag(page, square, -45, 10)
    near = shown(root)
    assert near["shares"][4] > before["shares"][4], "nearer to the anchor, more weight"
    assert near["loss"] > before["loss"]
    assert [p for i, p in enumerate(near["points"]) if i != 4] == [
        p for i, p in enumerate(before["points"]) if i != 4
    ]
    assert_equals_torch(near)
    square.press("ArrowUp")
    assert shown(root)["points"][4][1] == pytest.approx(near["points"][4][1] + 0.02)
    square.press("Enter")
    assert shown(root)["anchor"] == 4
    assert_equals_torch(shown(root))
    root.get_by_role("slider", name="point 3, a circle").locator(".genssl-grip").dblclick()
    assert shown(root)["anchor"] == 2
    assert_equals_torch(shown(root))
    root.get_by_role("button", name="next anchor").press("Enter")
    assert shown(root)["anchor"] == 3
    assert_equals_torch(shown(root))
    root.get_by_role("button", name="start again").click()
    assert shown(root)["points"] == [list(p) for p in POINTS]
    notes.assert_clean()


def test_info_nce_turns_points_on_the_circle_and_pushes_its_own_class(site):
    page, notes = site(pull_figure())
    root = figures(page)
    plane = shown(root)
    assert sum(plane["pulls"]) == 3
    root.get_by_role("button", name="InfoNCE").click()
    circle = shown(root)
    assert circle["kind"] == "info_nce"
    assert [i for i, pull in enumerate(circle["pulls"]) if pull] == [PARTNERS[0]]
    assert circle["points"] == plane["points"]
    assert_equals_torch(circle)
    drag(page, root.get_by_role("slider", name="point 4, a circle"), 10, 50)
    turned = shown(root)
    old, new = (torch.tensor(d["points"][3], dtype=torch.float64) for d in (circle, turned))
    assert not torch.allclose(old, new)
    torch.testing.assert_close(new.norm(), old.norm())
    assert_equals_torch(turned)
    notes.assert_clean()


def test_the_printed_shares_are_the_line_widths(site):
    page, _ = site(pull_figure(temperature=1.0))
    root = figures(page)
    data = shown(root)
    svg = root.locator("svg").first
    texts = [t for t in svg.locator("> text").all_text_contents() if t]
    rounded = [f"{100 * s:.0f}%" for i, s in enumerate(data["shares"]) if i != data["anchor"]]
    assert [t for t in texts if t != "<1%"] == [
        r for r, t in zip(rounded, texts, strict=True) if t != "<1%"
    ]
    widths = svg.locator("> line").evaluate_all(
        "nodes => nodes.map(n => Number(n.getAttribute('stroke-width')))"
    )
    assert widths == pytest.approx([18 * share for share in data["shares"]])
    dashed = svg.locator("> line").evaluate_all(
        "nodes => nodes.map(n => !!n.getAttribute('stroke-dasharray'))"
    )
    assert [not d for d in dashed] == data["pulls"]
    assert f"= {data['loss']:.2f}" in root.inner_text()
    assert f"Mean loss over all 8 anchors: {data['meanLoss']:.2f}" in root.inner_text()


@pytest.mark.parametrize("kind", ["soft_nearest_neighbor", "info_nce"])
@pytest.mark.parametrize("temperature", [0.001, 0.3, 1.0, 100.0])
def test_random_clouds_give_torch_s_numbers(module, kind, temperature):
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64).tolist()
    for anchor in (1, 6):
        got = module(
            PullFigure, "neighbours", x, anchor, kind, temperature, list(CLASSES), list(PARTNERS)
        )
        for name, value in by_torch(x, anchor, kind, temperature).items():
            assert got[name] == pytest.approx(value, rel=1e-7, abs=1e-9), name


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("loss", ["soft_nearest_neighbor", "info_nce"])
def test_a_phone_shows_all_of_it(site, theme, loss):
    assert_fits_a_phone(site, theme, pull_figure(loss=loss))


def test_a_reader_by_ear_is_told(site):
    page, _ = site(pull_figure())
    root = page.get_by_role("group", name="Cold, the nearest")
    assert "Solid lines pull" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_label("temperature").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('Temperature 0.02')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, pull_figure())


@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"loss": "triplet"}, {"anchor": 8}])
def test_arguments_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        pull_figure(**wrong)
