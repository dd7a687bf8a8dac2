"""Wrong answers that only the instructor's checks can see, and right ones that once lost points."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

UNIT_NUMBER = "07"


def angle(a, b):
    lengths = a.norm(dim=1, keepdim=True) * b.norm(dim=1, keepdim=True)
    return ((a * b).sum(1, keepdim=True) / lengths).clamp(-1, 1).acos()


def arc(a, b, t):
    turn = angle(a, b)
    return (((1 - t) * turn).sin() * a + (t * turn).sin() * b) / turn.sin()


def line(a, b, t):
    return (1 - t) * a + t * b


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.1, 0.05, math.acos(0.9995), 0.02])
def test_walks_of_small_angles_are_no_lines(points, threshold, seed):
    def answer(a, b, t):
        return torch.where(angle(a, b) < threshold, line(a, b, t), arc(a, b, t))

    assert points("slerp", answer, seed) < 1


def test_one_straight_row_does_not_send_the_batch_straight(points):
    def answer(a, b, t):
        return line(a, b, t) if (angle(a, b) < 1e-3).any() else arc(a, b, t)

    assert points("slerp", answer) < 1


def test_an_input_is_changed_by_no_back_door(points):
    def answer(mean, log_var, generator):
        log_var.data.div_(2).exp_()
        return mean + log_var * torch.empty_like(mean).normal_(generator=generator)

    assert points("reparameterize", answer) < 1


def test_a_draw_keeps_its_shape(points):
    def answer(mean, log_var, generator):
        noise = torch.empty_like(mean).normal_(generator=generator)
        return (mean + (log_var / 2).exp() * noise).flatten()

    assert points("reparameterize", answer) < 0.2


@pytest.mark.parametrize("cut", ["pixels", "price"])
def test_both_wishes_of_the_bound_pull(points, cut):
    def answer(x, logits, mean, log_var):
        ways = math.lgamma(17) - torch.lgamma(16 * x + 1) - torch.lgamma(17 - 16 * x)
        cost = binary_cross_entropy_with_logits(logits, x, reduction="none")
        likely = (ways - 16 * cost).sum(1)
        price = (mean**2 + log_var.exp() - 1 - log_var).sum(1) / 2
        return likely.detach() - price if cut == "pixels" else likely - price.detach()

    assert points("elbo", answer) < 1


def test_features_are_compared_in_double_precision(points):
    def answer(a, b):
        gap = (a.mean(0) - b.mean(0)).square().sum()
        covs = [torch.cov(heap.T).reshape(heap.shape[1], -1) for heap in (a, b)]
        roots = torch.linalg.eigvals(covs[0] @ covs[1]).real.clamp(min=0).sqrt()
        return (gap + covs[0].trace() + covs[1].trace() - 2 * roots.sum()).double()

    assert points("frechet_distance", answer) < 1
