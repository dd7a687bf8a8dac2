"""The figure of a chain of 1-D bijections: its receipt is torch's, and every density has area 1."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from genssl_utils.flows.chain_figure import ChainFigure, chain_figure
from static_page import assert_narrow, assert_no_listener_is_left, figures, holds, shown

STEPS = [
    {"scale": 0.9, "shift": 0.3, "bend": 0.0},
    {"scale": -1.4, "shift": 0.5, "bend": 1.0},
    {"scale": 0.3, "shift": -2.0, "bend": 2.0},
]


def through(z0: torch.Tensor, steps: list[dict]) -> tuple[list, list]:
    """The places along the chain, and each step's log|f′| by autograd."""
    path, log_dets = [z0], []
    for f in steps:
        z = path[-1].detach().requires_grad_()
        u = f["scale"] * z + f["shift"]
        x = u + f["bend"] * torch.tanh(2 * u)
        log_dets.append(torch.autograd.grad(x.sum(), z)[0].abs().log())
        path.append(x.detach())
    return path, log_dets


@holds(ChainFigure)
def assert_equals_torch(data: dict) -> None:
    """Places, log-dets and running log-densities to 1e-5; the areas are 1."""
    steps = [
        {"scale": s, "shift": t, "bend": b}
        for s, t, b in zip(data["scales"], data["shifts"], data["bends"], strict=True)
    ]
    z0 = torch.tensor(data["path"][0], dtype=torch.float64)
    path, log_dets = through(z0, steps)
    assert data["path"] == pytest.approx([z.item() for z in path], abs=1e-5)
    assert data["logDets"] == pytest.approx([v.item() for v in log_dets], abs=1e-5)
    start = Normal(0.0, 1.0).log_prob(z0)
    sums = torch.stack([start, *(start - torch.stack(log_dets).cumsum(0))])
    assert data["logP"] == pytest.approx(sums.tolist(), abs=1e-5)
    assert data["areas"] == pytest.approx([1.0] * 4, abs=1e-3)


def set_slider(control, share: float) -> None:
    control.evaluate(
        """(node, share) => {
            node.value = Math.round(share * node.max);
            node.dispatchEvent(new Event("input"));
        }""",
        share,
    )


# ---- the maths


@pytest.mark.parametrize("z0", [-2.7, -0.4, 0.0, 1.3])
def test_places_log_dets_and_log_density_are_torch_s(module, z0):
    got = module(ChainFigure, "chain", z0, STEPS)
    path, log_dets = through(torch.tensor(z0, dtype=torch.float64), STEPS)
    assert got["path"] == pytest.approx([z.item() for z in path], abs=1e-10)
    assert got["logDets"] == pytest.approx([v.item() for v in log_dets], abs=1e-10)
    log_p = Normal(0.0, 1.0).log_prob(path[0].double()) - sum(log_dets)
    assert got["logP"][-1] == pytest.approx(log_p.item(), abs=1e-6)


