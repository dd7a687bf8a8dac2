"""The figure of the InfoNCE bound: its Monte Carlo agrees with torch's, and it moves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from scipy.stats import kstest

from genssl_utils.contrastive.bound import BoundFigure, bound_figure
from static_page import assert_no_listener_is_left, figures, holds, shown, words_outside


def by_torch(information: float, dims: int, size: int, count: int, seed: int = 0) -> torch.Tensor:
    """`count` batches' log N − loss, the loss as a cross-entropy of log density ratios."""
    noise = math.exp(-2 * information / dims)
    rho = math.sqrt(1 - noise)
    chance = torch.Generator().manual_seed(seed)
    unit = torch.distributions.Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
    bounds = []
    for _ in range(count):
        c, e = torch.randn(2, size, dims, generator=chance, dtype=torch.float64)
        z = rho * c + math.sqrt(noise) * e
        near = torch.distributions.Normal(rho * c[:, None], math.sqrt(noise))
        score = (near.log_prob(z[None]) - unit.log_prob(z[None])).sum(-1)  # contexts × candidates
        loss = torch.nn.functional.cross_entropy(score, torch.arange(size))
        bounds.append(math.log(size) - loss)
    return torch.stack(bounds)


@holds(BoundFigure, saved=True)
def assert_the_curve_is_torch_s(
    data: dict, saved: dict, sizes: Sequence[tuple[int, int]] = ((2, 2000), (64, 100))
) -> None:
    """The mean bound at some sizes of the batch, within the error of both Monte Carlos."""
    for size, count in sizes:
        at = min(range(len(data["sizes"])), key=lambda k: abs(data["sizes"][k] - size))
        bounds = by_torch(data["information"], saved["dims"], data["sizes"][at], count)
        error = math.hypot(bounds.std().item() / count**0.5, data["error"][at])
        assert abs(data["mean"][at] - bounds.mean().item()) < 5.5 * error, size


def settled(page, root) -> dict:
    """What is shown once the single batches are there too."""
    page.wait_for_function("document.querySelector('.genssl-figure').dataset.batches !== 'null'")
    return shown(root)


def test_information_and_batch_move_by_mouse_and_by_keyboard(site):
    page, notes = site(bound_figure())
    root = figures(page)
    before = settled(page, root)
    assert before["information"] == 3
    assert before["batch"] == 64
    size, amount = root.locator("input").nth(1), root.get_by_label("true information")
    size.press("End")
    large = settled(page, root)
    assert large["batch"] == 1024
    assert large["bound"] > before["bound"]
    size.press("Home")
    small = settled(page, root)
    assert small["batch"] == 2
    size.press("ArrowRight")
    assert shown(root)["batch"] == 3
    box = amount.bounding_box()
    page.mouse.click(box["x"] + 0.95 * box["width"], box["y"] + box["height"] / 2)
    much = settled(page, root)
    assert much["information"] > 6
    assert max(much["mean"]) < math.log(1024), "the ceiling"
    assert much["information"] - max(much["mean"]) > 0.5
    amount.press("Home")
    little = settled(page, root)
    assert little["information"] == 0.1
    assert little["mean"][-1] == pytest.approx(0.1, abs=0.02)
    for data in (before, large, small, much, little):
        assert data["bound"] == data["mean"][data["sizes"].index(data["batch"])]
        assert max(data["batches"]) <= math.log(data["batch"]) + 1e-12, "no batch passes log N"
        for n, mean, error in zip(data["sizes"], data["mean"], data["error"], strict=True):
            assert mean < min(math.log(n), data["information"]) + 6 * error
    notes.assert_clean()


def test_the_handle_in_the_plot_moves_the_batch_size(site):
    page, notes = site(bound_figure())
    root = figures(page)
    handle = root.get_by_role("slider", name="batch size N").last
    box = handle.locator(".genssl-grip").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=3)
    page.mouse.up()
    dragged = shown(root)["batch"]
    assert dragged > 128
    handle.press("ArrowLeft")
    assert shown(root)["batch"] < dragged
    handle.press("Home")
    assert shown(root)["batch"] == 2
    handle.press("ArrowRight")
    assert shown(root)["batch"] == 3
    notes.assert_clean()


