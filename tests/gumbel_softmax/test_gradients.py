"""The gradient experiment: the exact gradient is exact, and what has no bias shows none."""

import json
import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from genssl_utils.gumbel_softmax.bias_variance import bias_variance_figure
from genssl_utils.gumbel_softmax.gradients import (
    LOGITS,
    Quality,
    compare,
    curves,
    exact_gradient,
    expected_reward,
    judge,
    reinforce_gradients,
    relaxed_gradients,
    reward,
)


def gumbel(like, generator):
    """Standard Gumbel noise by way of torch's exponential sampler."""
    return -torch.empty_like(like).exponential_(generator=generator).log()


def gumbel_max(log_pi, generator=None):
    return (log_pi + gumbel(log_pi, generator)).argmax(dim=1)


def gumbel_softmax(log_pi, tau, generator=None):
    return ((log_pi + gumbel(log_pi, generator)) / tau).softmax(dim=1)


def straight_through(y):
    return nn.functional.one_hot(y.argmax(dim=1), y.shape[1]) - y.detach() + y


def reinforce_loss(log_prob, reward, baseline=0.0):
    return -((reward - baseline).detach() * log_prob).mean()


STUDENT = (gumbel_max, gumbel_softmax, straight_through, reinforce_loss)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_exact_gradient_is_autograds_through_all_choices():
    logits = LOGITS.double().requires_grad_()
    (gradient,) = torch.autograd.grad(expected_reward(logits), logits)
    assert torch.allclose(exact_gradient(logits.detach()), gradient, atol=1e-15)
    assert abs(gradient.sum()) < 1e-15  # θ + c is the same distribution


def test_the_expected_reward_is_the_mean_over_torchs_categorical():
    law = torch.distributions.Categorical(logits=LOGITS)
    torch.manual_seed(0)
    rewards = reward(nn.functional.one_hot(law.sample((100_000,)), 10).float())
    error = rewards.std() / math.sqrt(len(rewards))
    assert abs(rewards.mean() - expected_reward(LOGITS)) < 5 * error


def test_the_reward_is_curved_so_that_a_relaxation_has_a_bias_to_show():
    assert abs(reward(LOGITS.softmax(0)[None])[0] - expected_reward(LOGITS)) > 0.01


@pytest.mark.parametrize("baseline", [0.0, 0.2, -3.0])
def test_reinforce_has_no_bias_with_any_constant_baseline(baseline):
    estimates = reinforce_gradients(
        gumbel_max, reinforce_loss, LOGITS, 50_000, baseline=baseline, generator=generator()
    )
    error = estimates.std(dim=0) / math.sqrt(len(estimates))
    assert ((estimates.mean(dim=0) - exact_gradient(LOGITS)).abs() < 5 * error).all()


def test_per_sample_gradients_are_those_of_one_sample_at_a_time():
    many = relaxed_gradients(gumbel_softmax, LOGITS, 4, tau=0.7, generator=generator(3))
    noise = gumbel(torch.empty(4, 10), generator(3))
    for row, g in zip(many, noise, strict=True):
        logits = LOGITS.clone().requires_grad_()
        z = ((logits.log_softmax(0) + g) / 0.7).softmax(0)
        (alone,) = torch.autograd.grad(reward(z[None])[0], logits)
        assert torch.allclose(row, alone, atol=1e-6)


def test_the_score_function_estimate_is_its_formula():
    estimates = reinforce_gradients(
        gumbel_max, reinforce_loss, LOGITS, 6, baseline=0.1, generator=generator(5)
    )
    z = gumbel_max(LOGITS.log_softmax(0).repeat(6, 1), generator=generator(5))
    chosen = nn.functional.one_hot(z, 10).float()
    formula = (reward(chosen) - 0.1)[:, None] * (chosen - LOGITS.softmax(0))
    assert torch.allclose(estimates, formula, atol=1e-6)


def test_judge_knows_bias_and_variance_of_a_normal_cloud():
    exact = torch.tensor([3.0, 4.0])
    cloud = torch.tensor([6.0, 8.0]) + 2 * torch.randn(100_000, 2, generator=generator())
    quality = judge(cloud, exact)
    assert quality.variance == pytest.approx(2 * 4 / 25, rel=0.03)
    assert quality.bias_error == pytest.approx(math.sqrt(0.32 / 100_000), rel=0.03)
    assert abs(quality.bias - 1) < 5 * quality.bias_error


def test_the_table_shows_bias_traded_for_variance():
    table = compare(*STUDENT, n=20_000)
    assert len(table) == 10
    for name in ("REINFORCE", "REINFORCE, baseline"):
        assert table[name].bias < 5 * table[name].bias_error
    assert table["REINFORCE, baseline"].variance < table["REINFORCE"].variance
    for name in ("Gumbel-softmax", "straight-through"):
        rows = [table[f"{name} τ={tau}"] for tau in ("0.1", "0.5", "1", "5")]
        assert all(cold.variance > warm.variance for cold, warm in pairwise(rows))
        assert all(cold.bias < warm.bias for cold, warm in pairwise(rows))
        assert rows[-1].bias > 0.5


def test_the_peer_librarys_relaxation_gives_the_same_quality():
    torch.manual_seed(0)
    peer = compare(
        gumbel_max,
        lambda log_pi, tau, generator=None: nn.functional.gumbel_softmax(log_pi, tau),
        straight_through,
        reinforce_loss,
        n=20_000,
        taus=(1.0,),
    )["Gumbel-softmax τ=1"]
    ours = compare(*STUDENT, n=20_000, taus=(1.0,))["Gumbel-softmax τ=1"]
    assert abs(peer.bias - ours.bias) < 5 * (peer.bias_error + ours.bias_error)
    assert peer.variance == pytest.approx(ours.variance, rel=0.1)


def test_curves_are_plain_numbers_over_the_whole_range_repeat_and_agree_with_the_table():
    lists = curves(*STUDENT, points=25, n=500)
    assert json.loads(json.dumps(lists)) == lists
    assert curves(*STUDENT, points=25, n=500) == lists
    assert len(lists["tau"]) == 25
    assert (lists["tau"][0], lists["tau"][-1]) == (0.1, 10)
    table = compare(*STUDENT, n=500, taus=(0.1,))
    for name, curve in lists["estimators"].items():
        moves = name in ("Gumbel-softmax", "straight-through")
        assert curve["depends_on_tau"] == moves
        assert {len(curve[part]) for part in vars(table["REINFORCE"])} == {25 if moves else 1}
        row = table[f"{name} τ=0.1" if moves else name]
        assert curve["variance"][0] == round(row.variance, 6)
        assert curve["bias"][0] == round(row.bias, 6)


def test_the_live_figure_takes_the_curves():
    figure = bias_variance_figure(curves(*STUDENT, points=5, n=50), tau=0.5)
    assert figure.tau == 0.5


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="two estimates"):
        judge(torch.ones(1, 2), torch.ones(2))
    with pytest.raises(ValueError, match="not zero"):
        judge(torch.ones(3, 2), torch.zeros(2))
    with pytest.raises(ValueError, match=r"shape \(K,\)"):
        relaxed_gradients(gumbel_softmax, torch.ones(2, 2), 3, tau=1.0)


def test_quality_is_plain():
    assert judge(torch.tensor([[1.0], [3.0]]), torch.tensor([1.0])) == Quality(1.0, 1.0, 2.0)