def test_a_receipt_adds_up_and_stays_within_a_thousandth(module):
    terms = torch.randn(40, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for row in terms.tolist():
        *shown_terms, total = module(ChainFigure, "receiptOf", row)
        assert shown_terms == pytest.approx(row, abs=1e-3)
        assert total == pytest.approx(sum(row), abs=5.1e-4)
        assert sum(shown_terms) == pytest.approx(total, abs=1e-9)


def test_an_affine_chain_is_a_normal_with_a_closed_form(module):
    affine = [{**f, "bend": 0.0} for f in STEPS]
    mean = affine[2]["scale"] * (affine[1]["scale"] * 0.3 + 0.5) - 2.0
    law = Normal(torch.tensor(mean, dtype=torch.float64), abs(0.9 * -1.4 * 0.3))
    got = module(ChainFigure, "chain", 0.7, affine)
    x = torch.tensor(got["path"][-1], dtype=torch.float64)
    assert got["logP"][-1] == pytest.approx(law.log_prob(x).item(), abs=1e-6)


@pytest.mark.parametrize("scales", [(1.0, 1.2, 0.7), (-0.3, 0.3, -0.3), (2.0, -2.0, 2.0)])
def test_the_area_stays_one_and_so_does_a_strip_s_share(module, scales):
    steps = [{**f, "scale": s} for f, s in zip(STEPS, scales, strict=True)]
    rows = module(ChainFigure, "densities", steps)
    assert [module(ChainFigure, "area", row) for row in rows] == pytest.approx([1.0] * 4, abs=1e-3)
    low, high = module(ChainFigure, "strip", 0.4)
    strips = module(ChainFigure, "densities", steps, {"from": low, "to": high, "count": 201})
    shares = [module(ChainFigure, "area", row) for row in strips]
    assert shares == pytest.approx([0.1] * 4, abs=1e-4)


def test_the_strips_are_tenths_of_a_normal(module):
    law = Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
    for z0 in (-4.0, -1.0, -0.2533471031357997, 0.0, 0.6, 3.0):
        low, high = module(ChainFigure, "strip", z0)
        assert low <= z0 < high
        edges = law.cdf(torch.tensor([low, high], dtype=torch.float64))
        assert (edges[1] - edges[0]).item() == pytest.approx(0.1, abs=1e-9)


# ---- what the reader moves


def test_sliders_move_the_densities_and_the_receipt(site):
    page, notes = site(chain_figure())
    root = figures(page)
    before = shown(root)
    assert_equals_torch(before)
    picture = root.locator("svg").first.inner_html()

    scale = root.get_by_label("scale 1")
    box = scale.bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    after = shown(root)
    assert after["scales"][0] < -1
    assert after["scales"][1:] == before["scales"][1:]
    assert root.locator("svg").first.inner_html() != picture
    assert_equals_torch(after)

    shift = root.get_by_label("shift 3")
    shift.press("End")
    assert shown(root)["shifts"][2] == 2
    shift.press("ArrowLeft")
    assert shown(root)["shifts"][2] == pytest.approx(1.95)
    assert_equals_torch(shown(root))
    root.get_by_role("button", name="start again").click()
    assert shown(root) == before
    notes.assert_clean()


def test_a_scale_steps_over_zero(site):
    page, _ = site(chain_figure(scales=(0.3, 1.0, 1.0)))
    root = figures(page)
    scale = root.get_by_label("scale 1")
    scale.press("ArrowLeft")
    assert shown(root)["scales"][0] == -0.3
    assert_equals_torch(shown(root))
    scale.press("ArrowRight")
    assert shown(root)["scales"][0] == 0.3


def test_the_area_is_one_at_every_end_of_the_sliders(site):
    page, notes = site(chain_figure())
    root = figures(page)
    for share in (0.0, 0.48, 0.52, 1.0):
        for i in (1, 2, 3):
            set_slider(root.get_by_label(f"scale {i}"), share)
            set_slider(root.get_by_label(f"shift {i}"), 1 - share)
        assert_equals_torch(shown(root))
        assert root.locator("text", has_text="area 1.000").count() == 4
        high, low = root.evaluate(
            """root => {
                const boxes = [...root.querySelectorAll("svg path[stroke-width='2']")]
                    .map((node) => node.getBBox());
                const least = (name) => Math.min(...boxes.map((box) => box[name]));
                return [least("height"), least("y")];
            }"""
        )
        assert high > 1
        assert low > 0, "no curve leaves the picture"
    notes.assert_clean()


def test_the_point_travels_by_mouse_and_by_keyboard(site):
    page, notes = site(chain_figure())
    root = figures(page)
    before = shown(root)
    point = root.get_by_role("slider", name="the point z₀")
    box = point.locator(".genssl-grip").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 50, y + 3, steps=4)
    page.mouse.up()
    after = shown(root)
    assert after["path"][0] < before["path"][0] - 0.5
    moved = point.locator(".genssl-grip").bounding_box()
    assert moved["x"] == pytest.approx(box["x"] - 50, abs=1), "the point stays under the pointer"
    assert_equals_torch(after)
    assert after["areas"] == before["areas"]
    assert after["logDets"][0] == before["logDets"][0], "an affine step costs the same everywhere"
    assert after["logDets"][1] != before["logDets"][1], "a bend does not"

    point.press("ArrowRight")
    assert shown(root)["path"][0] == pytest.approx(after["path"][0] + 0.05)
    for key, z0 in (("End", 3), ("Home", -3)):
        point.press(key)
        assert shown(root)["path"][0] == z0
        assert_equals_torch(shown(root))
    assert point.evaluate("node => node === document.activeElement")
    notes.assert_clean()


def test_the_words_are_the_numbers_and_the_receipt_adds_up(site):
    page, _ = site(chain_figure(z0=-1.0))
    root = figures(page)
    data = shown(root)
    slider = root.get_by_role("slider", name="the point z₀")

    def read(text: str) -> float:
        return float(text.replace("−", "-").replace("+", "").replace(" ", ""))

    rows = [line.locator("td").all_text_contents() for line in root.locator("tbody tr").all()]
    sums = [read(cells[1]) for cells in rows]
    assert sums == pytest.approx(
        [data["logP"][0], *[-v for v in data["logDets"]], data["logP"][-1]], abs=1e-3
    )
    assert [read(cells[0]) for cells in rows[1:-1]] == pytest.approx(
        torch.tensor(data["logDets"]).exp().tolist(), abs=6e-4
    )
    texts = root.locator("svg text").all_text_contents()
    assert "z₁ = 0.90 z₀ + 0.30" in texts
    assert "z₂ = bend(1.20 z₁ + 0.00)" in texts
    assert f"x = {data['path'][-1]:.2f}".replace("-", "−") in texts
    for _ in range(12):  # wherever the point is, a reader who adds up finds the last line
        added = [read(text) for text in root.locator("tbody tr td:last-child").all_text_contents()]
        assert sum(added[:-1]) == pytest.approx(added[-1], abs=1e-9)
        slider.press("ArrowRight")


# ---- for every reader


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme):
    page, notes = site(chain_figure(), theme=theme, width=360)
    root = figures(page)
    point = root.get_by_role("slider", name="the point z₀")
    for key in ("Home", "End"):
        point.press(key)
        assert_narrow(page)
    notes.assert_clean()


def test_the_theme_follows_the_page(site):
    page, _ = site(chain_figure())
    root = figures(page)
    paper = "node => getComputedStyle(node).backgroundColor"
    light = root.evaluate(paper)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert root.evaluate(paper) != light


def test_a_reader_of_the_page_by_ear_is_told(site):
    page, _ = site(chain_figure())
    root = page.get_by_role("group", name="Where a step stretches")
    assert "which you can drag" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_role("slider", name="the point z₀").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('z₀ = −3.00 becomes')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, chain_figure())


# ---- what Python refuses


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scales": (1.0, 0.0, 1.0)}, "cannot be undone"),
        ({"scales": (1.0, 3.0, 1.0)}, "0.3 to 2"),
        ({"shifts": (0.0, 1.0)}, "one a step"),
        ({"bends": (0.0, -1.0, 0.0)}, "bends must be"),
        ({"z0": float("nan")}, "choose a point"),
    ],
)
def test_a_wrong_argument_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        chain_figure(**wrong)
    with pytest.raises(ValueError, match=words):
        ChainFigure(**{name: list(v) if name != "z0" else v for name, v in wrong.items()})
