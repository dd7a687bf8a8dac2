"""Paths, their loss, its two gradients, and what each keeps in memory."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.diffflow.limits import exact_fields, gap_above_truth, kept_share
from genssl_utils.diffflow.memory import held_for_backward, memory_rows
from genssl_utils.diffflow.process import (
    DiffFlow,
    FieldNet,
    Recipe,
    path_loss,
    path_loss_recomputed,
    weights_of,
)


@pytest.fixture(scope="module")
def recipe():
    own = Checker(find_unit(project_root(), "10")).namespace
    return Recipe(*(own[name] for name in Recipe._fields))


@pytest.fixture
def model():
    """One whose networks are not 0, and whose noise grows."""
    torch.manual_seed(4)
    made = DiffFlow(hidden=(16,), noise=0.4).double()
    for net in (made.drift, made.score):
        nn.init.normal_(net.body[-1].weight, std=0.3)
    flat = made.grid

    def rising(steps):
        times, g = flat(steps)
        return times, g * (1 + times)

    made.grid = rising
    return made


def source(seed=5):
    return torch.Generator().manual_seed(seed)


def points(n=6):
    return torch.randn(n, 2, generator=source(1), dtype=torch.float64)


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("loss", [path_loss, path_loss_recomputed])
def test_the_loss_is_the_mean_of_the_bound(recipe, model, steps, loss):
    got = loss(model, recipe, points(), steps, source())
    want = model.bound(recipe, points(), steps, source()).mean()
    assert got.shape == ()
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("steps", [1, 7])
def test_both_gradients_are_one(recipe, model, steps):
    told = []
    for loss in (path_loss, path_loss_recomputed):
        x = points().requires_grad_()
        cost = 3 * loss(model, recipe, x, steps, source())
        told.append(torch.autograd.grad(cost, [x, *model.parameters()]))
    for one, other in zip(*told, strict=True):
        assert one.abs().max() > 0
        torch.testing.assert_close(one, other)


def test_the_gradient_is_a_difference_quotient(recipe, model):
    weight = model.drift.body[0].bias
    cost = path_loss_recomputed(model, recipe, points(), 5, source())
    (slope,) = torch.autograd.grad(cost, weight)
    with torch.no_grad():
        ends = []
        for h in (1e-5, -1e-5):
            weight[3] += h
            ends.append(path_loss(model, recipe, points(), 5, source()).item())
            weight[3] -= h
    assert slope[3].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_what_is_kept_grows_with_the_steps_in_one_way_only(recipe):
    rows = memory_rows(recipe, (5, 40))
    assert rows[1]["kept, kB"] > 7 * rows[0]["kept, kB"]
    assert rows[1]["recomputed, kB"] < 1.3 * rows[0]["recomputed, kB"]
    assert rows[1]["recomputed, kB"] < rows[1]["kept, kB"] / 10
    assert max(row["gradients differ by"] for row in rows) < 1e-4


def test_the_meter_counts_a_tensor_once():
    net = nn.Linear(3, 1, bias=False)
    x = torch.ones(50, 3)
    assert held_for_backward(net, lambda: (net(x) + net(x)).sum()) == x.numel() * 4


def test_times_bend_and_noise_stays():
    times, g = DiffFlow(noise=0.25, end=2.0).grid(4)
    assert times.tolist() == pytest.approx([2 * (i / 4) ** 0.9 for i in range(5)])
    assert g.tolist() == [0.25] * 5
    with pytest.raises(ValueError, match="at least one step"):
        DiffFlow().grid(0)
    with pytest.raises(ValueError, match="above 0"):
        DiffFlow(noise=0.0)


def test_a_fresh_model_keeps_the_latent_but_for_its_noise():
    trail = DiffFlow(noise=0.3).trail(4000, 5, source())
    assert len(trail) == 6
    # Four steps add noise, the last, which is the first in time, adds none.
    times, _ = DiffFlow().grid(5)
    assert trail[-1].var().item() == pytest.approx(1 + 0.09 * (1 - times[1].item()), rel=0.05)
    assert torch.equal(trail[-1], trail[-2])


class Pull(nn.Module):
    """A score that pulls to 1 on the way back."""

    def forward(self, x, t):
        return (1.0 - x) / 0.05**2


def test_the_way_back_takes_the_score_off_the_drift():
    model = DiffFlow(noise=0.05)
    model.score = Pull()
    model.grid = lambda steps: (torch.linspace(0, 1, steps + 1), torch.full((steps + 1,), 0.05))
    made = model.draw(2000, 40, source())
    left = (1 - 1 / 40) ** 40  # of the distance from 1
    assert made.mean().item() == pytest.approx(1 - left, abs=0.02)
    assert made.std().item() == pytest.approx(left, abs=0.02)


def test_a_net_takes_one_time_or_one_for_each_point():
    torch.manual_seed(0)
    net = FieldNet(2, (8,))
    nn.init.normal_(net.body[-1].weight)
    x, t = torch.randn(3, 5, 2), torch.tensor([0.1, 0.5, 0.9])
    together = net(x, t[:, None].expand(3, 5))
    apart = torch.stack([net(rows, when) for rows, when in zip(x, t, strict=True)])
    torch.testing.assert_close(together, apart)
    assert weights_of(net) == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("gamma", [0.2, 1.0])
def test_the_exact_fields_carry_the_data_to_a_standard_normal(gamma):
    drift, _, noise_scale = exact_fields(gamma)
    x, steps = 0.5 * torch.randn(20_000, 1, generator=source()), 400
    chance, times = source(9), torch.linspace(0, 1, steps + 1)
    for i in range(steps):
        unit = torch.randn(x.shape, generator=chance)
        x = x + drift(x, times[i]) / steps + noise_scale(times[i]) * unit / math.sqrt(steps)
    assert x.std().item() == pytest.approx(1, abs=0.02)
    assert kept_share(torch.tensor(1.0)) < 0.01


def test_the_bound_lies_above_the_truth_and_comes_down(recipe):
    few, many = (gap_above_truth(recipe.nll_bound, 0.5, n) for n in (10, 200))
    assert 0 < many < 0.25 * few
