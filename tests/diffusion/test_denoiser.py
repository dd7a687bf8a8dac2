"""The network, its training, and the ways back by the student's steps."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from genssl_utils.diffusion import (
    Denoiser,
    NoiseNet,
    Walkers,
    cloud,
    moments,
    train_denoiser,
    walk,
)


def gaussian(schedule, mean=(2.0, -1.0), spread=(0.5, 0.5)) -> Denoiser:
    """The best guesser for standard normal rows, beside a shift and a scale."""
    return Denoiser(
        lambda x, t: (1 - schedule[t])[:, None].sqrt() * x, schedule, torch.tensor(mean),
        torch.tensor(spread[0]),
    )  # fmt: skip


def test_times_are_even_and_hold_both_ends():
    assert moments(10, 10) == list(range(11))
    assert moments(1000, 4) == [0, 250, 500, 750, 1000]
    assert moments(1000, 1) == [0, 1000]
    assert len(set(moments(1000, 700))) == 701
    for steps in (0, 11):
        with pytest.raises(ValueError, match="from 1 to 10"):
            moments(10, steps)


def test_at_the_end_the_network_answers_the_row_itself(schedule):
    torch.manual_seed(0)
    net, x = NoiseNet(3, 8, schedule), torch.randn(5, 3)
    torch.testing.assert_close(net(x, torch.full((5,), 1000)), x, atol=1e-3, rtol=0)


@pytest.mark.parametrize("octaves", [0, 2])
def test_rows_do_not_mix_and_each_has_its_own_time(schedule, octaves):
    torch.manual_seed(0)
    net = NoiseNet(2, 8, schedule, octaves=octaves)
    x, t = torch.randn(4, 2, requires_grad=True), torch.tensor([1, 300, 300, 900])
    made = net(x, t)
    (slope,) = torch.autograd.grad(made[1].sum(), x)
    assert slope[[0, 2, 3]].abs().sum() == 0
    torch.testing.assert_close(made[2:3], net(x[2:3], t[2:3]))
    assert not torch.allclose(net(x[:1], t[:1]), net(x[:1], t[3:]))
    net(x, t).square().sum().backward()
    assert all(part.grad is not None and part.grad.abs().sum() > 0 for part in net.parameters())


def test_training_lowers_the_student_s_loss_and_repeats(own, schedule):
    x, seen = cloud("two moons", 500, 0), []

    def loss(net, x0, t, noise, alpha_bar):
        value = own["simple_loss"](net, x0, t, noise, alpha_bar)
        seen.append((value.item(), x0, t, alpha_bar))
        return value

    options = {"steps": 300, "width": 16, "batch": 64, "seed": 3, "picture": False}
    one = train_denoiser(x, schedule, loss, **options)
    values = [value for value, *_ in seen]
    assert sum(values[-100:]) / 100 < 0.9 * sum(values[:10]) / 10
    assert {row.shape for _, row, _, _ in seen} == {(64, 2)}
    times = torch.cat([t for _, _, t, _ in seen])
    assert times.min() >= 1
    assert times.max() <= 1000
    assert times.float().mean() == pytest.approx(500, abs=30)
    again = train_denoiser(x, schedule, own["simple_loss"], **options)
    z, t = torch.randn(3, 2), torch.tensor([1, 500, 1000])
    torch.testing.assert_close(one.predict(z, t), again.predict(z, t))
    assert one.weights == sum(part.numel() for part in one.predict.parameters())


def test_data_go_in_with_mean_0_and_spread_1_and_come_back(on_ring):
    x = cloud("eight clouds", 1000, 0)
    within = on_ring.inward(x)
    assert within.mean(0).abs().max() < 1e-5
    assert within.square().mean() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(on_ring.outward(within), x)


@pytest.mark.parametrize("way", ["DDPM", "DDIM"])
def test_with_the_right_guess_a_gaussian_comes_out(schedule, walkers, way):
    made = gaussian(schedule).draw(4000, walkers, way, 500, seed=1)
    assert made.shape == (4000, 2)
    torch.testing.assert_close(made.mean(0), torch.tensor([2.0, -1.0]), atol=0.04, rtol=0)
    torch.testing.assert_close(made.std(0), torch.tensor([0.5, 0.5]), atol=0.02, rtol=0)


def test_few_steps_of_ddpm_are_too_narrow(schedule, walkers):
    """The posterior's variance is for a known start, so skipping steps loses spread."""
    spreads = [gaussian(schedule).draw(4000, walkers, "DDPM", s).std() for s in (3, 30, 500)]
    assert spreads[0] < spreads[1] < spreads[2]


def test_ddim_is_the_turn_that_it_should_be(schedule, walkers):
    """Of a Gaussian each step shrinks rows by the cosine of an angle; the angles add up."""
    start = torch.randn(6, 2)
    times = moments(1000, 7)
    route = walk(
        gaussian(schedule).predict, start, times, schedule, walkers, "DDIM", torch.Generator()
    )
    *_, last = route
    angle = [math.acos(min(1.0, schedule[t].sqrt().item())) for t in times]
    shrunk = math.prod(math.cos(b - a) for a, b in pairwise(angle))
    torch.testing.assert_close(last, shrunk * start, rtol=1e-3, atol=1e-4)


def test_one_walk_visits_the_times_and_shows_neighbours_to_ddpm(schedule):
    asked, shown = [], []

    def predict(x, t):
        asked.append(int(t[0]))
        return x

    def step(xt, eps, t, alpha_bar, noise):
        shown.append((int(t[0]), alpha_bar, noise.std().item()))
        return xt

    route = walk(
        predict, torch.zeros(500, 2), [0, 400, 1000], schedule, Walkers(step, None), "DDPM",
        torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert len(list(route)) == 3
    assert asked == [1000, 400]
    assert [index for index, *_ in shown] == [2, 1]
    assert torch.equal(shown[0][1], schedule[[0, 400, 1000]])
    assert shown[0][2] == pytest.approx(1, abs=0.1)


def test_draws_repeat_by_their_seed(on_ring, walkers):
    for way in ("DDPM", "DDIM"):
        one, same, other = (on_ring.draw(20, walkers, way, 5, seed=s) for s in (0, 0, 1))
        assert torch.equal(one, same)
        assert not torch.allclose(one, other)
    trail = on_ring.trail(20, walkers, "DDIM", 5, seed=0)
    assert len(trail) == 6
    assert torch.equal(trail[-1], on_ring.draw(20, walkers, "DDIM", 5, seed=0))
    with pytest.raises(ValueError, match="way is one of"):
        on_ring.draw(2, walkers, "ODE", 5)