def test_draw_again_changes_the_draws_and_little_else(site):
    page, _ = site(bound_figure())
    root = figures(page)
    old = settled(page, root)
    root.get_by_role("button", name="draw again").click()
    new = settled(page, root)
    assert new["batches"] != old["batches"]
    apart = math.hypot(new["error"][50], old["error"][50])
    assert 0 < abs(new["mean"][50] - old["mean"][50]) < 6 * apart
    assert f"the bound says {new['bound']:.2f} of 3.00 nats" in root.inner_text()
    mean = sum(new["batches"]) / 12
    assert f"{mean:.2f} ± " in root.inner_text()


@pytest.mark.parametrize("information", [0.1, 1.0, 3.0, 6.0, 10.0])
def test_the_curve_is_torch_s_within_monte_carlo_error(site, information):
    page, _ = site(bound_figure(information=information))
    sizes = ((2, 4000), (11, 1000), (64, 200), (256, 30))
    assert_the_curve_is_torch_s(shown(figures(page)), {"dims": 4}, sizes)


@pytest.mark.parametrize(("information", "size"), [(0.5, 8), (3.0, 64), (8.0, 32)])
def test_single_batches_are_distributed_as_torch_s(module, information, size):
    ours = module(BoundFigure, "batches", information, 4, size, 5, 200)
    theirs = by_torch(information, 4, size, 400, seed=1)
    assert kstest(ours, theirs.tolist()).pvalue > 1e-6
    spread = module(BoundFigure, "summary", ours)
    assert spread["mean"] == pytest.approx(torch.tensor(ours).mean().item(), abs=1e-6)
    assert spread["sd"] == pytest.approx(torch.tensor(ours).std().item(), rel=1e-5)


def test_the_critic_is_the_log_density_ratio(module):
    z, c = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = module(BoundFigure, "noiseOf", 2.0, 3)
    assert -0.5 * 3 * math.log(noise) == pytest.approx(2.0)
    rho = (1 - noise) ** 0.5
    covariance = torch.tensor([[1, rho], [rho, 1]], dtype=torch.float64)
    both = torch.distributions.MultivariateNormal(torch.zeros(2, dtype=torch.float64), covariance)
    unit = torch.distributions.Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
    for i, j in ((0, 0), (1, 4), (3, 2)):
        pair = both.log_prob(torch.stack([z[j], c[i]], 1)).sum()
        want = pair - unit.log_prob(z[j]).sum() - unit.log_prob(c[i]).sum()
        flat = (z.flatten().tolist(), j, c.flatten().tolist(), i, 3, noise)
        assert module(BoundFigure, "critic", *flat) == pytest.approx(want.item())


def test_the_draws_are_standard_normal_and_seeded(page):
    source = """async ([source, seed]) => {
        const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
        return [...(await import(url)).normals(20001, seed)];
    }"""
    first, again, other = (page.evaluate(source, [BoundFigure._esm, s]) for s in (1, 1, 2))
    assert first == again != other
    assert len(first) == 20001
    assert kstest(first, "norm").pvalue > 1e-6


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("information", "batch"), [(0.1, 2), (3.0, 64), (10.0, 1024)])
def test_a_phone_shows_all_of_it(site, theme, information, batch):
    page, notes = site(bound_figure(information, batch), theme=theme, width=360)
    settled(page, figures(page))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert words_outside(page) == []
    notes.assert_clean()


def test_a_reader_by_ear_is_told(site):
    page, _ = site(bound_figure())
    root = page.get_by_role("group", name="A batch of N")
    assert "the ceiling" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_label("true information").press("Home")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent.includes('of 0.10 nats')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, bound_figure())


@pytest.mark.parametrize("wrong", [{"information": 0}, {"batch": 2.5}, {"dims": 0}])
def test_arguments_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        bound_figure(**wrong)
