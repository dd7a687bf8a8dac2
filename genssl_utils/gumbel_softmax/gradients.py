"""Bias and variance of gradient estimators, on a problem whose exact gradient is known.

One choice out of ten, z ~ Categorical(π) with π = softmax(θ), earns a reward f(z). The slope of the
expected reward is known in closed form, so every estimator of it can be measured: how far its
mean is off (bias) and how much one sample of it scatters (variance).

The estimators under test are the student's own functions, and come in as arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from genssl_utils.kit.training import cpu_threads

__all__ = [
    "LOGITS",
    "Quality",
    "compare",
    "curves",
    "exact_gradient",
    "expected_reward",
    "judge",
    "reinforce_gradients",
    "relaxed_gradients",
    "reward",
]

GumbelMax = Callable[..., Tensor]
"""(log_pi (B, K), generator=…) → choices (B,)."""
GumbelSoftmax = Callable[..., Tensor]
"""(log_pi (B, K), tau, generator=…) → soft choices (B, K)."""

LOGITS = torch.tensor([0.9, -0.6, 0.3, -1.2, 0.0, 0.7, -0.3, 1.2, -0.9, -0.1])
"""The logits θ at which everything is measured, shape (10,): no choice is rare or sure."""

TAUS = (0.1, 0.5, 1.0, 5.0)
"""The temperatures of the table."""


def reward(z: Tensor) -> Tensor:
    """The reward of a choice, f(z) = (z·w − 0.8)² with places w_k = k/9 on a line.

    On a one-hot z it is the squared distance of the chosen place from 0.8. The same formula takes
    any point of the simplex, the weighted mean of places, so that relaxed choices can be fed to
    it. It is curved, hence E[f(z)] ≠ f(E[z]): there a relaxation has a bias to show.

    Args:
        z: choices, one-hot or soft, shape (B, K).

    Returns:
        Rewards, shape (B,).

    Example:
        >>> reward(torch.eye(10)[[0, 9]])
        tensor([0.6400, 0.0400])
    """
    places = torch.linspace(0, 1, z.shape[-1], dtype=z.dtype, device=z.device)
    return (z @ places - 0.8) ** 2


def expected_reward(logits: Tensor) -> Tensor:
    """E[f(z)] = Σ_k π_k f(e_k), by going through all K choices; logits (K,) → scalar."""
    return logits.softmax(-1) @ _rewards(logits)


def exact_gradient(logits: Tensor) -> Tensor:
    """The gradient of E[f(z)] in θ: ∂E/∂θ_k = π_k (f(e_k) − E[f]).

    Args:
        logits: θ, shape (K,).

    Returns:
        The gradient, shape (K,). It sums to zero.
    """
    pi = logits.softmax(-1)
    rewards = _rewards(logits)
    return pi * (rewards - pi @ rewards)


def reinforce_gradients(
    gumbel_max: GumbelMax,
    reinforce_loss: Callable[[Tensor, Tensor, float], Tensor],
    logits: Tensor,
    n: int,
    *,
    baseline: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """n independent score-function estimates of the gradient, one sample each.

    Args:
        gumbel_max: the sampler under test.
        reinforce_loss: the loss under test; (log_prob (n,), reward (n,), baseline) → scalar mean.
        logits: θ, shape (K,).
        n: number of estimates.
        baseline: the number taken off every reward.
        generator: the source of randomness.

    Returns:
        Estimates of ∇E[f], shape (n, K).
    """
    rows, log_pi = _rows(logits, n)
    with torch.no_grad():
        z = gumbel_max(log_pi, generator=generator)  # (n,)
        rewards = reward(torch.nn.functional.one_hot(z, len(logits)).to(logits))
    log_prob = log_pi.gather(1, z[:, None])[:, 0]  # (n,)
    # The loss is a mean over rows that share nothing, and its slope is that of −E[f].
    return -n * _gradient(reinforce_loss(log_prob, rewards, baseline), rows)


def relaxed_gradients(
    gumbel_softmax: GumbelSoftmax,
    logits: Tensor,
    n: int,
    *,
    tau: float,
    finish: Callable[[Tensor], Tensor] = lambda y: y,
    payoff: Callable[[Tensor], Tensor] = reward,
    generator: torch.Generator | None = None,
) -> Tensor:
    """n independent pathwise estimates of the gradient, one sample each.

    Args:
        gumbel_softmax: the relaxation under test.
        logits: θ, shape (K,).
        n: number of estimates.
        tau: the temperature.
        finish: what is done to the soft choices (n, K) before the reward: nothing, or the
            straight-through step.
        payoff: the reward of choices (n, K), soft ones included.
        generator: the source of randomness.

    Returns:
        Estimates of ∇E[f], shape (n, K).
    """
    rows, log_pi = _rows(logits, n)
    z = finish(gumbel_softmax(log_pi, tau, generator=generator))  # (n, K)
    return _gradient(payoff(z).sum(), rows)


@dataclass(frozen=True)
class Quality:
    """How good an estimator of a gradient is, in units of the exact gradient's length.

    Attributes:
        bias: ‖mean − exact‖ / ‖exact‖.
        bias_error: standard error of the mean, √(tr Cov / n) / ‖exact‖. An estimator without any
            bias shows a `bias` of about this size, by chance.
        variance: tr Cov / ‖exact‖², of an estimate from one sample.
    """

    bias: float
    bias_error: float
    variance: float


def judge(gradients: Tensor, exact: Tensor) -> Quality:
    """Relative bias and variance of independent estimates of a gradient.

    Args:
        gradients: n estimates, shape (n, K), n at least 2.
        exact: the exact gradient, shape (K,).

    Returns:
        The quality, as plain numbers.

    Raises:
        ValueError: there are fewer than two estimates, or the exact gradient is zero.

    Example:
        >>> judge(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), torch.tensor([2.0, 0.0]))
        Quality(bias=0.5, bias_error=0.5, variance=0.5)
    """
    n, length = len(gradients), exact.double().norm()
    if n < 2 or length == 0:
        raise ValueError("Give at least two estimates, and an exact gradient that is not zero.")
    gradients = gradients.double()
    off = (gradients.mean(0) - exact.double()).norm() / length
    variance = (gradients.var(0).sum() / length**2).item()
    return Quality(off.item(), math.sqrt(variance / n), variance)


@cpu_threads(1)
def compare(
    gumbel_max: GumbelMax,
    gumbel_softmax: GumbelSoftmax,
    straight_through: Callable[[Tensor], Tensor],
    reinforce_loss: Callable[[Tensor, Tensor, float], Tensor],
    *,
    logits: Tensor = LOGITS,
    taus: Sequence[float] = TAUS,
    n: int = 100_000,
    seed: int = 0,
) -> dict[str, Quality]:
    """The table of the unit: every estimator's relative bias and variance.

    The baseline of REINFORCE is the exact E[f], the value that a running mean of the rewards
    settles at.

    Args:
        gumbel_max: the student's sampler.
        gumbel_softmax: the student's relaxation.
        straight_through: the student's one-hot forward, soft backward.
        reinforce_loss: the student's score-function loss.
        logits: θ, shape (K,).
        taus: temperatures for the two relaxed estimators.
        n: one-sample estimates to measure each estimator with.
        seed: every estimator and every temperature is given the same stream of noise, so that
            differences between rows are not of chance.

    Returns:
        Name → quality: `REINFORCE`, `REINFORCE, baseline`, `Gumbel-softmax τ=0.1`, … and
        `straight-through τ=0.1`, …
    """
    exact = exact_gradient(logits)
    mean = expected_reward(logits).item()

    def fresh() -> torch.Generator:
        return torch.Generator(logits.device).manual_seed(seed)

    table = {}
    for name, baseline in (("REINFORCE", 0.0), ("REINFORCE, baseline", mean)):
        estimates = reinforce_gradients(
            gumbel_max, reinforce_loss, logits, n, baseline=baseline, generator=fresh()
        )
        table[name] = judge(estimates, exact)
    for name, finish in (("Gumbel-softmax", lambda y: y), ("straight-through", straight_through)):
        for tau in taus:
            estimates = relaxed_gradients(
                gumbel_softmax, logits, n, tau=tau, finish=finish, generator=fresh()
            )
            table[f"{name} τ={tau:g}"] = judge(estimates, exact)
    return table


def curves(
    gumbel_max: GumbelMax,
    gumbel_softmax: GumbelSoftmax,
    straight_through: Callable[[Tensor], Tensor],
    reinforce_loss: Callable[[Tensor, Tensor, float], Tensor],
    *,
    logits: Tensor = LOGITS,
    points: int = 31,
    n: int = 50_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Bias and variance as the temperature moves, for the unit's second live figure.

    Args:
        gumbel_max: the student's sampler.
        gumbel_softmax: the student's relaxation.
        straight_through: the student's one-hot forward, soft backward.
        reinforce_loss: the student's score-function loss.
        logits: θ, shape (K,).
        points: temperatures, evenly spaced on a log scale from 0.1 to 10.
        n: one-sample estimates for each point.
        seed: of the noise, which all points share: the curves are smooth.

    Returns:
        What `bias_variance_figure` takes: `tau`, and by name the `estimators`, each with lists
        `bias`, `bias_error` and `variance`, rounded to 6 digits, one number a temperature.
        REINFORCE knows no temperature, so its lists hold one number.
    """
    taus = torch.logspace(-1, 1, points, dtype=torch.float64).tolist()
    table = compare(
        gumbel_max,
        gumbel_softmax,
        straight_through,
        reinforce_loss,
        logits=logits,
        taus=taus,
        n=n,
        seed=seed,
    )
    rows = list(table.values())
    series = {
        "REINFORCE": rows[:1],
        "REINFORCE, baseline": rows[1:2],
        "Gumbel-softmax": rows[2 : 2 + points],
        "straight-through": rows[2 + points :],
    }
    return {
        "tau": [round(tau, 6) for tau in taus],
        "estimators": {
            name: {
                part: [round(asdict(quality)[part], 6) for quality in qualities]
                for part in ("bias", "bias_error", "variance")
            }
            | {"depends_on_tau": len(qualities) > 1}
            for name, qualities in series.items()
        },
    }


def _rewards(logits: Tensor) -> Tensor:
    """f(e_k) for every choice k, shape (K,)."""
    return reward(torch.eye(len(logits), dtype=logits.dtype, device=logits.device))


def _rows(logits: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """θ repeated as n leaf rows, so that each sample has a gradient of its own; and log π."""
    if logits.ndim != 1:
        raise ValueError(f"logits are θ, of shape (K,), not {tuple(logits.shape)}.")
    rows = logits.detach().repeat(n, 1).requires_grad_()  # (n, K)
    return rows, rows.log_softmax(-1)


def _gradient(total: Tensor, rows: Tensor) -> Tensor:
    return torch.autograd.grad(total, rows)[0]
