"""Noise that is known: beside the slope of the noised density, and what it draws."""

from __future__ import annotations

import pytest
import torch

from genssl_utils.diffusion import (
    by_steps,
    cloud,
    knows_by_heart,
    losses_beside_the_best,
    mean_loss,
    mixture_noise,
    on_a_cloud,
    perfect,
    ring_middles,
    shares_on_a_cloud,
)
from genssl_utils.diffusion.clouds import CLOUD_SPREAD
from genssl_utils.diffusion.moment import middles
from genssl_utils.kit.samples import energy_distance


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_it_is_minus_the_score_times_the_spread_of_the_noise(schedule, spread):
    torch.manual_seed(0)
    middles, x = torch.randn(5, 3).double(), torch.randn(4, 3).double().requires_grad_()
    t = torch.tensor([60, 400, 700, 1000])
    kept = schedule.double()[t]
    width = (kept * spread**2 + 1 - kept).sqrt()[:, None, None].expand(4, 5, 3)
    near = torch.distributions.Normal(kept.sqrt()[:, None, None] * middles, width)
    log_p = near.log_prob(x[:, None]).sum(2).logsumexp(1)
    (score,) = torch.autograd.grad(log_p.sum(), x)
    guess = mixture_noise(schedule.double(), middles, spread)(x.detach(), t)
    torch.testing.assert_close(guess, -(1 - kept).sqrt()[:, None] * score)


def test_no_network_and_no_shift_has_a_lower_loss(own, on_ring):
    found = losses_beside_the_best(on_ring, own["simple_loss"], n=2000)
    assert list(found)[-1] == "all times"
    assert len(found) == 5
    for name, (network, best) in found.items():
        assert network > best - 0.002, name
    whole = sum(best for name, (_, best) in found.items() if name != "all times") / 4
    assert found["all times"][1] == pytest.approx(whole, abs=0.02)


def test_the_loss_is_taken_at_the_times_asked_for(own, on_ring):
    x, seen = cloud("eight clouds", 50, 1), []

    def loss(net, x0, t, noise, alpha_bar):
        seen.append(t)
        return own["simple_loss"](net, x0, t, noise, alpha_bar)

    mean_loss(on_ring, x, loss, times=(7, 9), rounds=3)
    assert len(seen) == 3
    assert set(torch.cat(seen).tolist()) == {7, 8, 9}


def test_the_perfect_guesser_draws_the_clouds(on_ring, walkers):
    best = perfect(on_ring, ring_middles(), CLOUD_SPREAD)
    made = best.draw(1500, walkers, "DDIM", 50)
    assert on_a_cloud(made) > 0.98
    assert energy_distance(made, cloud("eight clouds", 1500, 5)) < 0.01


@pytest.mark.parametrize("way", ["DDPM", "DDIM"])
def test_of_a_finite_heap_it_draws_copies(on_ring, walkers, way):
    heap, _ = middles("twelve points")
    made = perfect(on_ring, heap, 0.0).draw(60, walkers, way, 100)
    near, share = knows_by_heart(made, heap)
    assert near < 0.001
    assert share > 0.95
    assert knows_by_heart(heap + 0.1, heap)[1] == 0


def test_more_steps_come_nearer(on_ring, walkers):
    found = by_steps({"eight clouds": on_ring}, walkers, steps=(1, 3, 20), n=600)["eight clouds"]
    assert set(found) == {("true", 0), *((w, s) for w in ("DDPM", "DDIM") for s in (1, 3, 20))}
    for way in ("DDPM", "DDIM"):
        assert found[way, 1] > found[way, 3] > found[way, 20]
    assert abs(found["true", 0]) < 0.02


def test_clouds_are_named_and_lie_where_they_should():
    x = cloud("eight clouds", 4000, 0)
    assert on_a_cloud(x) == pytest.approx(0.989, abs=0.01)  # 1 − exp(−9/2)
    assert on_a_cloud(torch.zeros(3, 2)) == 0
    with pytest.raises(ValueError, match="no set 'three moons'"):
        cloud("three moons", 5, 0)


def test_the_best_guesser_leaves_fewer_points_between_the_clouds(on_ring, walkers):
    found = shares_on_a_cloud(on_ring, walkers, steps=20, n=400)
    for way in ("DDPM", "DDIM"):
        assert found["best guesser", way] > found["network", way]
    assert found["nobody", "true points"] > 0.95
